// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the backing memory holds: whole tensors, from which layers load the copies on the chip. No
// LibTorch in this header.
#pragma once

#include <vector>

#include "bridge/exposure/operand_copies.h"

namespace tilestrike::bridge {

/// The index of a copy is that of the stored tensor.
class BackingCopies final : public Copies {
 public:
  /// `on_chip`: what is loaded from them; must outlive this object.
  BackingCopies(const Schedule& schedule, std::vector<const OperandCopies*> on_chip);

  /// The copies on the chip into which an operand of a layer is loaded.
  const OperandCopies& loaded_to(std::size_t layer, std::size_t operand) const;
  /// The last byte of a codeword of a tensor, at most the tensor's last.
  std::int64_t last_byte(const Occupant& occupant) const;

  using Copies::byte;
  Occupant at(std::int64_t address, Cycle cycle) const override;
  std::vector<Occupant> all_in(std::int64_t address) const override;
  void for_each_place(const StoredElement& element, const LoadOrder& order,
                      const VisitPlace& visit) const override;
  void add_spans(int answer, std::vector<ContentSpan>& spans) const override;
  CopyByte byte(std::size_t layer, std::int64_t tensor, std::int64_t offset) const override;
  StoredElement stored(const Occupant& occupant, const CopyByte& byte,
                       const LoadOrder& order) const override;
  sim::BitString data(const Occupant& occupant, const RunValues& values,
                      Cycle cycle) const override;
  /// When copies on the chip are loaded from it.
  void add_reads(const Occupant& occupant, const CopyByte& byte, const LoadOrder& order,
                 std::vector<Cycle>& cycles) const override;
  void add_to(StruckContents& contents, StruckContent content) const override;
  std::string text(const Occupant& occupant, std::string_view layer) const override;

 private:
  const StoredTensor& tensor(std::int64_t index) const {
    return placement().tensors()[static_cast<std::size_t>(index)];
  }
  /// When the codeword is written.
  Cycle written(const Occupant& occupant) const;
  Cycle result_arrives(std::size_t layer, std::size_t output, std::int64_t element) const;

  std::vector<const OperandCopies*> on_chip_;
  struct Producer {
    std::size_t layer = 0, output = 0;
    bool is_input = true;
  };
  std::vector<Producer> producers_;  // by tensor
};

}  // namespace tilestrike::bridge

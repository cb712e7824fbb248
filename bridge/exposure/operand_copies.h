// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Copies of a layer's operands on the chip: loaded from the backing memory, read as they were
// loaded, and what tiles of weights and blocks of activations have in common. No LibTorch in this
// header.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "bridge/exposure/copy.h"

namespace tilestrike::bridge {

class OperandCopies : public Copies {
 public:
  using Copies::byte;
  using Copies::Copies;

  /// Told of a copy, by its index, and where in it the element begins.
  using VisitCopy = std::function<void(std::int64_t copy, std::int64_t offset)>;
  /// The copies that hold an element of a layer's operand.
  virtual void for_each_with(std::size_t layer, std::size_t operand, std::int64_t element,
                             const VisitCopy& visit) const = 0;
  /// Of a copy's first byte.
  virtual std::int64_t address(std::size_t layer, std::int64_t copy) const = 0;
  /// When a byte of a copy is read from the backing memory; nullopt: at boot.
  virtual std::optional<Cycle> fetched(std::size_t layer, std::int64_t copy,
                                       std::int64_t offset) const = 0;
  /// When the last byte for a layer is; nullopt: none is.
  virtual std::optional<Cycle> last_fetched(std::size_t layer) const = 0;
  /// Whether an operand of a layer is loaded into copies of this kind.
  virtual bool hold(std::size_t layer, std::size_t operand) const = 0;

  void for_each_place(const StoredElement& element, const LoadOrder& order,
                      const VisitPlace& visit) const override;
  StoredElement stored(const Occupant& occupant, const CopyByte& byte,
                       const LoadOrder& order) const override;
  /// As it is loaded, in any cycle.
  sim::BitString data(const Occupant& occupant, const RunValues& values,
                      Cycle cycle) const override;
  void add_reads(const Occupant& occupant, const CopyByte& byte, const LoadOrder& order,
                 std::vector<Cycle>& cycles) const override;
  std::vector<Cycle> refetching_reads(const Occupant& occupant) const override;
  void add_to(StruckContents& contents, StruckContent content) const override;

 private:
  void add_reads(const Occupant& occupant, const CopyByte& byte, std::vector<Cycle>& cycles) const;
};

}  // namespace tilestrike::bridge

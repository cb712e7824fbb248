// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Copies of activations on the chip: blocks in the halves of their memory, which the mesh reads or
// an operator beside it. No LibTorch in this header.
#pragma once

#include <optional>
#include <vector>

#include "bridge/exposure/operand_copies.h"

namespace tilestrike::bridge {

/// The index of a copy is that of the block in MemorySchedule::blocks().
class ActivationBlocks final : public OperandCopies {
 public:
  explicit ActivationBlocks(const Schedule& schedule);

  using Copies::byte;
  Occupant at(std::int64_t address, Cycle cycle) const override;
  std::vector<Occupant> all_in(std::int64_t address) const override;
  void add_spans(int answer, std::vector<ContentSpan>& spans) const override;
  CopyByte byte(std::size_t layer, std::int64_t block, std::int64_t offset) const override;
  void for_each_with(std::size_t layer, std::size_t operand, std::int64_t element,
                     const VisitCopy& visit) const override;
  std::int64_t address(std::size_t layer, std::int64_t block) const override;
  std::optional<Cycle> fetched(std::size_t layer, std::int64_t block,
                               std::int64_t offset) const override;
  std::optional<Cycle> last_fetched(std::size_t layer) const override;
  bool hold(std::size_t layer, std::size_t operand) const override {
    return operand != 1 || !memory().work()[layer].gemm.has_value();
  }

 private:
  const ActivationBlock& block(std::int64_t index) const {
    return memory().blocks()[static_cast<std::size_t>(index)];
  }
  int element_bytes(std::size_t layer, std::size_t operand) const;
  /// nullopt: the codeword lies beyond the block.
  std::optional<Occupant> part_of(std::int64_t index, std::int64_t offset) const;
};

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Copies of weights on the chip: tiles, each with a place of its own or in slots that they take in
// turn. No LibTorch in this header.
#pragma once

#include <optional>
#include <vector>

#include "bridge/exposure/operand_copies.h"

namespace tilestrike::bridge {

/// The index of a copy is that of the tile in its layer.
class WeightTiles final : public OperandCopies {
 public:
  explicit WeightTiles(const Schedule& schedule);

  using Copies::byte;
  Occupant at(std::int64_t address, Cycle cycle) const override;
  std::vector<Occupant> all_in(std::int64_t address) const override;
  void add_spans(int answer, std::vector<ContentSpan>& spans) const override;
  CopyByte byte(std::size_t layer, std::int64_t tile, std::int64_t offset) const override;
  void for_each_with(std::size_t layer, std::size_t operand, std::int64_t element,
                     const VisitCopy& visit) const override;
  std::int64_t address(std::size_t layer, std::int64_t tile) const override {
    return memory().tile_address(layer, tile);
  }
  std::optional<Cycle> fetched(std::size_t layer, std::int64_t tile,
                               std::int64_t offset) const override;
  std::optional<Cycle> last_fetched(std::size_t layer) const override;
  bool hold(std::size_t layer, std::size_t operand) const override {
    return operand == 1 && memory().work()[layer].gemm.has_value();
  }

 private:
  const Tiling& tiling(std::size_t layer) const { return *schedule().layers()[layer].tiling; }
  bool are_in_turn(std::size_t layer) const { return placement().weight_place(layer).is_in_turn; }
  std::int64_t bytes_of(std::size_t layer, std::int64_t tile) const {
    return memory().tile_bytes(tiling(layer),
                               memory().first_pass_of_tile(layer, tiling(layer), tile));
  }
  /// The last cycle in which a pass reads its weights.
  Cycle last_read(std::size_t layer, int pass) const;
  /// nullopt: the codeword lies beyond the tile.
  std::optional<Occupant> part_of(std::size_t layer, std::int64_t tile, std::int64_t offset) const;
  /// Which tile a slot holds, or is about to hold, in a cycle; only its layer and index are set.
  Occupant last_in_slot(std::int64_t slot, Cycle cycle) const;

  std::vector<std::int64_t> own_bases_;   // of layers whose tiles have places of their own
  std::vector<std::size_t> own_layers_;   // these layers
  std::vector<std::size_t> turn_layers_;  // whose tiles take slots in turn
};

}  // namespace tilestrike::bridge

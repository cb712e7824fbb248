// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The copies of a layer's operands on the chip, tiles of weights and blocks of activations: which
// element a byte of a copy is, and which copies hold an element (docs/memory_schedule.md). No
// LibTorch in this header.
#pragma once

#include <cstdint>
#include <functional>

#include "bridge/schedule/schedule.h"

namespace tilestrike::bridge {

/// The element, in the order in which they are loaded, that a byte of a copy belongs to; element
/// -1: padding.
struct CopyByte {
  std::size_t operand = 0;
  std::int64_t element = -1;
  int byte = 0;
  std::int64_t row = 0;  // of a tile of weights
};
CopyByte weight_byte(const Schedule& schedule, std::size_t layer, std::int64_t tile,
                     std::int64_t offset);
CopyByte activation_byte(const Schedule& schedule, std::size_t layer, std::int64_t block,
                         std::int64_t offset);

/// The sums of a codeword of a block of accumulators: `lanes` of one row, from a column on, lanes
/// beyond the tile's columns included; and the first of the passes that add to them.
struct SumsOfWord {
  std::int64_t row = 0, first_column = 0;
  int lanes = 0;
  int first_pass = 0;
};
SumsOfWord sums_of_word(const Schedule& schedule, std::size_t layer, std::int64_t block,
                        std::int64_t offset);

/// Told of a copy, by its index, where in it the element begins, and how large it is.
using VisitCopy = std::function<void(std::int64_t copy, std::int64_t offset, std::int64_t bytes)>;
/// Tiles that hold a weight of a layer on the mesh.
void for_each_tile_of(const Schedule& schedule, std::size_t layer, std::int64_t element,
                      const VisitCopy& visit);
/// Blocks that hold an element of an operand; on the mesh, of the activations.
void for_each_block_of(const Schedule& schedule, std::size_t layer, std::size_t operand,
                       std::int64_t element, const VisitCopy& visit);

}  // namespace tilestrike::bridge

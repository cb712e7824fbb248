// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What upset cells of one row come to when their codewords are read, for all patterns of up to ten
// columns and all places along the row: the tables behind the enumeration of clusters.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/strikes/cluster_shapes.h"

namespace tilestrike::sim {

/// Flags of an event, or of the part of it that lies in one row.
inline constexpr std::uint8_t kSeveralBitsFlag = 1;  // >= 2 bits of some codeword
inline constexpr std::uint8_t kThreeBitsFlag = 2;    // >= 3 bits
inline constexpr std::uint8_t kDetectedFlag = 4;     // some codeword is detected
inline constexpr std::uint8_t kSilentFlag = 8;       // some codeword is silent

struct MaskEffects {
  std::vector<std::uint8_t> flags;  // by the column of the mask's bit 0, modulo the period
  bool is_quiet = true;             // no flag anywhere
  // Share of places at which the codeword of a column of the mask is detected, or silent.
  std::array<double, kMostEnumeratedCells> detected_share{}, silent_share{};
};

/// Effects of all masks of cells in one row, worked out when asked for. `judge` must outlive it.
class RowEffects {
 public:
  RowEffects(const CodewordLayout& layout, const JudgeCodeword& judge)
      : layout_(layout), judge_(judge), period_(layout.codeword_bits * layout.interleave) {}

  /// Columns after which places repeat.
  int period() const { return period_; }
  /// Requires a mask whose bit 0 is set.
  const MaskEffects& of(unsigned mask);

 private:
  void fill(unsigned mask, int place, MaskEffects& effects) const;

  CodewordLayout layout_;
  const JudgeCodeword& judge_;
  int period_;
  std::array<MaskEffects, std::size_t{1} << kMostEnumeratedCells> masks_;
};

/// A shape row by row.
struct ShapeRows {
  explicit ShapeRows(const ClusterShape& shape);

  int rows = 0;
  int columns = 0;
  std::array<unsigned, kMostEnumeratedCells> masks{};  // with bit 0 set
  std::array<int, kMostEnumeratedCells> first{};       // column of that bit
  std::array<int, kMostEnumeratedCells> cells{};
  std::array<double, kMostEnumeratedCells> struck{};  // P(the struck cell is in this row)
};

}  // namespace tilestrike::sim

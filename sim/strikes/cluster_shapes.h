// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// All shapes of clusters with their exact probabilities, and what follows for codewords: the values
// that bound what sampling cannot reach (docs/technology_nodes.md, "Enumerated").
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "sim/ecc/ecc_code.h"
#include "sim/strikes/cluster.h"

namespace tilestrike::sim {

inline constexpr int kMostEnumeratedCells = 10;  // 36,446 shapes of that size alone

/// A shape on the grid wherever it lies: cells in order, with the least row and column 0.
struct ClusterShape {
  int size = 0;
  std::array<ClusterCell, kMostEnumeratedCells> cells{};
  /// P(this shape, and its i-th cell is the struck one | so many cells).
  std::array<double, kMostEnumeratedCells> struck{};

  double probability() const;
  std::span<const ClusterCell> used() const {
    return {cells.data(), static_cast<std::size_t>(size)};
  }
};

/// shapes[n - 1] are the shapes of n cells, 1 <= n <= most <= kMostEnumeratedCells.
std::vector<std::vector<ClusterShape>> enumerate_shapes(double word_line_share, int most);

/// What reading a codeword with some of its bits flipped comes to.
enum class ReadResult : std::uint8_t {
  kRight,     // the data are as written: nothing wrong, or corrected, or in check bits only
  kDetected,  // an uncorrectable error is reported
  kSilent,    // wrong data, not reported
};
/// Of the flipped bits of one codeword, in ascending order. Must depend on nothing else.
using JudgeCodeword = std::function<ReadResult(std::span<const int> bits)>;

/// Judges as the code does when it reads. The code must outlive it.
JudgeCodeword judge_by(const EccCode& code);

/// Of one event, whose struck cell is uniform over the cells of a bank without side edges.
struct EventProbabilities {
  double several_cells = 0.0;       // after well taps have cut clusters short
  double several_bits = 0.0;        // >= 2 bits of some codeword
  double three_bits = 0.0;          // >= 3 bits of some codeword
  double detected = 0.0;            // of some codeword
  double silent = 0.0;              // of some codeword
  double silent_only = 0.0;         // of some codeword, and none is detected
  double detected_in_struck = 0.0;  // of the struck cell's codeword
  double silent_in_struck = 0.0;
  double not_enumerated = 0.0;  // events with more than kMostEnumeratedCells cells: in none above
};

struct CodewordLayout {
  int codeword_bits = 72;
  int interleave = 1;
  int tap_rows = 0;  // 0: no well taps
  friend bool operator==(const CodewordLayout&, const CodewordLayout&) = default;
};

EventProbabilities enumerate_events(const ClusterLaw& law, const CodewordLayout& layout,
                                    const JudgeCodeword& judge);

}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The upset of one particle: how many cells, in what shape, and which codewords they belong to
// (docs/technology_nodes.md, "From an event to its cells"). No memory is taken per strike.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "sim/memory/array_geometry.h"
#include "sim/strikes/technology_node.h"

namespace tilestrike::sim {

inline constexpr int kMostClusterCells = 100;

/// What strikes; multiplicity and rate differ.
enum class Radiation { kNeutron, kAlpha, kThermal };

/// How many cells an event upsets and how its cluster grows.
struct ClusterLaw {
  double multi_cell_share = 0.0;  // P(several cells)
  double tail_ratio = 0.0;        // P(m + 1) / P(m) for m from 2 up to most_cells
  int most_cells = 1;             // of a cluster, but for the heavy tail
  double word_line_share = 0.0;   // of the growth's steps
  double heavy_tail = 0.0;        // P(more than most_cells): m cells ~ 1/m up to kMostClusterCells
  friend bool operator==(const ClusterLaw&, const ClusterLaw&) = default;
};

/// The multi-cell share of neutron events at another supply voltage: its logit rises by a slope per
/// volt below the node's vdd.
double multi_cell_share_at(const TechnologyNode& node, double voltage);

/// The node's law at its own vdd or at another voltage. Alpha and thermal events have a share of
/// their own and otherwise the neutrons' law; `heavy_tail` is the neutrons' alone.
ClusterLaw cluster_law(const TechnologyNode& node, Radiation radiation);
ClusterLaw cluster_law(const TechnologyNode& node, Radiation radiation, double voltage,
                       double heavy_tail = 0.0);

/// P(m cells) for m = 1 .. most_cells (index m - 1), and beyond with a heavy tail.
std::vector<double> size_probabilities(const ClusterLaw& law);

/// A cell as seen from the struck one.
struct ClusterCell {
  std::int16_t row = 0;
  std::int16_t column = 0;
  friend auto operator<=>(const ClusterCell&, const ClusterCell&) = default;
};

/// The cells of an event before any of them is cut off, the struck cell (0, 0) first.
class Cluster {
 public:
  int size() const { return size_; }
  std::span<const ClusterCell> cells() const {
    return {cells_.data(), static_cast<std::size_t>(size_)};
  }
  /// These cells, in any coordinates, of which the one at `struck` is struck.
  void set(std::span<const ClusterCell> cells, std::size_t struck);

 private:
  friend class ClusterSampler;
  int size_ = 0;
  std::array<ClusterCell, kMostClusterCells> cells_;
};

class ClusterSampler {
 public:
  explicit ClusterSampler(const ClusterLaw& law);

  int draw_size(RandomStream& random) const;
  /// Grows `cluster` to `size` cells: from a random member one step along the word line or, else,
  /// along the bit line, in either direction; a step onto a member is drawn again.
  void grow(int size, RandomStream& random, Cluster& cluster) const;
  void draw(RandomStream& random, Cluster& cluster) const {
    grow(draw_size(random), random, cluster);
  }

 private:
  std::vector<double> up_to_;      // P(at most m cells), m = 1 ..
  std::uint64_t word_line_share_;  // of 2^31
};

/// The cells that an event upsets, with the codeword bits that they hold.
class Upset {
 public:
  int size() const { return size_; }
  std::span<const Cell> cells() const { return {cells_.data(), static_cast<std::size_t>(size_)}; }
  std::span<const CodewordBit> bits() const {  // in the order of cells()
    return {bits_.data(), static_cast<std::size_t>(size_)};
  }

 private:
  friend void place_cluster(const Cluster& cluster, const Cell& struck,
                            const ArrayGeometry& geometry, int tap_rows, Upset& upset);
  friend void sort_by_codeword(Upset& upset);
  int size_ = 0;
  std::array<Cell, kMostClusterCells> cells_;
  std::array<CodewordBit, kMostClusterCells> bits_;
};

/// Puts a cluster around the struck cell. Cells beyond the bank's edge and beyond a well tap (in
/// front of rows 0, tap_rows, 2 tap_rows ...; 0: no taps) are cut off; the struck cell comes first.
void place_cluster(const Cluster& cluster, const Cell& struck, const ArrayGeometry& geometry,
                   int tap_rows, Upset& upset);

/// Sorts the upset's cells by codeword, then bit.
void sort_by_codeword(Upset& upset);

/// Relative rate of events at a cell that stores `value`: of mean 1 over cells that store 0 and 1
/// equally often, with the given ratio of 0 over 1. The weight of a trial whose strike was drawn
/// without regard to what is stored.
double stored_value_weight(double zero_to_one, bool value);

}  // namespace tilestrike::sim

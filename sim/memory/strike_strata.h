// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strata of strikes on one array by what reading the struck codewords would come to, with exact
// probabilities, and strikes drawn within a stratum: how a campaign reaches what is rare
// (docs/technology_nodes.md, "Strata").
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "sim/memory/cluster_shapes.h"

namespace tilestrike::sim {

enum class Stratum : std::uint8_t {
  kRight,     // every codeword would be read right
  kDetected,  // some would be detected, none is silent
  kSilent,    // some are silent, none would be detected
  kBoth,      // some are silent, some would be detected
  kLarge,     // more cells than are enumerated
};
inline constexpr std::size_t kStrata = 5;
std::string_view name_of(Stratum stratum);  // right, detected, silent, both, large

class StrikeStrata {
 public:
  /// Strikes of one law on one array, uniform over its cells, cut off at its edges and well taps.
  StrikeStrata(const ClusterLaw& law, const ArrayGeometry& geometry, int tap_rows,
               JudgeCodeword judge);

  /// Exact; all of them together are 1.
  double probability(Stratum stratum) const {
    return probabilities_[static_cast<std::size_t>(stratum)];
  }
  /// A strike as drawn without strata, given that it is of this stratum, which must have a
  /// probability. `upset` is sorted by codeword.
  void draw(Stratum stratum, RandomStream& random, Cell& struck, Upset& upset) const;

  /// The stratum of an upset that is sorted by codeword and of at most kMostEnumeratedCells cells.
  Stratum stratum_of(const Upset& upset) const;

 private:
  struct Member {
    std::uint32_t size, shape;  // index into shapes_[size - 1]
    double up_to;               // probability of it and all members before
  };

  void add(std::uint32_t size, std::uint32_t shape, double weight, class RowEffects& effects);
  bool draw_from(const ClusterShape& shape, Stratum stratum, RandomStream& random, Cell& struck,
                 Upset& upset) const;

  ArrayGeometry geometry_;
  int tap_rows_;
  JudgeCodeword judge_;
  std::vector<double> sizes_;  // P(m cells)
  ClusterSampler sampler_;
  std::vector<std::vector<ClusterShape>> shapes_;
  std::array<std::vector<Member>, kStrata> members_;
  std::array<double, kStrata> probabilities_{};
  // Share of the bank's rows with so many rows above and below up to the next edge or tap, at most
  // kMostEnumeratedCells - 1 of each.
  std::array<std::array<double, kMostEnumeratedCells>, kMostEnumeratedCells> room_{};
};

}  // namespace tilestrike::sim

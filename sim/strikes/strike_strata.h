// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strata of strikes on one array by what reading the struck codewords would come to, with exact
// probabilities for each reach of the cluster (docs/technology_nodes.md, "Strata").
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/strikes/cluster_classes.h"

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

  /// Of the clusters of one reach and of all; exact, and 1 together.
  double probability(int reach, Stratum stratum) const {
    return probabilities_[static_cast<std::size_t>(reach)][static_cast<std::size_t>(stratum)];
  }
  double probability(Stratum stratum) const;

  /// The stratum of an upset that is sorted by codeword and of at most kMostEnumeratedCells cells.
  Stratum stratum_of(const Upset& upset) const;

 private:
  void add(const ClusterShape& shape, double weight, class RowEffects& effects);
  ArrayGeometry geometry_;
  JudgeCodeword judge_;
  std::array<std::array<double, kStrata>, kLargeReach + 1> probabilities_{};
  // Share of the bank's rows with so many rows above and below up to the next edge or tap, at most
  // kMostEnumeratedCells - 1 of each.
  std::array<std::array<double, kMostEnumeratedCells>, kMostEnumeratedCells> room_{};
};

}  // namespace tilestrike::sim

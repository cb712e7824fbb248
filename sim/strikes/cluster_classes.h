// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Clusters by how far they reach along a word line: the strata of particles' strikes, which no ECC
// and no interleaving changes, so that the same strikes serve all of them
// (docs/technology_nodes.md, "Strata").
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "sim/strikes/cluster_shapes.h"

namespace tilestrike::sim {

/// Of clusters with more cells than are enumerated.
inline constexpr int kLargeReach = kMostEnumeratedCells + 1;

/// The columns from the first to the last cell of a row, of the row where they are most: bits of
/// codewords that are interleaved at a distance of d columns need a reach of d + 1 to be two of
/// one.
int reach_of(const ClusterShape& shape);

class ClusterClasses {
 public:
  explicit ClusterClasses(const ClusterLaw& law);

  /// Of a reach from 1 to kLargeReach; exact, and 1 together.
  double probability(int reach) const { return probabilities_[static_cast<std::size_t>(reach)]; }
  /// A cluster as ClusterSampler draws them, given its reach, which must have a probability.
  void draw(int reach, RandomStream& random, Cluster& cluster) const;

  /// P(m cells) at m - 1, and the shapes of up to kMostEnumeratedCells of them.
  const std::vector<double>& sizes() const { return sizes_; }
  const std::vector<std::vector<ClusterShape>>& shapes() const { return shapes_; }

 private:
  struct Member {
    std::uint32_t size, shape;  // index into shapes_[size - 1]
    double up_to;               // probability of it and all members before
  };
  std::vector<double> sizes_;
  ClusterSampler sampler_;
  std::vector<std::vector<ClusterShape>> shapes_;
  std::array<std::vector<Member>, kLargeReach + 1> members_;
  std::array<double, kLargeReach + 1> probabilities_{};
};

/// The classes of a law. The last ones asked for are kept, for the next point of a sweep.
std::shared_ptr<const ClusterClasses> cluster_classes(const ClusterLaw& law);

}  // namespace tilestrike::sim

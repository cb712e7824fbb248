// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/strikes/cluster_classes.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <mutex>

#include "base/error.h"
#include "sim/strikes/row_effects.h"

namespace tilestrike::sim {

int reach_of(const ClusterShape& shape) {
  const ShapeRows rows(shape);
  int reach = 0;
  for (int row = 0; row < rows.rows; ++row) {
    const unsigned mask = rows.masks[static_cast<std::size_t>(row)];
    reach = std::max(reach, static_cast<int>(std::bit_width(mask)));
  }
  return reach;
}

ClusterClasses::ClusterClasses(const ClusterLaw& law)
    : sizes_(size_probabilities(law)), sampler_(law) {
  int most = std::min(static_cast<int>(sizes_.size()), kMostEnumeratedCells);
  while (most > 1 && sizes_[static_cast<std::size_t>(most - 1)] == 0.0) {
    --most;  // of one cell only, as alpha's, there is little to enumerate
  }
  shapes_ = enumerate_shapes(law.word_line_share, most);
  for (std::size_t n = 0; n < shapes_.size(); ++n) {
    for (std::size_t i = 0; sizes_[n] > 0.0 && i < shapes_[n].size(); ++i) {
      const double probability = sizes_[n] * shapes_[n][i].probability();
      if (probability > 0.0) {
        const auto reach = static_cast<std::size_t>(reach_of(shapes_[n][i]));
        probabilities_[reach] += probability;
        members_[reach].push_back({static_cast<std::uint32_t>(n + 1), static_cast<std::uint32_t>(i),
                                   probabilities_[reach]});
      }
    }
  }
  for (std::size_t n = shapes_.size(); n < sizes_.size(); ++n) {
    probabilities_[kLargeReach] += sizes_[n];
  }
}

void ClusterClasses::draw(int reach, RandomStream& random, Cluster& cluster) const {
  TS_CHECK(probability(reach) > 0.0, "a reach that has a probability");
  double unit = random.unit() * probability(reach);
  if (reach == kLargeReach) {
    std::size_t size = shapes_.size();
    while (size + 1 < sizes_.size() && unit >= sizes_[size]) {
      unit -= sizes_[size++];
    }
    sampler_.grow(static_cast<int>(size) + 1, random, cluster);
    return;
  }
  const std::vector<Member>& members = members_[static_cast<std::size_t>(reach)];
  auto member =
      std::upper_bound(members.begin(), members.end(), unit,
                       [](double value, const Member& each) { return value < each.up_to; });
  if (member == members.end()) {  // by rounding
    --member;
  }
  const ClusterShape& shape = shapes_[member->size - 1][member->shape];
  double rest = random.unit() * shape.probability();
  std::size_t struck = 0;
  while (struck + 1 < shape.used().size() && rest >= shape.struck[struck]) {
    rest -= shape.struck[struck++];
  }
  cluster.set(shape.used(), struck);
}

std::shared_ptr<const ClusterClasses> cluster_classes(const ClusterLaw& law) {
  constexpr std::size_t kMostKept = 12;
  static std::mutex mutex;
  static std::deque<std::pair<ClusterLaw, std::shared_ptr<const ClusterClasses>>> kept;
  const std::lock_guard lock(mutex);
  for (const auto& [known, classes] : kept) {
    if (known == law) {
      return classes;
    }
  }
  kept.emplace_back(law, std::make_shared<const ClusterClasses>(law));
  if (kept.size() > kMostKept) {
    kept.pop_front();
  }
  return kept.back().second;
}

}  // namespace tilestrike::sim

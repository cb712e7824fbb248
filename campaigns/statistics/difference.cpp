// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/statistics/difference.h"

#include <algorithm>
#include <cmath>

namespace tilestrike::campaigns {
namespace {

constexpr double kRounding = 1e-12;  // of weights that cancel

/// The part of each difference that goes one way, over the most that it can be.
struct Side {
  Side(const Differences& all, double sign, double range, double confidence) : range(range) {
    double squares = 0.0;
    for (const double value : all.values) {
      const bool is_there = range > 0.0 && sign * value > kRounding * range;
      const double share = is_there ? std::min(1.0, sign * value / range) : 0.0;
      shares.add(share);
      squares += share * share;
    }
    mean = shares.mean();
    deviation =
        std::sqrt(std::max(0.0, squares / static_cast<double>(all.values.size()) - mean * mean));
    interval = range > 0.0 ? interval_of_shares(shares, confidence) : Interval{0.0, 0.0};
  }
  double below() const { return range * (mean - interval.low); }
  double above() const { return range * (interval.high - mean); }

  double range;
  Shares shares;
  double mean = 0.0, deviation = 0.0;
  Interval interval;
};

struct ClassSides {
  double share;  // of all pairs
  Side up, down;
};

/// The square of what lies above the mean because of one side of all classes: joined by their own
/// distances or, where none has gone that way, the bound of none at all.
double square_above(std::span<const ClassSides> classes, Side ClassSides::*side,
                    double confidence) {
  std::vector<StratumShares> none;
  double sum = 0.0;
  bool is_any = false;
  for (const ClassSides& each : classes) {
    const Side& here = each.*side;
    is_any = is_any || here.mean > 0.0;
    sum += std::pow(each.share * here.above(), 2);
    if (here.range > 0.0) {
      none.push_back({each.share * here.range, here.shares});
    }
  }
  return is_any ? sum : std::pow(bound_of_none(none, confidence), 2);
}

}  // namespace

Estimate mean_difference(std::span<const Differences> classes, double confidence) {
  double n = 0.0;
  for (const Differences& each : classes) {
    n += static_cast<double>(each.values.size());
  }
  std::vector<ClassSides> sides;
  for (const Differences& each : classes) {
    if (!each.values.empty()) {
      sides.push_back({static_cast<double>(each.values.size()) / n,
                       Side(each, 1.0, each.most, confidence),
                       Side(each, -1.0, -each.least, confidence)});
    }
  }
  double mean = 0.0, below = 0.0, above = 0.0;
  for (const auto& [share, up, down] : sides) {
    mean += share * (up.range * up.mean - down.range * down.mean);
    const double deviations = up.deviation * down.deviation;
    const double r = deviations > 0.0 ? std::max(-1.0, -up.mean * down.mean / deviations) : 0.0;
    below += share * share * (std::pow(up.below(), 2) - 2.0 * r * up.below() * down.above());
    above += share * share * (std::pow(down.below(), 2) - 2.0 * r * up.above() * down.below());
  }
  below += square_above(sides, &ClassSides::down, confidence);
  above += square_above(sides, &ClassSides::up, confidence);
  return {mean, {mean - std::sqrt(below), mean + std::sqrt(above)}};
}

}  // namespace tilestrike::campaigns

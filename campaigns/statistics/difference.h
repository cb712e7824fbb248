// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The mean of differences of pairs: of trials that are the same at two points.
#pragma once

#include <span>
#include <vector>

#include "campaigns/statistics/stratified.h"

namespace tilestrike::campaigns {

/// Differences of the pairs of one class, each within [least, most], least <= 0 <= most. How many
/// pairs a class has must be no matter of chance (trials that are allotted), or there is one class.
struct Differences {
  std::vector<double> values;
  double least = 0.0, most = 0.0;
};

/// The mean over the pairs of all classes. A pair goes up, down, or stays: what goes up and what
/// goes down are two shares with their own intervals (interval_of_shares), and no pair does both,
/// so that they are correlated by r = -m1 m2 / (s1 s2) of their means and deviations. Joined as
/// Newcombe's paired difference is (Statistics in Medicine 17, 1998, 2635-2650, method 10), over
/// classes as combined() joins strata:
///     low = mean - sqrt(sum(a^2 + b^2 - 2 r a b)),  a = m1 - l1 and b = u2 - m2, each times its
/// range; high with u1 and l2. Where no pair of any class goes one way: bound_of_none().
Estimate mean_difference(std::span<const Differences> classes, double confidence);

}  // namespace tilestrike::campaigns

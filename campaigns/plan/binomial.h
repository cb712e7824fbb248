// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How many of n bits are faulty when each is so with probability p: the count of a trial at a rate.
#pragma once

#include <cstdint>

namespace tilestrike::campaigns {

/// P(K >= 1) of a binomial K, exact also where it is tiny.
double chance_of_any(std::uint64_t n, double p);

/// The value of K, given K >= 1, at the quantile `unit` of [0, 1): drawing `unit` uniformly draws K
/// from that distribution.
std::uint64_t binomial_at_least_one(std::uint64_t n, double p, double unit);

/// The same of a Poisson K of this mean, which is above 0 and at most kMostPoissonMean.
inline constexpr double kMostPoissonMean = 500.0;
std::uint64_t poisson_at_least_one(double mean, double unit);

}  // namespace tilestrike::campaigns

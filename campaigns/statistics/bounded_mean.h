// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A confidence bound of the mean of numbers of which nothing is known but that they lie in [0, 1]
// (docs/statistics.md).
#pragma once

#include <cstdint>
#include <map>

namespace tilestrike::campaigns {

/// How often each value was seen.
using Histogram = std::map<double, std::int64_t>;

/// Gaffke's upper bound of the mean (Gaffke, "Three test statistics for a nonparametric one-sided
/// hypothesis on the mean of a nonnegative variable", Mathematical Methods of Statistics 14, 2005;
/// in this form Learned-Miller and Thomas, arXiv 1905.06208, 2020): the quantile 1 - alpha of
///
///     D_1 x_1 + ... + D_n x_n + D_{n+1} 1,   D uniform over the simplex,
///
/// of independent observations x in [0, 1], at least one. Of zeros and ones it is the bound of
/// Clopper and Pearson. That it holds for every distribution is a conjecture; tests/coverage
/// measures it on ours.
double upper_bound_of_mean(const Histogram& seen, double alpha);

/// The same from below.
double lower_bound_of_mean(const Histogram& seen, double alpha);

}  // namespace tilestrike::campaigns

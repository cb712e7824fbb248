// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How far counts lie from what was expected, in standard deviations, for tests with fixed seeds.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace tilestrike::sim {

/// Beyond this a two-sided test fails: 6e-5 of true hypotheses do.
inline constexpr double kFarOff = 4.0;

/// Standard score of a count of `trials` that each happen with probability p.
inline double binomial_score(std::uint64_t count, std::uint64_t trials, double p) {
  const auto n = static_cast<double>(trials);
  return (static_cast<double>(count) - n * p) / std::sqrt(n * p * (1.0 - p));
}

/// Standard score of Pearson's chi-square over classes, those that expect less than ten counts
/// taken together (Wilson and Hilferty, PNAS 17, 1931). Both tails are far off: counts that fit
/// too well, too.
inline double chi_square_score(std::span<const std::uint64_t> counts,
                               std::span<const double> expected) {
  double sum = 0.0, rest_count = 0.0, rest_expected = 0.0;
  int classes = 0;
  const auto add = [&](double count, double mean) {
    sum += (count - mean) * (count - mean) / mean;
    ++classes;
  };
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (expected[i] >= 10.0) {
      add(static_cast<double>(counts[i]), expected[i]);
    } else {
      rest_count += static_cast<double>(counts[i]);
      rest_expected += expected[i];
    }
  }
  if (rest_expected >= 10.0) {
    add(rest_count, rest_expected);
  } else if (rest_count > 50.0) {
    return 100.0;  // far more than the few that were expected
  }
  if (classes < 2) {
    return 0.0;
  }
  const double freedom = classes - 1;
  const double spread = 2.0 / (9.0 * freedom);
  return (std::cbrt(sum / freedom) - (1.0 - spread)) / std::sqrt(spread);
}

}  // namespace tilestrike::sim

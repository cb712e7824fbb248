// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/statistics.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>

namespace tilestrike::campaigns {
namespace {

/// The largest rate that shows no hit in n trials with probability 1 - confidence.
double bound_of_none(std::int64_t n, double confidence) {
  return n == 0 ? 1.0 : -std::expm1(std::log1p(-confidence) / static_cast<double>(n));
}

}  // namespace

Interval wilson(std::int64_t hits, std::int64_t n, double confidence) {
  if (n == 0) {
    return {};
  }
  const double z = boost::math::quantile(boost::math::normal(), (1.0 + confidence) / 2.0);
  const auto trials = static_cast<double>(n);
  const double rate = static_cast<double>(hits) / trials;
  const double scale = 1.0 + z * z / trials;
  const double centre = (rate + z * z / (2.0 * trials)) / scale;
  const double half =
      z * std::sqrt(rate * (1.0 - rate) / trials + z * z / (4.0 * trials * trials)) / scale;
  return {hits == 0 ? 0.0 : std::max(0.0, centre - half),
          hits == n ? 1.0 : std::min(1.0, centre + half)};
}

Interval clopper_pearson(std::int64_t hits, std::int64_t n, double confidence) {
  if (n == 0) {
    return {};
  }
  const double tail = (1.0 - confidence) / 2.0;
  const auto k = static_cast<double>(hits);
  const auto rest = static_cast<double>(n - hits);
  return {hits == 0 ? 0.0 : boost::math::ibeta_inv(k, rest + 1.0, tail),
          hits == n ? 1.0 : boost::math::ibeta_inv(k + 1.0, rest, 1.0 - tail)};
}

Interval interval_of_trials(std::int64_t hits, std::int64_t n, double confidence) {
  if (hits == 0) {
    return {0.0, bound_of_none(n, confidence)};
  }
  if (hits == n) {
    return {1.0 - bound_of_none(n, confidence), 1.0};
  }
  return wilson(hits, n, confidence);
}

Interval interval_of_shares(const Shares& shares, double confidence) {
  if (shares.n == 0) {
    return {};
  }
  const auto n = static_cast<double>(shares.n);
  const double mean = shares.mean();
  const double spread = shares.sum_of_squares - n * mean * mean;
  if (shares.n == 1 || spread <= 1e-12 * n) {
    const double unseen = bound_of_none(shares.n, confidence);
    return {mean * (1.0 - unseen), mean + (1.0 - mean) * unseen};
  }
  const double t =
      boost::math::quantile(boost::math::students_t(n - 1.0), (1.0 + confidence) / 2.0);
  const double half = t * std::sqrt(spread / (n - 1.0) / n);
  return {std::max(0.0, mean - half), std::min(1.0, mean + half)};
}

std::int64_t trials_at_look(int look) {
  constexpr double kFirst = 200.0;
  constexpr double kGrowth = 1.25;
  return static_cast<std::int64_t>(std::ceil(kFirst * std::pow(kGrowth, look)));
}

bool is_precise(double rate, const Interval& interval, double relative, double half_width) {
  const bool is_narrow = half_width <= 0.0 || interval.half_width() <= half_width;
  const bool is_relatively_narrow =
      relative <= 0.0 || (rate > 0.0 && interval.half_width() <= relative * rate);
  return is_narrow && is_relatively_narrow;
}

}  // namespace tilestrike::campaigns

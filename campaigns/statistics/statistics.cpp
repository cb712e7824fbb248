// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/statistics/statistics.h"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>

namespace tilestrike::campaigns {
namespace {

/// The largest rate that shows no hit in n trials with probability 1 - confidence.
double bound_of_none(std::int64_t n, double confidence) {
  return n == 0 ? 1.0 : -std::expm1(std::log1p(-confidence) / static_cast<double>(n));
}

}  // namespace

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
  return clopper_pearson(hits, n, confidence);
}

void Shares::add(const Shares& other) {
  for (const auto& [share, count] : other.seen_) {
    seen_[share] += count;
  }
}

std::int64_t Shares::n() const {
  std::int64_t n = 0;
  for (const auto& [share, count] : seen_) {
    n += count;
  }
  return n;
}

double Shares::mean() const {
  double sum = 0.0;
  for (const auto& [share, count] : seen_) {
    sum += share * static_cast<double>(count);
  }
  return seen_.empty() ? 0.0 : sum / static_cast<double>(n());
}

Interval interval_of_shares(const Shares& shares, double confidence) {
  if (shares.seen().empty()) {
    return {};
  }
  const auto is_whole = [](const auto& seen) { return seen.first == 0.0 || seen.first == 1.0; };
  if (std::ranges::all_of(shares.seen(), is_whole)) {
    const auto hits = shares.seen().find(1.0);
    return interval_of_trials(hits == shares.seen().end() ? 0 : hits->second, shares.n(),
                              confidence);
  }
  const double tail = (1.0 - confidence) / 2.0;
  return {lower_bound_of_mean(shares.seen(), tail), upper_bound_of_mean(shares.seen(), tail)};
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

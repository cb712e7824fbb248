// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/stratified.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tilestrike::campaigns {

Estimate combined(std::span<const StratumMean> means) {
  double value = 0.0, below = 0.0, above = 0.0, whole = 0.0;
  for (const StratumMean& mean : means) {
    value += mean.weight * mean.value;
    below += std::pow(mean.weight * (mean.value - mean.interval.low), 2);
    above += std::pow(mean.weight * (mean.interval.high - mean.value), 2);
    whole += mean.weight;
  }
  return {value,
          {std::max(0.0, value - std::sqrt(below)), std::min(whole, value + std::sqrt(above))}};
}

double bound_of_none(std::span<const StratumCount> counts, double confidence) {
  // By Lagrange 1 - p = m n / w where that is below 1; m is such that the probability is reached.
  const double wanted = -std::log1p(-confidence);
  double bound = 0.0, largest = 0.0;
  for (const StratumCount& count : counts) {
    if (count.n == 0) {
      bound += count.weight;
    } else {
      largest = std::max(largest, count.weight / static_cast<double>(count.n));
    }
  }
  const auto reached = [&](double m) {
    double sum = 0.0;
    for (const StratumCount& count : counts) {
      const auto n = static_cast<double>(count.n);
      if (count.n > 0 && count.weight > m * n) {
        sum += n * std::log(count.weight / (m * n));
      }
    }
    return sum;
  };
  if (largest == 0.0) {
    return bound;
  }
  double low = std::log(largest) - wanted, high = std::log(largest);  // of log m
  for (int step = 0; step < 200 && low < high; ++step) {
    const double middle = 0.5 * (low + high);
    (reached(std::exp(middle)) > wanted ? low : high) = middle;
  }
  const double m = std::exp(0.5 * (low + high));
  for (const StratumCount& count : counts) {
    const auto n = static_cast<double>(count.n);
    if (count.n > 0 && count.weight > m * n) {
      bound += count.weight - m * n;
    }
  }
  return bound;
}

Estimate stratified_rate(std::span<const StratumCount> counts, double confidence) {
  const bool has_hits = std::ranges::any_of(counts, [](const auto& c) { return c.hits > 0; });
  if (!has_hits) {
    return {0.0, {0.0, bound_of_none(counts, confidence)}};
  }
  std::vector<StratumMean> means;
  for (const StratumCount& count : counts) {
    const double value =
        count.n == 0 ? 0.0 : static_cast<double>(count.hits) / static_cast<double>(count.n);
    means.push_back({count.weight, value, interval_of_trials(count.hits, count.n, confidence)});
  }
  return combined(means);
}

Estimate stratified_mean(std::span<const StratumShares> strata, double confidence) {
  std::vector<StratumCount> counts;
  std::vector<StratumMean> means;
  bool has_any = false;
  for (const StratumShares& stratum : strata) {
    const Shares& shares = *stratum.shares;
    has_any = has_any || shares.mean() > 0.0;
    counts.push_back({stratum.weight, 0, shares.n()});
    means.push_back({stratum.weight, shares.mean(), interval_of_shares(shares, confidence)});
  }
  if (!has_any) {
    return {0.0, {0.0, bound_of_none(counts, confidence)}};
  }
  return combined(means);
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/statistics/stratified.h"

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

double bound_of_none(std::span<const StratumShares> strata, double confidence) {
  struct Count {
    double weight = 0.0;
    std::int64_t n = 0;
  };
  std::vector<Count> counts;
  for (const StratumShares& stratum : strata) {
    counts.push_back({stratum.weight, stratum.shares.n()});
  }
  // By Lagrange 1 - p = m n / w where that is below 1; m is such that the probability is reached.
  const double wanted = -std::log1p(-confidence);
  double bound = 0.0, largest = 0.0;
  for (const Count& count : counts) {
    if (count.n == 0) {
      bound += count.weight;
    } else {
      largest = std::max(largest, count.weight / static_cast<double>(count.n));
    }
  }
  const auto reached = [&](double m) {
    double sum = 0.0;
    for (const Count& count : counts) {
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
  for (const Count& count : counts) {
    const auto n = static_cast<double>(count.n);
    if (count.n > 0 && count.weight > m * n) {
      bound += count.weight - m * n;
    }
  }
  return bound;
}

Estimate stratified_mean(std::span<const StratumShares> strata, double confidence) {
  const bool has_any =
      std::ranges::any_of(strata, [](const auto& stratum) { return stratum.shares.mean() > 0.0; });
  if (!has_any) {
    return {0.0, {0.0, bound_of_none(strata, confidence)}};
  }
  const auto mean_of = [&](std::size_t part) {
    double sum = 0.0, sampled = 0.0;
    for (const StratumShares& stratum : strata) {
      if (stratum.shares.n() > 0 && stratum.part == part) {
        sum += stratum.weight * stratum.shares.mean();
        sampled += stratum.weight;
      }
    }
    return sampled > 0.0 ? sum / sampled : 0.0;
  };
  std::vector<StratumMean> means;
  double unseen = 0.0, estimated = 0.0;
  for (const StratumShares& stratum : strata) {
    if (stratum.shares.n() > 0) {
      means.push_back(
          {stratum.weight, stratum.shares.mean(), interval_of_shares(stratum.shares, confidence)});
    } else {
      unseen += stratum.weight;
      estimated += stratum.weight * mean_of(stratum.part);
    }
  }
  Estimate estimate = combined(means);
  estimate.value += estimated;
  estimate.interval.high += unseen;  // what was not looked at is unknown, not uncertain
  return estimate;
}

}  // namespace tilestrike::campaigns

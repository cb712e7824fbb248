// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/tally/estimator.h"

#include <algorithm>
#include <limits>

#include "campaigns/statistics/stratified.h"

namespace tilestrike::campaigns {
namespace {

const StratumCounts& stratum_of(const TrialCounts& counts, const std::string& name) {
  static const StratumCounts none;
  const auto found = counts.strata.find(name);
  return found == counts.strata.end() ? none : found->second;
}

}  // namespace

template <class SharesOf>
Estimate Estimator::mean_of(const TrialCounts& counts, const Weights& weights,
                            const SharesOf& shares_of) const {
  if (!weights.empty()) {
    std::vector<StratumShares> strata;
    std::int64_t n = 0;
    for (const auto& [name, weight] : weights) {
      strata.push_back({weight, shares_of(stratum_of(counts, name))});
      n += strata.back().shares.n();
    }
    Estimate estimate = stratified_mean(strata, confidence_);
    estimate.n = n;
    return estimate;
  }
  Shares pooled;
  for (const auto& [name, stratum] : counts.strata) {
    pooled.add(shares_of(stratum));
  }
  const double mean = pooled.mean();
  const std::int64_t n = pooled.n();
  return {mean, is_exact_ && n > 0 ? exact_interval(mean) : interval_of_shares(pooled, confidence_),
          n};
}

template <class ToShare>
Estimate Estimator::mean_score(const TrialCounts& counts, const Weights& weights,
                               const ToShare& to_share) const {
  return mean_of(counts, weights, [&](const StratumCounts& stratum) {
    Shares shares;
    for (const auto& [score, count] : stratum.scores.seen()) {
      shares.add(to_share(score), count);
    }
    return shares;
  });
}

// The share of trials up to a value is a rate like any other: the median is the value at which it
// reaches a half, and its interval goes from where it might to where it must.
Estimate Estimator::median_score(const TrialCounts& counts, const Weights& weights) const {
  constexpr double kHalf = 0.5;
  std::vector<double> values;
  for (const auto& [name, stratum] : counts.strata) {
    for (const auto& [score, count] : stratum.scores.seen()) {
      values.push_back(score);
    }
  }
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  std::int64_t n = 0;
  const auto share_up_to = [&](double value) {
    const Estimate share =
        mean_score(counts, weights, [value](double score) { return score <= value ? 1.0 : 0.0; });
    n = share.n;
    return share;
  };
  const auto first_where = [&](const auto& is_reached) {
    const auto found = std::ranges::partition_point(
        values, [&](double value) { return !is_reached(share_up_to(value)); });
    return found == values.end() ? std::numeric_limits<double>::infinity() : *found;
  };
  Estimate median;
  median.value = first_where([](const Estimate& share) { return share.value >= kHalf; });
  median.interval.low =
      first_where([](const Estimate& share) { return share.interval.high >= kHalf; });
  median.interval.high =
      first_where([](const Estimate& share) { return share.interval.low >= kHalf; });
  median.n = n;
  return median;
}

ScoreEstimate Estimator::score(const TrialCounts& counts, const Weights& weights,
                               const bridge::Metric& metric, double golden) const {
  if (!metric.is_share) {
    return {median_score(counts, weights), !is_persistent_, true};
  }
  const bool is_change = !is_persistent_ && !metric.is_mean;
  const Estimate shares = mean_score(
      counts, weights, [this](double score) { return is_persistent_ ? score : 0.5 + 0.5 * score; });
  const auto of = [&](double share) {
    const double change = weight_ * (is_persistent_ ? share - golden : 2.0 * share - 1.0);
    // Without faults it is golden; with one of them it lies within 0 and 1.
    return is_change ? change
                     : std::clamp(golden + change, golden * (1.0 - weight_),
                                  golden + weight_ * (1.0 - golden));
  };
  return {{of(shares.value), {of(shares.interval.low), of(shares.interval.high)}, shares.n},
          is_change,
          false};
}

Estimate Estimator::differing(const TrialCounts& counts, const Weights& weights) const {
  return mean_of(counts, weights,
                 [](const StratumCounts& stratum) -> const Shares& { return stratum.differing; })
      .times(weight_);
}

Estimate Estimator::of_all(const TrialCounts& counts, const Weights& weights, Rate rate) const {
  return mean_of(counts, weights, [rate](const StratumCounts& stratum) -> const Shares& {
    return stratum.all[rate];
  });
}

Group Estimator::group(const std::string& name, const TrialCounts& counts,
                       const Weights& weights) const {
  Group group;
  group.name = name;
  group.activated = mean_of(counts, weights, [](const StratumCounts& stratum) -> const Shares& {
                      return stratum.activated;
                    }).times(weight_);
  for (const Rate rate : kRates) {
    const Estimate share = of_all(counts, weights, rate);
    group.rates[rate] = share.times(weight_);
    if (weights.empty()) {
      group.rates_of_activated[rate] =
          mean_of(counts, weights, [rate](const StratumCounts& stratum) -> const Shares& {
            return stratum.of_activated[rate];
          });
    } else if (counts.activated == counts.n) {  // of other shares strata say nothing
      group.rates_of_activated[rate] = share;
    }
  }
  group.masked_at = counts.masked_at;
  return group;
}

}  // namespace tilestrike::campaigns

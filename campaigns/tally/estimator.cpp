// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/tally/estimator.h"

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

Estimate Estimator::accuracy(const TrialCounts& counts, const Weights& weights,
                             double golden) const {
  const Estimate kept = mean_of(
      counts, weights, [](const StratumCounts& stratum) -> const Shares& { return stratum.kept; });
  const auto of = [&](double share) {
    return golden + weight_ * (is_persistent_ ? share - golden : 2.0 * share - 1.0);
  };
  return {of(kept.value), {of(kept.interval.low), of(kept.interval.high)}, kept.n};
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

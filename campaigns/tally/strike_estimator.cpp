// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/tally/strike_estimator.h"

#include <algorithm>
#include <vector>

#include "campaigns/statistics/stratified.h"

namespace tilestrike::campaigns {
namespace {

Chance of_any(const StrikeGroup& group) { return {true, group.is_sampled}; }
Chance of_silent(const StrikeGroup& group) {
  return {group.can_be_silent, group.is_silent_sampled};
}
Chance of_wrong_on(const StrikeGroup& group) {
  return {group.can_be_silent || group.can_be_due, group.is_silent_sampled || group.is_due_sampled};
}
Chance of_due(const StrikeGroup& group) { return {group.can_be_due, group.is_due_sampled}; }

/// By the number of their class: groups of a class in which something can come to an outcome are
/// one stratum, for the trials fall into them by their rates.
using Strata = std::map<std::size_t, StratumShares>;

Estimate mean_over(const Strata& classes, double confidence) {
  std::vector<StratumShares> strata;
  for (const auto& [of_class, stratum] : classes) {
    strata.push_back(stratum);
  }
  return stratified_mean(strata, confidence);
}

/// Of what no trial can come to: at most what is enumerated.
Estimate settled(double bound, std::int64_t n) {
  return {0.0, {0.0, bound}, n, bound > 0.0 ? Basis::kEnumerated : Basis::kImpossible};
}

/// Shares of strikes that a part has as the whole does.
std::vector<Estimate*> shares_of(StrikeRates& rates) {
  std::vector<Estimate*> shares;
  for (Estimate& rate : rates.avf) {
    shares.push_back(&rate);
  }
  shares.insert(shares.end(),
                {&rates.false_due, &rates.wrong_on, &rates.wrong_event, &rates.due_event});
  return shares;
}

void lower_to(double most, Estimate& rate) {
  rate.interval.high = std::max(rate.value, std::min(rate.interval.high, most));
}

/// A mean over strikes as they are drawn, as one over those on what the cells hold.
Estimate of_stored(Estimate rate, const Estimate& stored) {
  if (stored.value > 0.0 && stored.n > 0) {
    if (rate.is_settled()) {  // by what is enumerated, as StrikeRates::enumerated
      rate.interval.high /= stored.value;
      return rate;
    }
    rate.value /= stored.value;
    rate.interval = {rate.interval.low / stored.interval.high,
                     rate.interval.high / stored.interval.low};
  }
  return rate;
}

Estimate share_of_stored(const Estimate& rate, const Estimate& stored) {
  Estimate share = of_stored(rate, stored);
  share.interval.high = std::min(1.0, share.interval.high);
  return share;
}

}  // namespace

void keep_within_parts(std::vector<StrikeRates>& parts, StrikeRates& all) {
  const std::vector<Estimate*> shares = shares_of(all);
  for (std::size_t i = 0; i < shares.size() && all.strikes() > 0.0; ++i) {
    double high = 0.0;
    for (StrikeRates& part : parts) {
      high += part.in_fit(*shares_of(part)[i]).interval.high;
    }
    lower_to(high / all.strikes(), *shares[i]);
  }
}

void keep_within_all(StrikeRates& all, StrikeRates& part) {
  const std::vector<Estimate*> shares = shares_of(part), most = shares_of(all);
  for (std::size_t i = 0; i < shares.size() && part.strikes() > 0.0; ++i) {
    lower_to(all.in_fit(*most[i]).interval.high / part.strikes(), *shares[i]);
  }
}

double StrikeEstimator::fit_of(const GroupSelection& is_meant) const {
  double fit = 0.0;
  for (const StrikeGroup& group : population_.groups()) {
    fit += is_meant(group) ? group.fit : 0.0;
  }
  return fit;
}

// What a strike of one class comes to, where it can: a trial is a hit by what its cell held, or
// none.
Estimate StrikeEstimator::estimate(const GroupSelection& is_meant, const ChanceOf& chance_of,
                                   const HitsOf& hits) const {
  const StoredFactors& factors = tally_.factors();
  const double most = tally_.most_factor();
  const double fit = fit_of(is_meant);
  const bool is_divided = population_.is_stratified();  // else drawn by rate, from one stratum
  Strata strata;
  double unsampled = 0.0;
  std::int64_t n = 0;
  bool is_any_counted = false;  // that can come to it
  for (const StrikeGroup& group : population_.groups()) {
    if (!is_meant(group)) {
      continue;
    }
    const StrikeCounts& counts = tally_.of(group);
    const ByStored& found = hits(counts);
    n += counts.n;
    const Chance chance = chance_of(group);
    const bool is_counted = (chance.is_possible && chance.is_sampled) || total_of(found) > 0;
    if (chance.is_possible && !chance.is_sampled) {
      unsampled += is_divided ? most * group.fit / fit : 0.0;
    } else if (is_counted || !is_divided) {
      StratumShares& stratum = strata[is_divided ? group.of_class : 0];
      stratum.weight += most * group.fit / fit;
      stratum.part = group.structure;
      stratum.shares.add(0.0, counts.n - total_of(found));
      for (std::size_t i = 0; i < found.size(); ++i) {
        stratum.shares.add(factors[i] / most, found[i]);
      }
      is_any_counted = is_any_counted || is_counted;
    }
  }
  if (!is_any_counted) {
    return settled(unsampled, n);
  }
  const Estimate mean = mean_over(strata, confidence_);
  return {mean.value, {mean.interval.low, std::min(most, mean.interval.high + unsampled)}, n};
}

Estimate StrikeEstimator::estimate_of(Rate rate, const GroupSelection& is_meant) const {
  return estimate(
      is_meant, rate == Rate::kDue ? of_due : of_silent,
      [rate](const StrikeCounts& counts) -> const ByStored& { return counts.hits[rate]; });
}

// Of the detected errors of each group its own share, by their rates as estimated.
Estimate StrikeEstimator::false_of_due(const GroupSelection& is_meant) const {
  std::vector<StratumMean> means;
  std::int64_t n = 0;
  double all = 0.0;
  for (const StrikeGroup& group : population_.groups()) {
    const StrikeCounts& counts = tally_.of(group);
    const std::int64_t due = total_of(counts.hits[Rate::kDue]);
    if (!is_meant(group) || due == 0) {
      continue;
    }
    const std::int64_t hits = total_of(counts.false_due);
    const double weight =
        (population_.is_stratified() ? group.fit / static_cast<double>(counts.n) : 1.0) *
        static_cast<double>(due);
    means.push_back({weight, static_cast<double>(hits) / static_cast<double>(due),
                     interval_of_trials(hits, due, confidence_)});
    n += due;
    all += weight;
  }
  for (StratumMean& mean : means) {
    mean.weight /= all;
  }
  const Estimate mean = combined(means);
  return {mean.value, n > 0 ? mean.interval : Interval{}, n};
}

// Mean number of wrong inferences of one strike.
Estimate StrikeEstimator::wrong_inferences(const GroupSelection& is_meant) const {
  const auto most_of = [&](const StrikeGroup& group) {  // that one of these strikes causes
    return 1.0 + tally_.lasting(population_.structures()[group.structure]);
  };
  const double fit = fit_of(is_meant);
  double most = 0.0;
  for (const StrikeGroup& group : population_.groups()) {
    most = is_meant(group) ? std::max(most, most_of(group)) : most;
  }
  const bool goes_on = tally_.after_detection() == AfterDetection::kGoesOn;
  Strata strata;
  Shares pooled;
  double unsampled = 0.0;
  std::int64_t n = 0;
  for (const StrikeGroup& group : population_.groups()) {
    if (!is_meant(group)) {
      continue;
    }
    const StrikeCounts& counts = tally_.of(group);
    const double of_group = most_of(group);
    n += counts.n;
    for (const auto& [share, count] : counts.wrong.seen()) {
      pooled.add(share * of_group / most, count);
    }
    const Chance chance = goes_on ? of_wrong_on(group) : of_silent(group);
    if (chance.is_possible && !chance.is_sampled) {
      unsampled += group.fit / fit * of_group;
    } else if (chance.is_possible || counts.wrong.mean() > 0.0) {
      StratumShares& stratum = strata[group.of_class];
      stratum.weight += group.fit / fit * of_group;
      stratum.part = group.structure;
      stratum.shares.add(counts.wrong);
    }
  }
  if (strata.empty()) {
    return settled(unsampled, n).times(tally_.most_factor());
  }
  if (!population_.is_stratified()) {
    const Estimate mean{pooled.mean(), interval_of_shares(pooled, confidence_), n};
    return mean.times(most).times(tally_.most_factor());
  }
  const Estimate mean = mean_over(strata, confidence_);
  return Estimate{
      mean.value, {mean.interval.low, std::min(most, mean.interval.high + unsampled)}, n}
      .times(tally_.most_factor());
}

// The mean factor of strikes by what their cells hold, class by class: it does not depend on what
// ECC makes of them.
Estimate StrikeEstimator::stored_of(const GroupSelection& is_meant) const {
  const Estimate alike{1.0, {1.0, 1.0}};
  if (!population_.zero_to_one()) {
    return alike;
  }
  const StoredFactors& factors = tally_.factors();
  const auto [least, most] = std::ranges::minmax(factors);
  std::map<std::size_t, Shares> classes;
  Shares pooled;
  for (const StrikeGroup& group : population_.groups()) {
    const StrikeCounts& counts = tally_.of(group);
    for (std::size_t i = 0; is_meant(group) && i < counts.struck.size(); ++i) {
      if (counts.struck[i] > 0) {
        const double share = (factors[i] - least) / (most - least);
        classes[group.of_class].add(share, counts.struck[i]);
        pooled.add(share, counts.struck[i]);
      }
    }
  }
  if (classes.empty()) {
    return alike;
  }
  double all = 0.0;
  for (const auto& [of_class, shares] : classes) {
    all += population_.classes()[of_class].fit;
  }
  std::vector<StratumMean> means;
  for (const auto& [of_class, shares] : classes) {
    means.push_back({population_.classes()[of_class].fit / all, shares.mean(),
                     interval_of_shares(shares, confidence_)});
  }
  const Estimate mean = population_.is_stratified()
                            ? combined(means)
                            : Estimate{pooled.mean(), interval_of_shares(pooled, confidence_)};
  const auto factor = [&](double share) { return least + share * (most - least); };
  return {factor(mean.value), {factor(mean.interval.low), factor(mean.interval.high)}, pooled.n()};
}

StrikeRates StrikeEstimator::rates_of(const GroupSelection& is_meant) const {
  StrikeRates rates;
  for (const Rate rate : kRates) {
    rates.avf[rate] = estimate_of(rate, is_meant);
  }
  const auto of = [&](ByStored StrikeCounts::*member, const ChanceOf& chance_of) {
    return estimate(is_meant, chance_of, [member](const StrikeCounts& counts) -> const ByStored& {
      return counts.*member;
    });
  };
  const bool goes_on = tally_.after_detection() == AfterDetection::kGoesOn;
  rates.activated = of(&StrikeCounts::activated, of_any);
  rates.false_due = of(&StrikeCounts::false_due, of_due);
  rates.wrong_on = of(&StrikeCounts::wrong_on, of_wrong_on);
  rates.wrong_event = of(&StrikeCounts::wrong_events, goes_on ? of_wrong_on : of_silent);
  rates.due_event = of(&StrikeCounts::due_events, of_due);
  rates.false_of_due = false_of_due(is_meant);
  rates.stored = stored_of(is_meant);
  rates.activated = share_of_stored(rates.activated, rates.stored);
  for (Estimate* rate : shares_of(rates)) {
    *rate = share_of_stored(*rate, rates.stored);
  }
  rates.wrong_inferences = of_stored(wrong_inferences(is_meant), rates.stored);
  for (const StrikeGroup& group : population_.groups()) {
    if (is_meant(group)) {
      rates.trials += tally_.of(group).n;
      double& part = group.radiation == sim::Radiation::kNeutron ? rates.fit.neutron
                     : group.radiation == sim::Radiation::kAlpha ? rates.fit.alpha
                                                                 : rates.fit.thermal;
      part += group.fit;
    }
  }
  return rates;
}

Estimate StrikeEstimator::rate_of(Rate rate) const {
  return share_of_stored(estimate_of(rate, is_any_group), stored_of(is_any_group));
}

}  // namespace tilestrike::campaigns

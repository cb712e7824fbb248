// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/report/memory_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "campaigns/statistics/stratified.h"

namespace tilestrike::campaigns {
namespace {

constexpr double kSecondsPerHour = 3600.0;

std::int64_t total_of(const ByStored& counts) { return counts[0] + counts[1] + counts[2]; }

/// Whether an outcome can come of a group, and whether it is sampled there.
struct Chance {
  bool is_possible = true;
  bool is_sampled = true;
};
Chance of_silent(const StrikeGroup& group) {
  return {group.can_be_silent, group.is_silent_sampled};
}
Chance of_wrong_on(const StrikeGroup& group) {
  return {group.can_be_silent || group.can_be_due, group.is_silent_sampled || group.is_due_sampled};
}
Chance of_due(const StrikeGroup& group) { return {group.can_be_due, group.is_due_sampled}; }

/// Over strata that are known by their classes.
Estimate mean_over(const std::map<std::size_t, StratumShares>& classes, double confidence) {
  std::vector<StratumShares> strata;
  for (const auto& [of_class, stratum] : classes) {
    strata.push_back(stratum);
  }
  return stratified_mean(strata, confidence);
}

/// What the rates are computed from.
std::vector<StrikeInput> inputs_of(const MemoryPopulation& population) {
  const sim::TechnologyNode& node = population.node();
  const ParticleConfig& particle = population.particle();
  const bool has_memory = std::ranges::any_of(
      population.structures(), [](const Structure& each) { return each.memory.has_value(); });
  const bool has_mesh = std::ranges::any_of(population.structures(),
                                            [](const Structure& each) { return !each.memory; });
  const auto is_struck_by = [&](sim::Radiation radiation) {
    return particle.radiation.value_or(radiation) == radiation;
  };
  std::vector<StrikeInput> inputs;
  const auto add = [&](const char* name, const char* unit, const Sourced& value) {
    if (is_known(value)) {  // else it is not modelled
      inputs.push_back({name, unit, value});
    }
  };
  const auto said = [&](const char* name, const char* unit, double value) {
    inputs.push_back({name, unit, {value, "A:the scenario", Provenance::kAssumed}});
  };
  if (has_memory && is_struck_by(sim::Radiation::kNeutron)) {
    add("neutron rate", "FIT/Mbit", node.neutron_rate);
    inputs.push_back(
        {"cells of an event on average (the rate counts events)",
         "",
         {node.mean_cells.value, node.rate_counts.source, node.rate_counts.provenance}});
    add("several cells, of neutron events", "", node.multi_cell_share);
    add("ratio of n + 1 to n cells", "", node.tail_ratio);
    add("most cells", "", node.most_cells);
  }
  if (has_memory && is_struck_by(sim::Radiation::kAlpha)) {
    add("alpha rate", "FIT/Mbit", node.alpha_rate);
    add("several cells, of alpha events", "", node.alpha_multi_cell_share);
  }
  if (has_memory && is_struck_by(sim::Radiation::kThermal)) {
    add("thermal rate", "FIT/Mbit", node.thermal_rate);
  }
  if (has_memory) {
    add("growth along the word line", "", node.word_line_share);
    add("rows between well taps", "rows", node.tap_rows);
  }
  if (population.zero_to_one()) {
    add("events of cells that hold 0 over 1", "", node.zero_to_one);
  }
  if (has_mesh && is_struck_by(sim::Radiation::kNeutron)) {
    add("neutron rate of flip-flops", "FIT/Mbit", node.flip_flop_neutron_rate);
  }
  if (has_mesh && is_struck_by(sim::Radiation::kAlpha)) {
    add("alpha rate of flip-flops", "FIT/Mbit", node.flip_flop_alpha_rate);
  }
  if (has_mesh && is_struck_by(sim::Radiation::kThermal)) {
    add("thermal rate of flip-flops", "FIT/Mbit", node.flip_flop_thermal_rate);
  }
  const sim::Surroundings surroundings = surroundings_of(particle);
  const auto factor = [&](const char* name, double value, const char* source) {
    if (value != 1.0) {
      inputs.push_back({name, "", {value, source, *provenance_of(source)}});
    }
  };
  factor("neutron flux over sea level's", sim::altitude_factor(surroundings.altitude_m),
         sim::kAltitudeSource);
  factor("neutron flux over the reference's rigidity and sun", sim::place_factor(surroundings),
         sim::kPlaceSource);
  factor("thermal neutron flux over the reference's", surroundings.thermal_flux, "A:the scenario");
  if (particle.voltage > 0.0) {
    said("voltage", "V", particle.voltage);
    if (particle.rate_per_volt) {
      said("e-folds of all rates per volt below that of the node", "1/V", *particle.rate_per_volt);
    }
    add("logit of several cells per volt", "1/V", node.share_logit_per_volt);
    add("voltage of the node", "V", node.vdd);
  }
  if (particle.heavy_tail > 0.0) {
    said("heavy tail, of neutron events", "", particle.heavy_tail);
  }
  return inputs;
}

}  // namespace

std::vector<std::string> not_modelled_of(const MemoryPopulation& population) {
  std::vector<std::string> names = {"combinational logic",
                                    "DMA engines",
                                    "the sequencer",
                                    "the vector unit",
                                    "biases and requantisation constants (registers)",
                                    "clock and reset trees",
                                    "off-chip memory"};
  const bool has_mesh = std::ranges::any_of(population.structures(),
                                            [](const Structure& each) { return !each.memory; });
  if (has_mesh) {
    names.emplace_back(kLatchWindows);
  } else {
    names.emplace_back("registers of the mesh (add 'mesh: {}' to 'where')");
  }
  if (population.node().zero_to_one.value != 1.0 && !population.zero_to_one()) {
    names.push_back(fmt::format("stored values (a 0 is {:g} times as sensitive as a 1: {})",
                                population.node().zero_to_one.value,
                                population.node().zero_to_one.source));
  }
  const bool has_memory = std::ranges::any_of(
      population.structures(), [](const Structure& each) { return each.memory.has_value(); });
  for (std::string& unknown : sim::unknown_rates(population.node(), has_mesh, has_memory)) {
    names.push_back(std::move(unknown));
  }
  return names;
}

namespace {

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

/// What all structures come to is at most what they come to one by one.
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

/// ... and a part at most what all come to.
void keep_within_all(StrikeRates& all, StrikeRates& part) {
  const std::vector<Estimate*> shares = shares_of(part), most = shares_of(all);
  for (std::size_t i = 0; i < shares.size() && part.strikes() > 0.0; ++i) {
    lower_to(all.in_fit(*most[i]).interval.high / part.strikes(), *shares[i]);
  }
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

double later_inferences(const Scenario& scenario, Cycle cycles) {
  if (scenario.accelerator.schedule.weights != bridge::WeightReload::kAtBoot) {
    return 0.0;
  }
  const double period = static_cast<double>(cycles) / (scenario.accelerator.clock_mhz * 1e6);
  // A strike comes at any time between two loads: on average half of it is left.
  return scenario.strike.particle.residence_hours * kSecondsPerHour / period / 2.0;
}

StrikeTallies::StrikeTallies(const MemoryPopulation& population, double later_inferences,
                             AfterDetection after_detection)
    : population_(&population),
      later_inferences_(later_inferences),
      after_detection_(after_detection) {
  if (const std::optional<double> ratio = population.zero_to_one()) {
    factors_ = {sim::stored_value_weight(*ratio, false), sim::stored_value_weight(*ratio, true),
                1.0};
  }
}

double StrikeTallies::most_factor() const { return *std::ranges::max_element(factors_); }

/// Inferences that a strike on a structure can reach beyond its own.
double StrikeTallies::lasting(const Structure& structure) const {
  return structure.outlives ? later_inferences_ : 0.0;
}

void StrikeTallies::add(const StrikeSeen& seen) {
  const std::vector<Structure>& structures = population_->structures();
  const auto structure = std::ranges::find(structures, seen.structure, &Structure::name);
  TS_CHECK(structure != structures.end(), "a structure of the population");
  const std::string key =
      std::to_string(structure - structures.begin()) + " " + seen.radiation + " " + seen.stratum;
  StrikeTally& tally = tallies_[key];
  const std::size_t stored = !seen.stored ? 2 : *seen.stored ? 1 : 0;
  const auto count = [&](ByStored& counts, bool is_hit) { counts[stored] += is_hit ? 1 : 0; };
  ++tally.n;
  count(tally.struck, true);
  count(tally.activated, seen.is_activated);
  for (const Rate rate : kRates) {
    count(tally.hits[rate], seen.is[rate]);
  }
  const bool is_wrong = after_detection_ == AfterDetection::kGoesOn
                            ? seen.is_wrong_on
                            : seen.is[Rate::kSdc] || seen.is[Rate::kNonfinite];
  const double later = lasting(*structure);
  count(tally.false_due, seen.is_false_due);
  count(tally.wrong_on, seen.is_wrong_on);
  count(tally.wrong_events, is_wrong || seen.later_wrong > 0.0);
  count(tally.due_events, seen.is[Rate::kDue] || seen.later_due > 0.0);
  tally.wrong.add(factors_[stored] / most_factor() *
                  ((is_wrong ? 1.0 : 0.0) + later * seen.later_wrong) / (1.0 + later));
}

const StrikeTally& StrikeTallies::tally_of(const StrikeGroup& group) const {
  static const StrikeTally none;
  const auto found = tallies_.find(group.key());
  return found == tallies_.end() ? none : found->second;
}

// What a strike of one class comes to, where it can: a trial is a hit by what its cell held, or
// none. Groups of a class in which it can are one stratum, for the trials fall into them by their
// rates.
template <class IsMeant, class ChanceOf, class HitsOf>
Estimate StrikeTallies::estimate(const IsMeant& is_meant, const ChanceOf& chance_of,
                                 const HitsOf& hits, double confidence) const {
  const double most = most_factor();
  double fit = 0.0;
  for (const StrikeGroup& group : population_->groups()) {
    fit += is_meant(group) ? group.fit : 0.0;
  }
  std::map<std::size_t, StratumShares> strata;
  double unsampled = 0.0;
  Estimate rate;
  bool is_any_counted = false;                           // that can come to it
  const bool is_divided = population_->is_stratified();  // else drawn by rate, from one stratum
  for (const StrikeGroup& group : population_->groups()) {
    if (!is_meant(group)) {
      continue;
    }
    const StrikeTally& tally = tally_of(group);
    const ByStored& found = hits(tally);
    rate.n += tally.n;
    const Chance chance = chance_of(group);
    const bool is_counted = (chance.is_possible && chance.is_sampled) || total_of(found) > 0;
    if (chance.is_possible && !chance.is_sampled) {
      unsampled += is_divided ? most * group.fit / fit : 0.0;
    } else if (is_counted || !is_divided) {
      StratumShares& stratum = strata[is_divided ? group.of_class : 0];
      stratum.weight += most * group.fit / fit;
      stratum.part = group.structure;
      stratum.shares.add(0.0, tally.n - total_of(found));
      for (std::size_t i = 0; i < found.size(); ++i) {
        stratum.shares.add(factors_[i] / most, found[i]);
      }
      is_any_counted = is_any_counted || is_counted;
    }
  }
  if (!is_any_counted) {
    rate.basis = unsampled > 0.0 ? Basis::kEnumerated : Basis::kImpossible;
    rate.interval = {0.0, unsampled};
    return rate;
  }
  const Estimate estimate = mean_over(strata, confidence);
  rate.value = estimate.value;
  rate.interval = {estimate.interval.low, std::min(most, estimate.interval.high + unsampled)};
  return rate;
}

// Of the detected errors of each group its own share, by their rates as estimated.
template <class IsMeant>
Estimate StrikeTallies::false_of_due(const IsMeant& is_meant, double confidence) const {
  std::vector<StratumMean> means;
  Estimate rate;
  double all = 0.0;
  for (const StrikeGroup& group : population_->groups()) {
    const StrikeTally& tally = tally_of(group);
    const std::int64_t due = total_of(tally.hits[Rate::kDue]);
    if (!is_meant(group) || due == 0) {
      continue;
    }
    const std::int64_t hits = total_of(tally.false_due);
    const double weight =
        (population_->is_stratified() ? group.fit / static_cast<double>(tally.n) : 1.0) *
        static_cast<double>(due);
    means.push_back({weight, static_cast<double>(hits) / static_cast<double>(due),
                     interval_of_trials(hits, due, confidence)});
    rate.n += due;
    all += weight;
  }
  for (StratumMean& mean : means) {
    mean.weight /= all;
  }
  const Estimate estimate = combined(means);
  rate.value = estimate.value;
  rate.interval = rate.n > 0 ? estimate.interval : Interval{};
  return rate;
}

/// Mean number of wrong inferences of one strike.
template <class IsMeant>
Estimate StrikeTallies::wrong_inferences(const IsMeant& is_meant, double confidence) const {
  double fit = 0.0, unsampled = 0.0, most = 0.0;
  for (const StrikeGroup& group : population_->groups()) {
    if (is_meant(group)) {
      fit += group.fit;
      most = std::max(most, 1.0 + lasting(population_->structures()[group.structure]));
    }
  }
  Estimate rate;
  Shares pooled;
  std::map<std::size_t, StratumShares> strata;
  for (const StrikeGroup& group : population_->groups()) {
    if (!is_meant(group)) {
      continue;
    }
    const StrikeTally& tally = tally_of(group);
    const double of_group =
        1.0 +
        lasting(population_
                    ->structures()[group.structure]);  // the most that one of these strikes causes
    rate.n += tally.n;
    for (const auto& [share, count] : tally.wrong.seen()) {
      pooled.add(share * of_group / most, count);
    }
    const Chance chance =
        after_detection_ == AfterDetection::kGoesOn ? of_wrong_on(group) : of_silent(group);
    if (chance.is_possible && !chance.is_sampled) {
      unsampled += group.fit / fit * of_group;
    } else if (chance.is_possible || tally.wrong.mean() > 0.0) {
      StratumShares& stratum = strata[group.of_class];
      stratum.weight += group.fit / fit * of_group;
      stratum.part = group.structure;
      stratum.shares.add(tally.wrong);
    }
  }
  if (strata.empty()) {
    rate.basis = unsampled > 0.0 ? Basis::kEnumerated : Basis::kImpossible;
    rate.interval = {0.0, unsampled};
  } else if (population_->is_stratified()) {
    const Estimate estimate = mean_over(strata, confidence);
    rate.value = estimate.value;
    rate.interval = {estimate.interval.low, std::min(most, estimate.interval.high + unsampled)};
  } else {
    rate = Estimate{pooled.mean(), interval_of_shares(pooled, confidence), rate.n}.times(most);
  }
  return rate.times(most_factor());
}

/// The mean factor of strikes by what their cells hold, class by class: it does not depend on what
/// ECC makes of them.
template <class IsMeant>
Estimate StrikeTallies::stored_of(const IsMeant& is_meant, double confidence) const {
  Estimate rate{1.0, {1.0, 1.0}};
  if (!population_->zero_to_one()) {
    return rate;
  }
  const auto [least, most] = std::ranges::minmax(factors_);
  std::map<std::size_t, Shares> classes;
  Shares pooled;
  for (const StrikeGroup& group : population_->groups()) {
    const StrikeTally& tally = tally_of(group);
    for (std::size_t i = 0; is_meant(group) && i < tally.struck.size(); ++i) {
      if (tally.struck[i] > 0) {
        const double share = (factors_[i] - least) / (most - least);
        classes[group.of_class].add(share, tally.struck[i]);
        pooled.add(share, tally.struck[i]);
      }
    }
  }
  if (classes.empty()) {
    return rate;
  }
  double all = 0.0;
  for (const auto& [of_class, shares] : classes) {
    all += population_->classes()[of_class].fit;
  }
  std::vector<StratumMean> means;
  for (const auto& [of_class, shares] : classes) {
    means.push_back({population_->classes()[of_class].fit / all, shares.mean(),
                     interval_of_shares(shares, confidence)});
  }
  const Estimate estimate = population_->is_stratified()
                                ? combined(means)
                                : Estimate{pooled.mean(), interval_of_shares(pooled, confidence)};
  const auto factor = [&](double share) { return least + share * (most - least); };
  return {factor(estimate.value),
          {factor(estimate.interval.low), factor(estimate.interval.high)},
          pooled.n()};
}

template <class IsMeant>
Estimate StrikeTallies::estimate_of(Rate rate, const IsMeant& is_meant, double confidence) const {
  const auto hits = [rate](const StrikeTally& tally) -> const ByStored& {
    return tally.hits[rate];
  };
  return estimate(is_meant, rate == Rate::kDue ? of_due : of_silent, hits, confidence);
}

template <class IsMeant>
StrikeRates StrikeTallies::rates_of(const IsMeant& is_meant, double confidence) const {
  StrikeRates rates;
  const auto always = [](const StrikeGroup& group) { return Chance{true, group.is_sampled}; };
  for (const Rate rate : kRates) {
    rates.avf[rate] = estimate_of(rate, is_meant, confidence);
  }
  const auto of = [&](ByStored StrikeTally::*member, const auto& chance_of) {
    const auto hits = [member](const StrikeTally& t) -> const ByStored& { return t.*member; };
    return estimate(is_meant, chance_of, hits, confidence);
  };
  rates.activated = of(&StrikeTally::activated, always);
  rates.false_due = of(&StrikeTally::false_due, of_due);
  rates.wrong_on = of(&StrikeTally::wrong_on, of_wrong_on);
  rates.wrong_event = after_detection_ == AfterDetection::kGoesOn
                          ? of(&StrikeTally::wrong_events, of_wrong_on)
                          : of(&StrikeTally::wrong_events, of_silent);
  rates.due_event = of(&StrikeTally::due_events, of_due);
  rates.false_of_due = false_of_due(is_meant, confidence);
  rates.stored = stored_of(is_meant, confidence);
  rates.activated = share_of_stored(rates.activated, rates.stored);
  for (Estimate* rate : shares_of(rates)) {
    *rate = share_of_stored(*rate, rates.stored);
  }
  rates.wrong_inferences = of_stored(wrong_inferences(is_meant, confidence), rates.stored);
  for (const StrikeGroup& group : population_->groups()) {
    if (is_meant(group)) {
      rates.trials += tally_of(group).n;
      double& part = group.radiation == sim::Radiation::kNeutron ? rates.fit.neutron
                     : group.radiation == sim::Radiation::kAlpha ? rates.fit.alpha
                                                                 : rates.fit.thermal;
      part += group.fit;
    }
  }
  return rates;
}

Estimate StrikeTallies::rate_of(Rate rate, double confidence) const {
  const auto all = [](const StrikeGroup&) { return true; };
  return share_of_stored(estimate_of(rate, all, confidence), stored_of(all, confidence));
}

StrikeSummary StrikeTallies::summary(double confidence) const {
  StrikeSummary summary;
  const MemoryPopulation& population = *population_;
  summary.is_stratified = population.is_stratified();
  summary.confidence = confidence;
  summary.node = population.node().name;
  summary.altitude = population.particle().altitude;
  summary.later_inferences = later_inferences_;
  summary.inputs = inputs_of(population);
  summary.not_modelled = not_modelled_of(population);
  summary.all = rates_of([](const StrikeGroup&) { return true; }, confidence);
  summary.all.name = "all";
  summary.after_detection = after_detection_;
  if (population.zero_to_one()) {
    summary.stored_values = {factors_};
  }
  MemoryPopulation::Enumerated enumerated;
  bool is_enumerated = true;
  for (std::size_t i = 0; i < population.structures().size(); ++i) {
    const Structure& structure = population.structures()[i];
    summary.structures.push_back(
        rates_of([i](const StrikeGroup& group) { return group.structure == i; }, confidence));
    StrikeRates& rates = summary.structures.back();
    rates.name = structure.name;
    rates.cells = structure.cells;
    const sim::TechnologyNode& known = population.node();
    rates.is_known = structure.memory
                         ? std::array{is_known(known.neutron_rate), is_known(known.alpha_rate),
                                      is_known(known.thermal_rate)}
                         : std::array{is_known(known.flip_flop_neutron_rate),
                                      is_known(known.flip_flop_alpha_rate),
                                      is_known(known.flip_flop_thermal_rate)};
    rates.enumerated = population.enumerated(i);
    if (rates.enumerated) {  // if all that counts hits the more sensitive cells
      for (double* fit : {&rates.enumerated->silent, &rates.enumerated->due}) {
        *fit = std::min(*fit * most_factor(), rates.strikes());
      }
    }
    is_enumerated = is_enumerated && rates.enumerated;
    enumerated.silent += rates.enumerated ? rates.enumerated->silent : 0.0;
    enumerated.due += rates.enumerated ? rates.enumerated->due : 0.0;
    summary.all.cells += structure.cells;
  }
  if (is_enumerated) {
    summary.all.enumerated = enumerated;
  }
  keep_within_parts(summary.structures, summary.all);
  for (const sim::Radiation radiation : kRadiations) {
    const auto is_meant = [radiation](const StrikeGroup& group) {
      return group.radiation == radiation;
    };
    if (std::ranges::any_of(population.groups(), is_meant)) {
      summary.radiations.push_back(rates_of(is_meant, confidence));
      keep_within_all(summary.all, summary.radiations.back());
      summary.radiations.back().name = std::string(name_of(radiation));
    }
  }
  const sim::TechnologyNode& node = population.node();
  const double middle = node.neutron_rate.value;
  const double stored = summary.all.stored.value;
  const double others = summary.all.fit.alpha + summary.all.fit.thermal;
  const auto at_edge = [&](double edge) {  // flip-flops have no band of their own: the same
    return stored * (middle > 0.0 ? summary.all.fit.neutron * edge / middle + others : others);
  };
  summary.fit_low = at_edge(node.neutron_low.value);
  summary.fit_high = at_edge(node.neutron_high.value);
  for (const StrikeGroup& group : population.groups()) {
    const std::string name = population.structures()[group.structure].name + " " +
                             std::string(name_of(group.radiation)) + " " +
                             population.classes()[group.of_class].text();
    if (group.can_be_silent) {
      summary.silent_classes.insert(name);
    }
    if (group.can_be_due) {
      summary.due_classes.insert(name);
    }
    const StrikeTally& tally = tally_of(group);
    const bool is_silent =
        total_of(tally.hits[Rate::kSdc]) + total_of(tally.hits[Rate::kNonfinite]) > 0;
    if ((is_silent && !group.can_be_silent) ||
        (total_of(tally.hits[Rate::kDue]) > 0 && !group.can_be_due)) {
      summary.warnings.push_back(fmt::format(
          "{}: strikes of the stratum '{}' ended as {}, which reading their codewords cannot come "
          "to; their rate is in the totals",
          population.structures()[group.structure].name, group.text,
          is_silent && !group.can_be_silent ? "silent errors" : "due"));
    }
  }
  return summary;
}

}  // namespace tilestrike::campaigns

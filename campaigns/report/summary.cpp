// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/report/summary.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "campaigns/plan/title.h"
#include "campaigns/scenario/judge_fields.h"

namespace tilestrike::campaigns {
namespace {

double period_seconds(const SummaryFacts& facts) {
  return static_cast<double>(facts.plan->cycles()) / (facts.scenario->accelerator.clock_mhz * 1e6);
}

/// None where members are counted through: each of them is a trial.
Weights weights_of(const SummaryFacts& facts, const Among& which) {
  return facts.plan->is_census() ? Weights() : facts.plan->population().strata_among(which);
}

/// Groups in the order of `order`, those without a trial too, then whatever else was seen.
std::vector<Group> groups_of(const std::map<std::string, TrialCounts>& counts,
                             const std::vector<std::string>& order, const Estimator& estimator,
                             const std::function<Weights(const std::string&)>& weights) {
  static const TrialCounts none;
  std::vector<Group> groups;
  for (const std::string& name : order) {
    const auto found = counts.find(name);
    groups.push_back(
        estimator.group(name, found == counts.end() ? none : found->second, weights(name)));
  }
  for (const auto& [name, each] : counts) {
    if (std::ranges::find(order, name) == order.end()) {
      groups.push_back(estimator.group(name, each, weights(name)));
    }
  }
  return groups;
}

/// What the trials are, before any is looked at.
Summary summary_of(const SummaryFacts& facts) {
  const Plan& plan = *facts.plan;
  const Population& population = plan.population();
  const bridge::GoldenReport& golden = facts.study->golden;
  Summary summary;
  summary.label = facts.label;
  summary.title = title_of(*facts.scenario, plan);
  summary.population = plan.population_text();
  summary.unit = plan.is_persistent() ? "fault" : "trial";
  summary.confidence = facts.scenario->confidence();
  summary.planned = plan.trials();
  summary.images = golden.images;
  summary.judge = facts.scenario->judge;
  summary.metric = golden.metric;
  summary.golden_score = golden.score;
  summary.golden_score_struck = golden.score;
  summary.answer_numbers = facts.study->answer_numbers;
  summary.device = golden.device;
  summary.warnings = golden.warnings;
  summary.not_modelled = population.not_modelled();
  summary.weight = plan.weight();
  summary.expected_faults = population.expected();
  summary.is_of_events = population.expects_events();
  summary.are_chips = population.are_trials_chips();
  summary.device_fit = population.device_fit();
  summary.inputs = population.inputs();
  const std::vector<std::string> own = population.warnings();
  summary.warnings.insert(summary.warnings.end(), own.begin(), own.end());
  summary.headings = population.headings();
  summary.per_parameter = population.expected_per_word();
  summary.is_list = population.is_list();
  if (summary.per_parameter) {
    summary.coverage = coverage_of(population.selected(), *facts.study);
  }
  if (summary.per_parameter && !plan.is_census()) {
    summary.strata = population.strata();
  }
  return summary;
}

/// What the rates rest on beside the node and its particles.
void add_scenario_inputs(const Scenario& scenario, const ParticlePopulation& population,
                         StrikeSummary& strikes) {
  const auto said = [&](const char* name, const char* unit, double value) {
    strikes.inputs.push_back({name, unit, {value, "A:the scenario", Provenance::kAssumed}});
  };
  said("clock", "MHz", scenario.accelerator.clock_mhz);
  const auto outlives = [](const Structure& structure) { return structure.outlives; };
  if (std::ranges::any_of(population.structures(), outlives)) {
    said("residence of weights that stay", "hours", scenario.strike.particle.residence_hours);
  }
}

/// Each trial one particle: rates are those of its structure and stratum.
void add_strikes(const StrikeTally& tally, const SummaryFacts& facts, Summary& summary) {
  const ParticlePopulation& population = tally.population();
  StrikeSummary& strikes = summary.strikes.emplace(strike_summary(tally, summary.confidence));
  strikes.period_seconds = period_seconds(facts);
  std::vector<double> stored;
  for (const StrikeRates& rates : strikes.structures) {
    stored.push_back(rates.stored.value);
  }
  strikes.accumulated =
      accumulated_rates(population, *facts.scenario, strikes.period_seconds, stored);
  strikes.bands = bands_of(population);
  add_scenario_inputs(*facts.scenario, population, strikes);
  summary.not_modelled = strikes.not_modelled;
  summary.all.activated = strikes.all.activated;
  summary.all.rates = strikes.all.avf;
  summary.all.rates_of_activated = {};  // of strata it would say nothing
}

void add_groups(const Tally& tally, const Estimator& estimator, const SummaryFacts& facts,
                Summary& summary) {
  std::vector<std::string> struck_layers;
  for (const bridge::LayerSummary& layer : facts.study->layers) {
    if (tally.layers().contains(layer.name)) {
      struck_layers.push_back(layer.name);
    }
  }
  summary.registers =
      groups_of(tally.parts(), facts.plan->population().parts(), estimator,
                [&](const std::string& name) { return weights_of(facts, {.part = name}); });
  summary.layers =
      groups_of(tally.layers(), struck_layers, estimator,
                [&](const std::string& name) { return weights_of(facts, {.layer = name}); });
}

/// Of the golden answers, each image as often as it is struck.
std::optional<double> golden_score_struck(const SummaryFacts& facts, const bridge::Metric& metric) {
  const StrikeTimes& times = facts.plan->population().times();
  const std::optional<double>& alike = facts.study->golden.score;
  if (!alike || !times.is_by_image() || facts.plan->is_persistent() || !metric.is_mean ||
      facts.study->golden_scores.empty()) {
    return alike;
  }
  double sum = 0.0, weight = 0.0;
  for (ImageId image(0); image.value < facts.study->images; ++image.value) {
    const auto& score = facts.study->golden_scores[static_cast<std::size_t>(image.value)];
    const auto cycles = static_cast<double>(times.cycles_of(image));
    sum += score ? cycles * *score : 0.0;
    weight += score ? cycles : 0.0;
  }
  return weight > 0.0 ? sum / weight : *alike;
}

/// Of the metric, and of how much of the answers differs.
void add_score(const Tally& tally, const Estimator& estimator, const SummaryFacts& facts,
               Summary& summary) {
  const Weights weights = weights_of(facts, {});
  if (summary.golden_score) {
    summary.golden_score_struck = golden_score_struck(facts, summary.metric);
    summary.score =
        estimator.score(tally.all(), weights, summary.metric, *summary.golden_score_struck);
  }
  if (facts.study->has_parts) {
    summary.differing = estimator.differing(tally.all(), weights);
  }
}

/// What `until` asks for and all of the trials have not brought.
std::vector<std::string> unmet(const Summary& summary, const std::optional<Until>& until) {
  std::vector<std::string> names;
  if (!until || summary.counted < summary.planned) {
    return names;
  }
  for (const Rate rate : kRates) {
    const Estimate& found = summary.all.rates[rate];
    if (std::ranges::find(until->of, rate) != until->of.end() && !found.is_settled() &&
        !is_precise(found.value, found.interval, until->relative, until->half_width)) {
      names.push_back(name_of(rate));
    }
  }
  return names;
}

/// Rates that the judge's answers do not have are not 0, but unknown.
void forget_missing(Summary& summary) {
  const auto forget = [&](RateArray<Estimate>& rates) {
    for (const Rate rate : kRates) {
      if (meaning_of(rate, summary.judge).empty()) {
        rates[rate] = Estimate();
      }
    }
  };
  const auto forget_in = [&](Group& group) {
    forget(group.rates);
    forget(group.rates_of_activated);
  };
  forget_in(summary.all);
  std::ranges::for_each(summary.registers, forget_in);
  std::ranges::for_each(summary.layers, forget_in);
  if (summary.strikes) {
    forget(summary.strikes->all.avf);
    for (auto* parts : {&summary.strikes->structures, &summary.strikes->radiations}) {
      for (StrikeRates& rates : *parts) {
        forget(rates.avf);
      }
    }
  }
}

}  // namespace

Tally empty_tally(const SummaryFacts& facts) {
  const Population& population = facts.plan->population();
  TallyRules rules;
  rules.is_persistent = facts.plan->is_persistent();
  rules.is_by_structure = population.are_parts_structures();
  if (const ParticlePopulation* particles = population.single_particles()) {
    rules.strikes.emplace(*particles, later_inferences(*facts.scenario, facts.plan->cycles()),
                          after_detection(facts.scenario->accelerator));
  }
  return Tally(rules);
}

Summary summarise(const Results& results, std::int64_t scenario, const SummaryFacts& facts,
                  Tally tally) {
  count_up_to(std::numeric_limits<std::int64_t>::max(), results, scenario, tally);
  Summary summary = summary_of(facts);
  summary.counted = tally.trials();
  summary.kept = results.count(scenario) - summary.counted;
  summary.activated = tally.all().activated;
  summary.is_census = facts.plan->is_census() && summary.counted >= summary.planned;
  const Estimator estimator(*facts.plan, summary.confidence, summary.is_census);
  summary.all = estimator.group("all", tally.all(), weights_of(facts, {}));
  summary.mean_faults = tally.all().mean_faults();
  if (tally.strikes()) {
    add_strikes(*tally.strikes(), facts, summary);
  } else {
    add_score(tally, estimator, facts, summary);
    if (facts.plan->population().is_told_by_part(summary.mean_faults)) {
      add_groups(tally, estimator, facts, summary);
    }
  }
  if (facts.scenario->audit > 0.0) {
    summary.audit = audit_of(results, scenario, summary.confidence);
  }
  summary.unmet = unmet(summary, facts.scenario->until);
  forget_missing(summary);
  return summary;
}

Estimate rate_of(const Tally& tally, const SummaryFacts& facts, Rate rate) {
  const double confidence = facts.scenario->confidence();
  if (tally.strikes()) {
    return StrikeEstimator(*tally.strikes(), confidence).rate_of(rate);
  }
  return Estimator(*facts.plan, confidence, false).of_all(tally.all(), weights_of(facts, {}), rate);
}

}  // namespace tilestrike::campaigns

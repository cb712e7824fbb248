// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/report/summary.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "campaigns/plan/title.h"
#include "campaigns/report/not_modelled.h"

namespace tilestrike::campaigns {
namespace {

double period_seconds(const SummaryFacts& facts) {
  return static_cast<double>(facts.plan->cycles()) / (facts.scenario->accelerator.clock_mhz * 1e6);
}

/// Whether a trial strikes several parts of the population, and so belongs to none of them.
bool strikes_several(const SummaryFacts& facts, double mean_faults) {
  const MemoryPopulation* memories = facts.plan->memories();
  if (memories != nullptr && memories->fluence() > 0.0) {
    return true;
  }
  const bool is_scattered = memories != nullptr
                                ? facts.scenario->strike.process == Process::kUniform
                                : facts.plan->tensors() != nullptr;
  return is_scattered && mean_faults != 1.0;
}

/// The strata of the trials that strike stores of which `is_meant` is true.
Weights weights_of(const SummaryFacts& facts,
                   const std::function<bool(const TensorStore&)>& is_meant) {
  const TensorPopulation* tensors = facts.plan->tensors();
  if (tensors == nullptr || tensors->strata().empty() || facts.plan->is_census()) {
    return {};
  }
  std::vector<StoreId> stores;
  for (std::size_t i = 0; i < facts.study->stores.size(); ++i) {
    if (is_meant(facts.study->stores[i])) {
      stores.emplace_back(static_cast<std::uint32_t>(i));
    }
  }
  const std::vector<double> shares = tensors->stratum_weights(stores);
  Weights weights;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] > 0.0) {
      weights.emplace_back(tensors->strata()[i].name, shares[i]);
    }
  }
  return weights;
}

Weights all_weights(const SummaryFacts& facts) {
  return weights_of(facts, [](const TensorStore&) { return true; });
}

/// What the population consists of, in order: registers, tensors or memories.
std::vector<std::string> parts_of(const SummaryFacts& facts) {
  std::vector<std::string> names;
  if (const TensorPopulation* tensors = facts.plan->tensors()) {
    for (const StoreId store : tensors->selected()) {
      names.push_back(facts.study->stores[store.value].name);
    }
  } else if (const MemoryPopulation* memories = facts.plan->memories()) {
    if (memories->strikes_several()) {
      return {memories->structure_name({})};
    }
    for (const Structure& structure : memories->structures()) {
      names.push_back(structure.name);
    }
  } else {
    std::vector<bool> is_struck(facts.study->sites.blocks().size());
    for (const SiteId site : facts.plan->struck_sites()) {
      is_struck[static_cast<std::size_t>(facts.study->sites.describe(site).kind)] = true;
    }
    for (const sim::RegisterBlock& block : facts.study->sites.blocks()) {
      if (is_struck[static_cast<std::size_t>(block.kind)]) {
        names.push_back(block.name);
      }
    }
  }
  return names;
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
  const bridge::GoldenReport& golden = facts.study->golden;
  Summary summary;
  summary.label = facts.label;
  summary.title = title_of(*facts.scenario, plan);
  summary.population = plan.population_text();
  summary.unit = plan.is_persistent() ? "fault" : "trial";
  summary.confidence = facts.scenario->confidence();
  summary.planned = plan.trials();
  summary.images = golden.images;
  summary.accuracy = golden.accuracy;
  summary.device = golden.device;
  summary.warnings = golden.warnings;
  summary.not_modelled = not_modelled(*facts.scenario, plan);
  summary.weight = plan.weight();
  summary.part = "register";
  summary.without_layer = "(none on the mesh)";
  if (const TensorPopulation* tensors = plan.tensors()) {
    summary.part = "tensor";
    summary.expected_faults = tensors->expected();
    summary.per_parameter =
        tensors->words() == 0 ? 0.0 : tensors->expected() / static_cast<double>(tensors->words());
    summary.strata = plan.is_census() ? std::vector<BitStratum>() : tensors->strata();
  }
  if (const MemoryPopulation* memories = plan.memories()) {
    summary.part = "structure";
    summary.without_layer = "(none reads it)";
    summary.expected_faults = memories->expected();
    summary.device_fit = memories->device_fit();
    summary.is_of_events = is_particle(facts.scenario->strike);
    summary.inputs = process_inputs(facts.scenario->strike, *memories);
    const std::vector<std::string> own = memories->warnings();
    summary.warnings.insert(summary.warnings.end(), own.begin(), own.end());
  }
  return summary;
}

/// What the rates rest on beside the node and its particles.
void add_scenario_inputs(const Scenario& scenario, const MemoryPopulation& population,
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
  const MemoryPopulation& population = tally.population();
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
      groups_of(tally.parts(), parts_of(facts), estimator, [&](const std::string& name) {
        return weights_of(facts, [&](const TensorStore& store) { return store.name == name; });
      });
  summary.layers =
      groups_of(tally.layers(), struck_layers, estimator, [&](const std::string& name) {
        return weights_of(facts, [&](const TensorStore& store) { return store.layer == name; });
      });
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

/// Judged by its distance alone an answer has no top class: those rates are not 0, but unknown.
void forget_classes(Summary& summary) {
  const auto forget = [](RateArray<Estimate>& rates) {
    rates[Rate::kSdc1] = rates[Rate::kSdc5] = Estimate();
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
  const MemoryPopulation* memories = facts.plan->memories();
  TallyRules rules;
  rules.is_persistent = facts.plan->is_persistent();
  rules.is_by_structure = memories != nullptr;
  if (memories != nullptr && memories->is_particle() && memories->fluence() <= 0.0) {
    rules.strikes.emplace(*memories, later_inferences(*facts.scenario, facts.plan->cycles()),
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
  summary.all = estimator.group("all", tally.all(), all_weights(facts));
  summary.mean_faults = tally.all().mean_faults();
  if (summary.per_parameter) {
    summary.accuracy_under_faults =
        estimator.accuracy(tally.all(), all_weights(facts), summary.accuracy);
  }
  if (tally.strikes()) {
    add_strikes(*tally.strikes(), facts, summary);
  } else if (!strikes_several(facts, summary.mean_faults)) {
    add_groups(tally, estimator, facts, summary);
  }
  if (facts.scenario->audit > 0.0) {
    summary.audit = audit_of(results, scenario, summary.confidence);
  }
  summary.unmet = unmet(summary, facts.scenario->until);
  if (facts.scenario->judge == bridge::JudgeKind::kRelativeL2) {
    forget_classes(summary);
  }
  return summary;
}

Estimate rate_of(const Tally& tally, const SummaryFacts& facts, Rate rate) {
  const double confidence = facts.scenario->confidence();
  if (tally.strikes()) {
    return StrikeEstimator(*tally.strikes(), confidence).rate_of(rate);
  }
  return Estimator(*facts.plan, confidence, false).of_all(tally.all(), all_weights(facts), rate);
}

}  // namespace tilestrike::campaigns

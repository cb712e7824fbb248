// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/report/summary.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "campaigns/plan/title.h"
#include "campaigns/report/inputs.h"
#include "campaigns/statistics/stratified.h"

namespace tilestrike::campaigns {
namespace {

/// Trials of one stratum; without strata, all. A transient trial's share is 0 or 1.
struct StratumTally {
  Shares activated;
  RateArray<Shares> all;
  RateArray<Shares> of_activated;
  Shares kept;  // accuracy that is left, as a share of what could be lost and gained
};

/// Some trials, by stratum.
struct Tally {
  std::int64_t n = 0;
  std::int64_t activated = 0;
  double faults = 0.0;
  std::map<std::string, StratumTally> strata;
  std::map<std::string, std::int64_t> masked_at;
};

/// One trial as the summary sees it.
struct Seen {
  std::int64_t number = 0;
  std::string register_name, layer, masked_at;
  bool is_activated = false;
  std::int64_t images = 1;
  std::int64_t faults = 1;
  std::int64_t correct = -1, golden_correct = -1;  // -1: no labels
  RateArray<std::int64_t> images_of;
  StrikeSeen strike;
};

const std::vector<std::string>& seen_columns() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {"trial",       "register",       "layer",
                                    "masked_at",   "activated",      "images",
                                    "faults",      "images_correct", "images_golden_correct",
                                    "structure",   "radiation",      "stratum",
                                    "outcome",     "without_stop",   "later_images",
                                    "later_wrong", "later_due",      "stored"};
    for (const std::string& rate : rate_names()) {
      all.push_back("images_" + rate);
    }
    return all;
  }();
  return names;
}

Seen seen_of(const Row& row) {
  Seen seen;
  seen.number = std::get<std::int64_t>(row[0]);
  seen.register_name = std::get<std::string>(row[1]);
  seen.layer = std::get<std::string>(row[2]);
  seen.masked_at = std::get<std::string>(row[3]);
  seen.is_activated = std::get<std::int64_t>(row[4]) != 0;
  seen.images = std::get<std::int64_t>(row[5]);
  seen.faults = std::get<std::int64_t>(row[6]);
  if (std::holds_alternative<std::int64_t>(row[7])) {
    seen.correct = std::get<std::int64_t>(row[7]);
    seen.golden_correct = std::get<std::int64_t>(row[8]);
  }
  std::size_t column = 18;
  for (const Rate rate : kRates) {
    seen.images_of[rate] = std::get<std::int64_t>(row[column++]);
    seen.strike.is[rate] = seen.images_of[rate] > 0;
  }
  StrikeSeen& strike = seen.strike;
  strike.structure = std::get<std::string>(row[9]);
  strike.is_activated = seen.is_activated;
  if (const auto* radiation = std::get_if<std::string>(&row[10])) {
    strike.radiation = *radiation;
  }
  strike.stratum = std::get<std::string>(row[11]);
  if (const auto* stored = std::get_if<std::int64_t>(&row[17])) {
    strike.stored = *stored != 0;
  }
  strike.is_wrong_on = strike.is[Rate::kSdc] || strike.is[Rate::kNonfinite];
  if (const auto* without_stop = std::get_if<std::string>(&row[13])) {
    const bool is_due = std::get<std::string>(row[12]) == name_of(Outcome::kDue);
    const bool is_wrong =
        *without_stop == name_of(Outcome::kSdc) || *without_stop == name_of(Outcome::kNonfinite);
    strike.is_false_due = is_due && !is_wrong;
    strike.is_wrong_on = is_wrong;
  }
  if (const auto* images = std::get_if<std::int64_t>(&row[14]); images != nullptr && *images > 0) {
    strike.later_wrong =
        static_cast<double>(std::get<std::int64_t>(row[15])) / static_cast<double>(*images);
    strike.later_due =
        static_cast<double>(std::get<std::int64_t>(row[16])) / static_cast<double>(*images);
  }
  return seen;
}

/// `is_persistent`: judged on every image, so that what can be lost and gained is known.
void count(const Seen& seen, bool is_persistent, Tally& tally) {
  StratumTally& stratum = tally.strata[seen.strike.stratum];
  ++tally.n;
  tally.activated += seen.is_activated ? 1 : 0;
  stratum.activated.add(seen.is_activated ? 1.0 : 0.0);
  for (const Rate rate : kRates) {
    const double share =
        static_cast<double>(seen.images_of[rate]) / static_cast<double>(seen.images);
    stratum.all[rate].add(share);
    if (seen.is_activated) {
      stratum.of_activated[rate].add(share);
    }
  }
  tally.faults += static_cast<double>(seen.faults);
  if (seen.correct >= 0) {
    const auto images = static_cast<double>(seen.images);
    const auto gained = static_cast<double>(seen.correct - seen.golden_correct);
    stratum.kept.add(is_persistent ? static_cast<double>(seen.correct) / images
                                   : 0.5 + 0.5 * gained / images);
  }
  if (!seen.masked_at.empty()) {
    ++tally.masked_at[seen.masked_at];
  }
}

/// Visits the trials 0, 1, ... of a scenario up to the first that is missing or `most`; returns how
/// many. Trials are struck image by image, so those beyond a gap are no random sample.
std::int64_t each_counted(const Results& results, std::int64_t scenario, std::int64_t most,
                          const std::function<void(const Seen&)>& visit) {
  std::int64_t next = 0;
  results.each_trial(scenario, seen_columns(), [&](const Row& row) {
    const Seen seen = seen_of(row);
    if (seen.number != next || next >= most) {
      return false;
    }
    visit(seen);
    ++next;
    return true;
  });
  return next;
}

/// The strata of a group of trials with their exact weights; none: it is not divided.
using Weights = std::vector<std::pair<std::string, double>>;

class Estimator {
 public:
  explicit Estimator(const SummaryFacts& facts, bool is_complete)
      : confidence_(facts.scenario->confidence()),
        weight_(facts.plan->weight()),
        is_persistent_(facts.plan->is_persistent()),
        is_exact_(facts.plan->is_census() && is_complete) {}

  /// A rate among trials with a fault, as one among all.
  Estimate weighted(const Estimate& rate) const { return rate.times(weight_); }

  /// The accuracy when faults come with the plan's probability: the golden one, and what trials
  /// gain or lose on their own images.
  Estimate accuracy(const Tally& tally, const Weights& weights, double golden) const {
    const Estimate kept = mean_of(
        tally, weights, [](const StratumTally& stratum) -> const Shares& { return stratum.kept; });
    const auto of = [&](double share) {
      return golden + weight_ * (is_persistent_ ? share - golden : 2.0 * share - 1.0);
    };
    return {of(kept.value), {of(kept.interval.low), of(kept.interval.high)}, kept.n};
  }

  Estimate of_all(const Tally& tally, const Weights& weights, Rate rate) const {
    return mean_of(tally, weights, [rate](const StratumTally& stratum) -> const Shares& {
      return stratum.all[rate];
    });
  }

  Group group(const std::string& name, const Tally& tally, const Weights& weights) const {
    Group group;
    group.name = name;
    group.activated =
        weighted(mean_of(tally, weights, [](const StratumTally& stratum) -> const Shares& {
          return stratum.activated;
        }));
    for (const Rate rate : kRates) {
      const Estimate share = of_all(tally, weights, rate);
      group.rates[rate] = weighted(share);
      if (weights.empty()) {
        group.rates_of_activated[rate] =
            mean_of(tally, weights, [rate](const StratumTally& stratum) -> const Shares& {
              return stratum.of_activated[rate];
            });
      } else if (tally.activated == tally.n) {  // of other shares strata say nothing
        group.rates_of_activated[rate] = share;
      }
    }
    group.masked_at = tally.masked_at;
    return group;
  }

 private:
  static const StratumTally& stratum_of(const Tally& tally, const std::string& name) {
    static const StratumTally none;
    const auto found = tally.strata.find(name);
    return found == tally.strata.end() ? none : found->second;
  }

  template <class SharesOf>
  Estimate mean_of(const Tally& tally, const Weights& weights, const SharesOf& shares_of) const {
    if (!weights.empty()) {
      std::vector<StratumShares> strata;
      Estimate rate;
      for (const auto& [name, weight] : weights) {
        strata.push_back({weight, shares_of(stratum_of(tally, name))});
        rate.n += strata.back().shares.n();
      }
      const Estimate estimate = stratified_mean(strata, confidence_);
      rate.value = estimate.value;
      rate.interval = estimate.interval;
      return rate;
    }
    Shares pooled;
    for (const auto& [name, stratum] : tally.strata) {
      pooled.add(shares_of(stratum));
    }
    const double mean = pooled.mean();
    const std::int64_t n = pooled.n();
    return {mean,
            is_exact_ && n > 0 ? exact_interval(mean) : interval_of_shares(pooled, confidence_), n};
  }

  double confidence_;
  double weight_;
  bool is_persistent_;
  bool is_exact_;
};

/// Groups in the order of `order`, those without a trial too, then whatever else was seen.
std::vector<Group> groups_of(const std::map<std::string, Tally>& tallies,
                             const std::vector<std::string>& order, const Estimator& estimator,
                             const std::function<Weights(const std::string&)>& weights) {
  static const Tally none;
  std::vector<Group> groups;
  for (const std::string& name : order) {
    const auto tally = tallies.find(name);
    groups.push_back(
        estimator.group(name, tally == tallies.end() ? none : tally->second, weights(name)));
  }
  for (const auto& [name, tally] : tallies) {
    if (std::find(order.begin(), order.end(), name) == order.end()) {
      groups.push_back(estimator.group(name, tally, weights(name)));
    }
  }
  return groups;
}

}  // namespace

namespace {

/// Whether each trial is one particle, whose rates are those of its structure and stratum.
bool is_by_rate(const SummaryFacts& facts) {
  const MemoryPopulation* memories = facts.plan->memories();
  return memories != nullptr && memories->is_particle() && memories->fluence() <= 0.0;
}

StrikeTallies tallies_of(const SummaryFacts& facts) {
  return {*facts.plan->memories(), later_inferences(*facts.scenario, facts.plan->cycles()),
          after_detection(facts.scenario->accelerator)};
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

std::vector<std::string> not_modelled(const SummaryFacts& facts) {
  if (facts.plan->tensors() != nullptr) {
    return {"the hardware that holds and moves these tensors, and its ECC"};
  }
  const MemoryPopulation* memories = facts.plan->memories();
  if (memories != nullptr && memories->is_particle()) {
    std::vector<std::string> names = not_modelled_of(*memories);
    if (memories->fluence() > 0.0) {
      names.emplace_back("what of a beam are no neutrons");
    }
    return names;
  }
  std::vector<std::string> names = {"combinational logic"};
  if (memories == nullptr) {
    names.emplace_back("cells of memories (strike.where.memory strikes them)");
    if (!facts.plan->is_persistent()) {
      names.emplace_back(kLatchWindows);
    }
  } else {
    names.emplace_back("registers of the mesh");
  }
  names.insert(names.end(),
               {"DMA engines", "the sequencer", "the vector unit",
                "biases and requantisation constants (registers)", "clock and reset trees"});
  if (memories == nullptr || facts.scenario->strike.process != Process::kDram) {
    names.emplace_back("off-chip memory");
  }
  return names;
}

}  // namespace

namespace {

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

bool is_any(const TensorStore&) { return true; }

/// The strata of the trials that strike stores of which `is_meant` is true.
template <class IsMeant>
Weights weights_of(const SummaryFacts& facts, const IsMeant& is_meant) {
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

Summary summary_of(const Results& results, std::int64_t scenario, const SummaryFacts& facts) {
  Tally all;
  std::map<std::string, Tally> registers, layers;
  Summary summary;
  std::optional<StrikeTallies> strikes;
  if (is_by_rate(facts)) {
    strikes.emplace(tallies_of(facts));
  }
  const bool is_on_memories = facts.plan->memories() != nullptr;
  const bool is_persistent = facts.plan->is_persistent();
  summary.counted = each_counted(
      results, scenario, std::numeric_limits<std::int64_t>::max(), [&](const Seen& seen) {
        count(seen, is_persistent, all);
        count(seen, is_persistent,
              registers[is_on_memories ? seen.strike.structure : seen.register_name]);
        if (strikes) {
          strikes->add(seen.strike);
        }
        count(seen, is_persistent, layers[seen.layer]);
      });
  summary.kept = results.count(scenario) - summary.counted;
  summary.activated = all.activated;
  summary.label = facts.label;
  summary.title = title_of(*facts.scenario, *facts.plan);
  summary.population = facts.plan->population_text();
  summary.unit = facts.plan->is_persistent() ? "fault" : "trial";
  summary.confidence = facts.scenario->confidence();
  summary.planned = facts.plan->trials();
  summary.is_census = facts.plan->is_census() && summary.counted >= summary.planned;
  summary.images = facts.study->golden.images;
  summary.accuracy = facts.study->golden.accuracy;
  summary.device = facts.study->golden.device;
  summary.warnings = facts.study->golden.warnings;
  if (is_on_memories) {
    summary.inputs = process_inputs(facts.scenario->strike, *facts.plan->memories());
    const std::vector<std::string> own = facts.plan->memories()->warnings();
    summary.warnings.insert(summary.warnings.end(), own.begin(), own.end());
  }

  const Estimator estimator(facts, summary.is_census);
  if (const TensorPopulation* tensors = facts.plan->tensors()) {
    summary.is_on_tensors = true;
    summary.weight = tensors->weight();
    summary.expected_faults = tensors->expected();
    summary.mean_faults = all.n == 0 ? 0.0 : all.faults / static_cast<double>(all.n);
    summary.per_parameter =
        tensors->words() == 0 ? 0.0 : tensors->expected() / static_cast<double>(tensors->words());
    if (!facts.plan->is_census()) {
      summary.strata = tensors->strata();
    }
    summary.accuracy_under_faults =
        estimator.accuracy(all, weights_of(facts, is_any), summary.accuracy);
  }
  summary.all = estimator.group("all", all, weights_of(facts, is_any));
  summary.is_on_memories = is_on_memories;
  if (is_on_memories) {
    summary.weight = facts.plan->weight();
    summary.expected_faults = facts.plan->memories()->expected();
    summary.device_fit = facts.plan->memories()->device_fit();
    summary.is_of_events = is_particle(facts.scenario->strike);
    summary.mean_faults = all.n == 0 ? 0.0 : all.faults / static_cast<double>(all.n);
  }
  summary.not_modelled = not_modelled(facts);
  if (is_on_memories && facts.plan->memories()->fluence() > 0.0) {
    return summary;  // a trial of several events belongs to no structure
  }
  if (strikes) {
    summary.strikes = strikes->summary(summary.confidence);
    summary.strikes->period_seconds =
        static_cast<double>(facts.plan->cycles()) / (facts.scenario->accelerator.clock_mhz * 1e6);
    std::vector<double> stored;
    for (const StrikeRates& rates : summary.strikes->structures) {
      stored.push_back(rates.stored.value);
    }
    summary.strikes->accumulated = accumulated_rates(*facts.plan->memories(), *facts.scenario,
                                                     summary.strikes->period_seconds, stored);
    summary.strikes->bands = bands_of(*facts.plan->memories());
    add_scenario_inputs(*facts.scenario, *facts.plan->memories(), *summary.strikes);
    summary.not_modelled = summary.strikes->not_modelled;
    summary.all.activated = summary.strikes->all.activated;
    summary.all.rates = summary.strikes->all.avf;
    summary.all.rates_of_activated = {};  // of strata it would say nothing
    return summary;
  }
  // A trial that strikes many tensors, or cells here and there, belongs to none of them.
  const bool is_apart = summary.is_on_tensors ||
                        (is_on_memories && facts.scenario->strike.process == Process::kUniform);
  if (!is_apart || summary.mean_faults == 1.0) {
    std::vector<std::string> struck_layers;
    for (const bridge::LayerSummary& layer : facts.study->layers) {
      if (layers.contains(layer.name)) {
        struck_layers.push_back(layer.name);
      }
    }
    summary.registers =
        groups_of(registers, parts_of(facts), estimator, [&](const std::string& name) {
          return weights_of(facts, [&](const TensorStore& store) { return store.name == name; });
        });
    summary.layers = groups_of(layers, struck_layers, estimator, [&](const std::string& name) {
      return weights_of(facts, [&](const TensorStore& store) { return store.layer == name; });
    });
  }
  return summary;
}

}  // namespace

namespace {

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

Summary summarise(const Results& results, std::int64_t scenario, const SummaryFacts& facts) {
  Summary summary = summary_of(results, scenario, facts);
  if (facts.scenario->audit > 0.0) {
    summary.audit = audit_of(results, scenario, summary.confidence);
  }
  summary.unmet = unmet(summary, facts.scenario->until);
  if (facts.scenario->judge == bridge::JudgeKind::kRelativeL2) {
    forget_classes(summary);
  }
  return summary;
}

Estimate rate_of_first(const Results& results, std::int64_t scenario, const SummaryFacts& facts,
                       Rate rate, std::int64_t trials) {
  if (is_by_rate(facts)) {
    StrikeTallies strikes = tallies_of(facts);
    each_counted(results, scenario, trials, [&](const Seen& seen) { strikes.add(seen.strike); });
    return strikes.rate_of(rate, facts.scenario->confidence());
  }
  Tally tally;
  const bool is_persistent = facts.plan->is_persistent();
  each_counted(results, scenario, trials,
               [&](const Seen& seen) { count(seen, is_persistent, tally); });
  return Estimator(facts, false).of_all(tally, weights_of(facts, is_any), rate);
}

}  // namespace tilestrike::campaigns

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
  std::array<Shares, kRates> all;
  std::array<Shares, kRates> of_activated;
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
  std::array<std::int64_t, kRates> images_of{};
  StrikeSeen strike;
};

/// What seen_of() looks at.
Fields seen_fields() {
  using T = TrialRecord;
  return Fields(&T::register_name, &T::layer, &T::masked_at, &T::activated, &T::images, &T::faults,
                &T::images_correct, &T::images_golden_correct, &T::images_of, &T::structure,
                &T::radiation, &T::stratum, &T::outcome, &MemoryTrial::stored,
                &MemoryTrial::without_stop, &MemoryTrial::later_images, &MemoryTrial::later_wrong,
                &MemoryTrial::later_due);
}

Seen seen_of(const TrialRecord& trial) {
  Seen seen;
  seen.number = trial.trial;
  seen.register_name = trial.register_name;
  seen.layer = trial.layer;
  seen.masked_at = name_of(trial.masked_at);
  seen.is_activated = trial.activated;
  seen.images = trial.images;
  seen.faults = trial.faults;
  if (trial.images_correct) {
    seen.correct = *trial.images_correct;
    seen.golden_correct = trial.images_golden_correct.value_or(-1);
  }
  seen.images_of = trial.images_of;
  StrikeSeen& strike = seen.strike;
  for (std::size_t i = 0; i < kRates; ++i) {
    strike.is[i] = seen.images_of[i] > 0;
  }
  strike.structure = trial.structure;
  strike.is_activated = seen.is_activated;
  strike.radiation = trial.radiation ? name_of(*trial.radiation) : "";
  strike.stratum = trial.stratum;
  strike.is_wrong_on = strike.is[0] || strike.is[5];
  if (!trial.memory) {
    return seen;
  }
  const MemoryTrial& memory = *trial.memory;
  strike.stored = memory.stored;
  const bool is_wrong =
      memory.without_stop == Outcome::kSdc || memory.without_stop == Outcome::kNonfinite;
  strike.is_false_due = trial.outcome == Outcome::kDue && !is_wrong;
  strike.is_wrong_on = is_wrong;
  if (const std::int64_t images = memory.later_images.value_or(0); images > 0) {
    const auto share = [images](const std::optional<std::int64_t>& number) {
      return static_cast<double>(number.value_or(0)) / static_cast<double>(images);
    };
    strike.later_wrong = share(memory.later_wrong);
    strike.later_due = share(memory.later_due);
  }
  return seen;
}

/// `is_persistent`: judged on every image, so that what can be lost and gained is known.
void count(const Seen& seen, bool is_persistent, Tally& tally) {
  StratumTally& stratum = tally.strata[seen.strike.stratum];
  ++tally.n;
  tally.activated += seen.is_activated ? 1 : 0;
  stratum.activated.add(seen.is_activated ? 1.0 : 0.0);
  for (std::size_t i = 0; i < kRates; ++i) {
    const double share = static_cast<double>(seen.images_of[i]) / static_cast<double>(seen.images);
    stratum.all[i].add(share);
    if (seen.is_activated) {
      stratum.of_activated[i].add(share);
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
  results.each_trial(scenario, seen_fields(), [&](const TrialRecord& trial) {
    if (trial.trial != next || next >= most) {
      return false;
    }
    visit(seen_of(trial));
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
  Rate weighted(Rate rate) const {
    rate.value *= weight_;
    rate.interval.low *= weight_;
    rate.interval.high *= weight_;
    return rate;
  }

  /// The accuracy when faults come with the plan's probability: the golden one, and what trials
  /// gain or lose on their own images.
  Rate accuracy(const Tally& tally, const Weights& weights, double golden) const {
    const Rate kept = mean_of(
        tally, weights, [](const StratumTally& stratum) -> const Shares& { return stratum.kept; });
    const auto of = [&](double share) {
      return golden + weight_ * (is_persistent_ ? share - golden : 2.0 * share - 1.0);
    };
    return {of(kept.value), {of(kept.interval.low), of(kept.interval.high)}, kept.n};
  }

  Rate of_all(const Tally& tally, const Weights& weights, std::size_t rate) const {
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
    for (std::size_t i = 0; i < kRates; ++i) {
      const Rate rate = of_all(tally, weights, i);
      group.rates[i] = weighted(rate);
      if (weights.empty()) {
        group.rates_of_activated[i] = mean_of(
            tally, weights,
            [i](const StratumTally& stratum) -> const Shares& { return stratum.of_activated[i]; });
      } else if (tally.activated == tally.n) {  // of other shares strata say nothing
        group.rates_of_activated[i] = rate;
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
  Rate mean_of(const Tally& tally, const Weights& weights, const SharesOf& shares_of) const {
    if (!weights.empty()) {
      std::vector<StratumShares> strata;
      Rate rate;
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
  for (std::size_t i = 0; until && summary.counted >= summary.planned && i < kRates; ++i) {
    const Rate& rate = summary.all.rates[i];
    if (std::ranges::find(until->of, rate_names()[i]) != until->of.end() && !rate.is_settled &&
        !is_precise(rate.value, rate.interval, until->relative, until->half_width)) {
      names.push_back(rate_names()[i]);
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
  const auto forget = [](std::array<Rate, kRates>& rates) {
    for (const std::size_t of_classes : {std::size_t{1}, std::size_t{2}}) {  // sdc_1, sdc_5
      rates[of_classes] = Rate();
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

Rate rate_of_first(const Results& results, std::int64_t scenario, const SummaryFacts& facts,
                   const std::string& name, std::int64_t trials) {
  if (is_by_rate(facts)) {
    StrikeTallies strikes = tallies_of(facts);
    each_counted(results, scenario, trials, [&](const Seen& seen) { strikes.add(seen.strike); });
    return strikes.rate_of(name, facts.scenario->confidence());
  }
  Tally tally;
  const bool is_persistent = facts.plan->is_persistent();
  each_counted(results, scenario, trials,
               [&](const Seen& seen) { count(seen, is_persistent, tally); });
  const auto& names = rate_names();
  const auto index =
      static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  return Estimator(facts, false).of_all(tally, weights_of(facts, is_any), index);
}

}  // namespace tilestrike::campaigns

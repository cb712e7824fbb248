// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tilestrike::campaigns {
namespace {

/// Counts of some trials; for lasting faults, shares.
struct Tally {
  std::int64_t n = 0;
  std::int64_t activated = 0;
  std::array<Shares, kRates> all;
  std::array<Shares, kRates> of_activated;
  Shares kept;  // (1 + gain in accuracy) / 2, which lies in [0, 1]
  double faults = 0.0;
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
};

const std::vector<std::string>& seen_columns() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {"trial",     "register",       "layer",
                                    "masked_at", "activated",      "images",
                                    "faults",    "images_correct", "images_golden_correct"};
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
  for (std::size_t i = 0; i < kRates; ++i) {
    seen.images_of[i] = std::get<std::int64_t>(row[9 + i]);
  }
  return seen;
}

void count(const Seen& seen, Tally& tally) {
  ++tally.n;
  tally.activated += seen.is_activated ? 1 : 0;
  for (std::size_t i = 0; i < kRates; ++i) {
    const double share = static_cast<double>(seen.images_of[i]) / static_cast<double>(seen.images);
    tally.all[i].add(share);
    if (seen.is_activated) {
      tally.of_activated[i].add(share);
    }
  }
  tally.faults += static_cast<double>(seen.faults);
  if (seen.correct >= 0) {
    const auto gained = static_cast<double>(seen.correct - seen.golden_correct);
    tally.kept.add(0.5 + 0.5 * gained / static_cast<double>(seen.images));
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

class Estimator {
 public:
  explicit Estimator(const SummaryFacts& facts, bool is_complete)
      : confidence_(facts.scenario->confidence()),
        weight_(facts.plan->weight()),
        is_persistent_(facts.plan->is_persistent()),
        is_exact_(facts.plan->is_census() && is_complete) {}

  Rate of_hits(std::int64_t hits, std::int64_t n) const {
    const double value = n == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(n);
    return {value,
            is_exact_ && n > 0 ? exact_interval(value) : interval_of_trials(hits, n, confidence_),
            n};
  }

  /// A rate among trials with a fault, as one among all.
  Rate weighted(Rate rate) const {
    rate.value *= weight_;
    rate.interval.low *= weight_;
    rate.interval.high *= weight_;
    return rate;
  }

  /// The accuracy when faults come with the plan's probability: the golden one, and what trials
  /// gain or lose on their own images.
  Rate accuracy(const Shares& kept, double golden) const {
    const Interval interval =
        is_exact_ ? exact_interval(kept.mean()) : interval_of_shares(kept, confidence_);
    const auto of = [&](double share) { return golden + weight_ * (2.0 * share - 1.0); };
    return {of(kept.mean()), {of(interval.low), of(interval.high)}, kept.n};
  }

  Rate of_shares(const Shares& shares) const {
    if (!is_persistent_) {
      return of_hits(static_cast<std::int64_t>(shares.sum + 0.5), shares.n);
    }
    return {shares.mean(),
            is_exact_ && shares.n > 0 ? exact_interval(shares.mean())
                                      : interval_of_shares(shares, confidence_),
            shares.n};
  }

  Group group(const std::string& name, const Tally& tally) const {
    Group group;
    group.name = name;
    group.activated = weighted(of_hits(tally.activated, tally.n));
    for (std::size_t i = 0; i < kRates; ++i) {
      group.rates[i] = weighted(of_shares(tally.all[i]));
      group.rates_of_activated[i] = of_shares(tally.of_activated[i]);
    }
    group.masked_at = tally.masked_at;
    return group;
  }

 private:
  double confidence_;
  double weight_;
  bool is_persistent_;
  bool is_exact_;
};

/// Groups in the order of `order`, then whatever else was seen.
std::vector<Group> groups_of(const std::map<std::string, Tally>& tallies,
                             const std::vector<std::string>& order, const Estimator& estimator) {
  std::vector<Group> groups;
  for (const std::string& name : order) {
    if (const auto tally = tallies.find(name); tally != tallies.end()) {
      groups.push_back(estimator.group(name, tally->second));
    }
  }
  for (const auto& [name, tally] : tallies) {
    if (std::find(order.begin(), order.end(), name) == order.end()) {
      groups.push_back(estimator.group(name, tally));
    }
  }
  return groups;
}

std::string lasts_text(const StrikeConfig& strike, const Plan& plan) {
  if (plan.tensors() != nullptr) {
    return plan.strikes_constants() ? "until written again"
           : plan.is_persistent()   ? "permanent"
                                    : "for one inference";
  }
  if (!is_persistent(strike)) {
    return "transient";
  }
  if (strike.lasts.kind == Lasts::Kind::kWindow) {
    return fmt::format("in cycles {} to {} of every inference", strike.lasts.window.from,
                       strike.lasts.window.until - 1);
  }
  return "permanent";
}

std::string place_text(const Scenario& scenario, const Plan& plan) {
  const bridge::AcceleratorConfig& accelerator = scenario.accelerator;
  if (plan.tensors() != nullptr) {
    std::string text;
    const TensorSelection& selection = scenario.strike.where.tensors;
    for (const std::string& key : tensor_keys()) {
      const Value value = write_tensor_key(selection, key);
      if (!value.is_null()) {
        text += (text.empty() ? "" : ", ") + key + " " +
                (value.is_scalar() ? value.scalar : value.json());
      }
    }
    return text;
  }
  return fmt::format(
      "on {} ({} x {} mesh, {})",
      accelerator.name.empty() ? "an accelerator of its own" : accelerator.name,
      accelerator.mesh.rows, accelerator.mesh.columns,
      accelerator.mesh.is_weight_stationary() ? "weight-stationary" : "output-stationary");
}

std::string amount_text(const StrikeConfig& strike) {
  if (strike.per_bit > 0.0) {
    return fmt::format("{:g} faults per bit, ", strike.per_bit);
  }
  if (strike.per_parameter > 0.0) {
    return fmt::format("{:g} faults per parameter, ", strike.per_parameter);
  }
  return strike.count > 1 ? fmt::format("{} faults per trial, ", strike.count) : "";
}

std::string title_of(const Scenario& scenario, const Plan& plan) {
  std::vector<std::string> kinds;
  for (const FaultKind kind : scenario.strike.faults) {
    kinds.emplace_back(name_of(kind));
  }
  return fmt::format(
      "{} ({}) {}: {}{}, {}", scenario.model, scenario.number_format().name(),
      place_text(scenario, plan), amount_text(scenario.strike),
      scenario.strike.process == Process::kList ? "listed faults" : join(kinds, " or "),
      lasts_text(scenario.strike, plan));
}

/// What rates of a strike on tensors mean, and the accuracy.
std::string tensor_text(const Summary& summary) {
  std::string text = fmt::format("faults per trial: {:.4g} on average", summary.mean_faults);
  if (summary.weight < 1.0) {
    text += fmt::format(
        "; {:.4g} expected, so that {:.4g} of all are without a fault; trials have at least one, "
        "and rates over all contain the factor {:.4g}",
        summary.expected_faults, 1.0 - summary.weight, summary.weight);
  }
  return text + fmt::format("\nexpected faults per parameter: {:.3g}\n", summary.per_parameter);
}

/// In percent; of small shares two digits that say something.
std::string percent_number(double value) {
  return value != 0.0 && std::abs(value) < 0.001 ? fmt::format("{:.2g}", 100.0 * value)
                                                 : fmt::format("{:.2f}", 100.0 * value);
}

std::string rate_text(const Rate& rate) {
  if (rate.n == 0) {
    return "-";
  }
  return fmt::format("{} % [{}, {}]", percent_number(rate.value), percent_number(rate.interval.low),
                     percent_number(rate.interval.high));
}

std::string table(const std::string& heading, const std::vector<Group>& groups) {
  std::size_t width = heading.size();
  for (const Group& group : groups) {
    width = std::max(width, group.name.size());
  }
  const auto line = [&](const std::string& name, const std::string& n, const std::string& a,
                        const std::string& b, const std::string& c, const std::string& m,
                        const std::string& d) {
    return fmt::format("{:<{}} {:>8}  {:<25} {:<25} {:<25} {:>9}  {}\n", name, width, n, a, b, c, m,
                       d);
  };
  std::string text =
      line(heading, "n", "activated", "sdc", "sdc_1", "activated", "sdc of activated");
  for (const Group& group : groups) {
    text +=
        line(group.name.empty() ? "(none: idle)" : group.name, std::to_string(group.activated.n),
             rate_text(group.activated), rate_text(group.rates[0]), rate_text(group.rates[1]),
             std::to_string(group.rates_of_activated[0].n), rate_text(group.rates_of_activated[0]));
  }
  return text;
}

nlohmann::ordered_json json_of(const Rate& rate) {
  return {{"value", rate.value},
          {"low", rate.interval.low},
          {"high", rate.interval.high},
          {"n", rate.n}};
}

nlohmann::ordered_json json_of(const Group& group) {
  nlohmann::ordered_json json;
  json["name"] = group.name;
  json["n"] = group.activated.n;
  json["activated"] = json_of(group.activated);
  for (std::size_t i = 0; i < kRates; ++i) {
    json["over_all"][rate_names()[i]] = json_of(group.rates[i]);
    json["over_activated"][rate_names()[i]] = json_of(group.rates_of_activated[i]);
  }
  for (const Term& term : kMaskedAtTerms) {
    const auto found = group.masked_at.find(std::string(term.name));
    if (!term.name.empty()) {
      json["masked_at"][std::string(term.name)] =
          found == group.masked_at.end() ? 0 : found->second;
    }
  }
  return json;
}

nlohmann::ordered_json json_of(const std::vector<Group>& groups) {
  auto json = nlohmann::ordered_json::array();
  for (const Group& group : groups) {
    json.push_back(json_of(group));
  }
  return json;
}

}  // namespace

Summary summarise(const Results& results, std::int64_t scenario, const SummaryFacts& facts) {
  Tally all;
  std::map<std::string, Tally> registers, layers;
  Summary summary;
  summary.counted = each_counted(results, scenario, std::numeric_limits<std::int64_t>::max(),
                                 [&](const Seen& seen) {
                                   count(seen, all);
                                   count(seen, registers[seen.register_name]);
                                   count(seen, layers[seen.layer]);
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
  summary.images = facts.golden->images;
  summary.accuracy = facts.golden->accuracy;
  summary.device = facts.golden->device;
  summary.warnings = facts.golden->warnings;

  const Estimator estimator(facts, summary.is_census);
  if (const TensorPopulation* tensors = facts.plan->tensors()) {
    summary.is_on_tensors = true;
    summary.weight = tensors->weight();
    summary.expected_faults = tensors->expected();
    summary.mean_faults = all.n == 0 ? 0.0 : all.faults / static_cast<double>(all.n);
    summary.per_parameter =
        tensors->words() == 0 ? 0.0 : tensors->expected() / static_cast<double>(tensors->words());
    summary.accuracy_under_faults = estimator.accuracy(all.kept, summary.accuracy);
  }
  std::vector<std::string> register_order, layer_order;
  if (summary.is_on_tensors) {
    for (const TensorStore& store : *facts.stores) {
      register_order.push_back(store.name);
    }
  } else {
    for (const sim::RegisterBlock& block : facts.sites->blocks()) {
      register_order.push_back(block.name);
    }
  }
  for (const bridge::LayerSummary& layer : *facts.layers) {
    layer_order.push_back(layer.name);
  }
  summary.all = estimator.group("all", all);
  // A trial that strikes many tensors belongs to none of them.
  if (!summary.is_on_tensors || summary.mean_faults == 1.0) {
    summary.registers = groups_of(registers, register_order, estimator);
    summary.layers = groups_of(layers, layer_order, estimator);
  }
  return summary;
}

Rate rate_of_first(const Results& results, std::int64_t scenario, const SummaryFacts& facts,
                   const std::string& name, std::int64_t trials) {
  Tally tally;
  each_counted(results, scenario, trials, [&](const Seen& seen) { count(seen, tally); });
  const auto& names = rate_names();
  const auto index =
      static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  return Estimator(facts, false).of_shares(tally.all.at(index));
}

const std::vector<std::string>& not_modelled() {
  static const std::vector<std::string> names = {
      "transients of combinational logic",
      "memories (scratchpad, accumulators, DRAM) and ECC",
      "DMA",
      "the sequencer",
      "the vector unit",
      "clock and reset trees"};
  return names;
}

std::string text_of(const Summary& summary) {
  std::string text;
  if (!summary.label.empty()) {
    text += "== " + summary.label + "\n";
  }
  text += summary.title + "\n";
  text += fmt::format("population: {}\n", summary.population);
  text += summary.is_census
              ? std::string("every member once: no sampling error\n")
              : fmt::format(
                    "{:g} % intervals over {}s ({})\n", 100.0 * summary.confidence, summary.unit,
                    summary.unit == "fault" ? "Student's t over the share of images per fault"
                                            : "Wilson; one-sided where all trials agree");
  text += fmt::format("golden run: {} images on {}{}\n", summary.images, summary.device,
                      summary.accuracy < 0.0
                          ? ", no labels"
                          : fmt::format(", top-1 accuracy {:.2f} %", 100.0 * summary.accuracy));
  text += fmt::format("counted: {} of {} {}s{}\n\n", summary.counted, summary.planned, summary.unit,
                      summary.kept > 0 ? fmt::format(" ({} more are kept, but not a random sample "
                                                     "until those before them are done)",
                                                     summary.kept)
                                       : "");
  std::vector<Group> registers = summary.registers;
  registers.push_back(summary.all);
  if (summary.is_on_tensors) {
    text += tensor_text(summary);
    if (summary.accuracy_under_faults.n > 0) {
      text += "accuracy under these faults: " + rate_text(summary.accuracy_under_faults) + "\n";
    }
    text += "\n";
  }
  text += table(summary.is_on_tensors ? "tensor" : "register", registers) + "\n";
  if (!summary.layers.empty()) {
    text += table("first layer struck", summary.layers) + "\n";
  }
  text += "masked at:";
  for (const Term& term : kMaskedAtTerms) {
    if (const auto found = summary.all.masked_at.find(std::string(term.name));
        found != summary.all.masked_at.end()) {
      text += fmt::format(" {} {}", term.name, found->second);
    }
  }
  text += fmt::format(" (of {})\n", summary.all.activated.n);
  text += "all outcomes:";
  for (std::size_t i = 0; i < kRates; ++i) {
    text += fmt::format("{} {} {}", i == 0 ? "" : ",", rate_names()[i],
                        rate_text(summary.all.rates[i]));
  }
  text += summary.is_on_tensors
              ? "\nnot modelled: the hardware that holds and moves these tensors, and its ECC\n"
              : "\nnot modelled: " + join(not_modelled(), "; ") + "\n";
  for (const std::string& warning : summary.warnings) {
    text += "warning: " + warning + "\n";
  }
  return text;
}

nlohmann::ordered_json json_of(const Summary& summary) {
  nlohmann::ordered_json json;
  json["label"] = summary.label;
  json["title"] = summary.title;
  json["population"] = summary.population;
  json["unit"] = summary.unit;
  json["confidence"] = summary.confidence;
  json["census"] = summary.is_census;
  json["planned"] = summary.planned;
  json["counted"] = summary.counted;
  json["kept_beyond"] = summary.kept;
  json["images"] = summary.images;
  json["accuracy"] =
      summary.accuracy < 0.0 ? nlohmann::ordered_json() : nlohmann::ordered_json(summary.accuracy);
  json["device"] = summary.device;
  if (summary.is_on_tensors) {
    json["weight"] = summary.weight;
    json["expected_faults"] = summary.expected_faults;
    json["mean_faults"] = summary.mean_faults;
    json["faults_per_parameter"] = summary.per_parameter;
    json["accuracy_under_faults"] = summary.accuracy_under_faults.n > 0
                                        ? json_of(summary.accuracy_under_faults)
                                        : nlohmann::ordered_json();
  }
  json["all"] = json_of(summary.all);
  json[summary.is_on_tensors ? "tensors" : "registers"] = json_of(summary.registers);
  json["layers"] = json_of(summary.layers);
  json["not_modelled"] = not_modelled();
  json["warnings"] = summary.warnings;
  return json;
}

}  // namespace tilestrike::campaigns

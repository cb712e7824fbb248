// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "campaigns/title.h"

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

constexpr std::size_t kSdcRate = 0, kSdc1Rate = 1, kDueRate = 6;  // places in rate_names()

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
  for (std::size_t i = 0; i < kRates; ++i) {
    seen.images_of[i] = std::get<std::int64_t>(row[18 + i]);
    seen.strike.is[i] = seen.images_of[i] > 0;
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
  strike.is_wrong_on = strike.is[0] || strike.is[5];
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

namespace {

/// Whether each trial is one particle, whose rates are those of its structure and stratum.
bool is_by_rate(const SummaryFacts& facts) {
  const MemoryPopulation* memories = facts.plan->memories();
  return memories != nullptr && memories->is_particle() && memories->fluence() <= 0.0;
}

StrikeTallies tallies_of(const SummaryFacts& facts) {
  return {*facts.plan->memories(), later_inferences(*facts.scenario, facts.plan->cycles())};
}

std::vector<std::string> not_modelled(const SummaryFacts& facts) {
  if (facts.plan->tensors() != nullptr) {
    return {"the hardware that holds and moves these tensors, and its ECC"};
  }
  std::vector<std::string> names = {"transients of combinational logic"};
  if (facts.plan->memories() == nullptr) {
    names.emplace_back("cells of memories (strike.where.memory strikes them)");
  } else {
    names.emplace_back("registers of the mesh");
  }
  names.insert(names.end(), {"DMA", "the sequencer", "the vector unit", "clock and reset trees"});
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

Summary summary_of(const Results& results, std::int64_t scenario, const SummaryFacts& facts) {
  Tally all;
  std::map<std::string, Tally> registers, layers;
  Summary summary;
  std::optional<StrikeTallies> strikes;
  if (is_by_rate(facts)) {
    strikes.emplace(tallies_of(facts));
  }
  const bool is_on_memories = facts.plan->memories() != nullptr;
  summary.counted = each_counted(
      results, scenario, std::numeric_limits<std::int64_t>::max(), [&](const Seen& seen) {
        count(seen, all);
        count(seen, registers[is_on_memories ? seen.strike.structure : seen.register_name]);
        if (strikes) {
          strikes->add(seen.strike);
        }
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
  if (is_on_memories) {
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
    summary.accuracy_under_faults = estimator.accuracy(all.kept, summary.accuracy);
  }
  std::vector<std::string> register_order, layer_order;
  if (summary.is_on_tensors) {
    for (const TensorStore& store : *facts.stores) {
      register_order.push_back(store.name);
    }
  } else if (is_on_memories) {
    for (const Structure& structure : facts.plan->memories()->structures()) {
      register_order.push_back(structure.name);
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
    summary.registers = groups_of(registers, register_order, estimator);
    summary.layers = groups_of(layers, layer_order, estimator);
  }
  return summary;
}

}  // namespace

Summary summarise(const Results& results, std::int64_t scenario, const SummaryFacts& facts) {
  Summary summary = summary_of(results, scenario, facts);
  if (facts.scenario->audit > 0.0) {
    summary.audit = audit_of(results, scenario, summary.confidence);
  }
  summary.unmet = unmet(summary, facts.scenario->until);
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
  each_counted(results, scenario, trials, [&](const Seen& seen) { count(seen, tally); });
  const auto& names = rate_names();
  const auto index =
      static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  return Estimator(facts, false).of_shares(tally.all.at(index));
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
                    : summary.strikes && summary.strikes->is_stratified
                        ? "by strata, as below"
                        : "Wilson; one-sided where all trials agree");
  text += fmt::format("golden run: {} images on {}{}\n", summary.images, summary.device,
                      summary.accuracy < 0.0
                          ? ", no labels"
                          : fmt::format(", top-1 accuracy {:.2f} %", 100.0 * summary.accuracy));
  text += fmt::format(
      "counted: {} of {} {}s{}{}\n\n", summary.counted, summary.planned, summary.unit,
      summary.kept > 0 ? fmt::format(" ({} more are kept, but not a random sample "
                                     "until those before them are done)",
                                     summary.kept)
                       : "",
      summary.unmet.empty() ? ""
                            : "; less precise than 'until' asks: " + join(summary.unmet, ", "));
  std::vector<Group> registers = summary.registers;
  registers.push_back(summary.all);
  if (summary.is_on_tensors) {
    text += tensor_text(summary);
    if (summary.accuracy_under_faults.n > 0) {
      text += "accuracy under these faults: " + rate_text(summary.accuracy_under_faults) + "\n";
    }
    text += "\n";
  }
  if (summary.is_on_memories && summary.weight < 1.0) {
    text += fmt::format(
        "{:.4g} {} expected, so that {:.4g} of all trials are without one; those drawn have at "
        "least "
        "one, and rates over all contain the factor {:.4g}\n\n",
        summary.expected_faults, summary.is_of_events ? "events" : "faulty cells",
        1.0 - summary.weight, summary.weight);
  }
  if (summary.strikes) {
    text += text_of(*summary.strikes) + "\n";
  } else {
    const char* heading = summary.is_on_tensors    ? "tensor"
                          : summary.is_on_memories ? "structure"
                                                   : "register";
    text += table(heading, registers) + "\n";
  }
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
  text += "\n";
  if (summary.device_fit > 0.0) {
    text += fmt::format("failures of devices: {:.4g} FIT", summary.device_fit);
    for (const std::size_t rate : {kSdcRate, kSdc1Rate, kDueRate}) {
      const Rate& share = summary.all.rates[rate];
      text += fmt::format("; {} {:.3g} [{:.3g}, {:.3g}] FIT", rate_names()[rate],
                          share.value * summary.device_fit, share.interval.low * summary.device_fit,
                          share.interval.high * summary.device_fit);
    }
    text += summary.unit == "fault" ? " (times the share of inferences that end so)\n" : "\n";
  }
  if (summary.audit) {
    text += text_of(*summary.audit);
  }
  text += "not modelled: " + join(summary.not_modelled, "; ") + "\n";
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
  json["less_precise_than_asked"] = summary.unmet;
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
  if (summary.is_on_memories && summary.weight < 1.0) {
    json["weight"] = summary.weight;
    json[summary.is_of_events ? "expected_events" : "expected_faults"] = summary.expected_faults;
  }
  json[summary.is_on_tensors    ? "tensors"
       : summary.is_on_memories ? "structures"
                                : "registers"] = json_of(summary.registers);
  json["layers"] = json_of(summary.layers);
  if (summary.device_fit > 0.0) {
    json["device_fit"] = summary.device_fit;
  }
  if (summary.strikes) {
    json["strikes"] = json_of(*summary.strikes);
  }
  if (summary.audit) {
    json["audit"] = json_of(*summary.audit);
  }
  json["not_modelled"] = summary.not_modelled;
  json["warnings"] = summary.warnings;
  return json;
}

namespace {

std::vector<PointRates> points_of(const std::vector<Summary>& summaries) {
  std::vector<PointRates> points;
  for (const Summary& summary : summaries) {
    if (summary.strikes) {
      points.push_back({summary.label, &*summary.strikes});
    }
  }
  return points.size() > 1 ? points : std::vector<PointRates>{};
}

}  // namespace

std::string points_text(const std::vector<Summary>& summaries) {
  const std::vector<PointRates> points = points_of(summaries);
  return points.empty() ? "" : points_text(points);
}

nlohmann::ordered_json points_json(const std::vector<Summary>& summaries) {
  return points_json(points_of(summaries));
}

}  // namespace tilestrike::campaigns

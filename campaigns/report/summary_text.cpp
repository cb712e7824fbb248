// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How the summary of a campaign is told, as text and as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "campaigns/report/summary.h"

namespace tilestrike::campaigns {
namespace {

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

std::string interval_text(const Summary& summary) {
  const bool is_stratified =
      !summary.strata.empty() || (summary.strikes && summary.strikes->is_stratified);
  return std::string(summary.unit == "fault"
                         ? "Gaffke's bounds of the mean share of images per fault"
                         : "Clopper and Pearson's; one-sided where all trials agree") +
         (is_stratified ? "; by strata, as below" : "");
}

std::string strata_text(const std::vector<BitStratum>& strata) {
  std::vector<std::string> parts;
  for (const BitStratum& stratum : strata) {
    parts.push_back(fmt::format("{} {:.4g} ({:.4g})", stratum.name, stratum.weight, stratum.share));
  }
  return "strata, share of the bits (of the trials): " + join(parts, ", ") + "\n";
}

std::string rate_text(const Estimate& rate) {
  if (rate.n == 0) {
    return "-";
  }
  return fmt::format("{} % [{}, {}]", percent_number(rate.value), percent_number(rate.interval.low),
                     percent_number(rate.interval.high));
}

/// `nothing` names the group of the trials that struck none.
std::string table(const std::string& heading, const std::vector<Group>& groups,
                  const std::string& nothing) {
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
    text += line(group.name.empty() ? nothing : group.name, std::to_string(group.activated.n),
                 rate_text(group.activated), rate_text(group.rates[Rate::kSdc]),
                 rate_text(group.rates[Rate::kSdc1]),
                 std::to_string(group.rates_of_activated[Rate::kSdc].n),
                 rate_text(group.rates_of_activated[Rate::kSdc]));
  }
  return text;
}

nlohmann::ordered_json json_of(const Estimate& rate) {
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
  for (const Rate rate : kRates) {
    json["over_all"][name_of(rate)] = json_of(group.rates[rate]);
    json["over_activated"][name_of(rate)] = json_of(group.rates_of_activated[rate]);
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

std::string text_of(const Summary& summary) {
  std::string text;
  if (!summary.label.empty()) {
    text += "== " + summary.label + "\n";
  }
  text += summary.title + "\n";
  text += fmt::format("population: {}\n", summary.population);
  text += summary.is_census
              ? std::string("every member once: no sampling error\n")
              : fmt::format("{:g} % intervals over {}s ({})\n", 100.0 * summary.confidence,
                            summary.unit, interval_text(summary));
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
    if (!summary.strata.empty()) {
      text += strata_text(summary.strata);
    }
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
    text += table(heading, registers, "") + "\n";
  }
  if (!summary.layers.empty()) {
    text += table("first layer struck", summary.layers,
                  summary.is_on_memories ? "(none reads it)" : "(none on the mesh)") +
            "\n";
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
  for (const Rate rate : kRates) {
    text += fmt::format("{} {} {}", rate == kRates.front() ? "" : ",", name_of(rate),
                        rate_text(summary.all.rates[rate]));
  }
  text += "\n";
  if (summary.device_fit > 0.0) {
    text += fmt::format("failures of devices: {:.4g} FIT", summary.device_fit);
    for (const Rate rate : {Rate::kSdc, Rate::kSdc1, Rate::kDue}) {
      const Estimate& share = summary.all.rates[rate];
      text += fmt::format("; {} {:.3g} [{:.3g}, {:.3g}] FIT", name_of(rate),
                          share.value * summary.device_fit, share.interval.low * summary.device_fit,
                          share.interval.high * summary.device_fit);
    }
    text += summary.unit == "fault" ? " (times the share of inferences that end so)\n" : "\n";
  }
  if (summary.audit) {
    text += text_of(*summary.audit);
  }
  if (!summary.inputs.empty()) {
    text += text_of(summary.inputs);
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
    json["strata"] = nlohmann::ordered_json::array();
    for (const BitStratum& stratum : summary.strata) {
      json["strata"].push_back({{"name", stratum.name},
                                {"bits", stratum.bits},
                                {"share_of_bits", stratum.weight},
                                {"share_of_trials", stratum.share}});
    }
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
  if (!summary.inputs.empty()) {
    json["inputs"] = json_of(summary.inputs);
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

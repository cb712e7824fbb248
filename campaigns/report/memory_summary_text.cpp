// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How the summary of particles is told, as text and as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "campaigns/report/memory_summary.h"

namespace tilestrike::campaigns {
namespace {

using Json = nlohmann::ordered_json;
using Table = std::vector<std::vector<std::string>>;

std::string number(double value) { return value == 0.0 ? "0" : fmt::format("{:.3g}", value); }

/// "1.2e-3 [9e-4, 1.6e-3]"; what cannot happen is 0, and what is only enumerated a bound.
std::string rate_text(const Estimate& rate) {
  if (rate.is_settled()) {
    return rate.basis == Basis::kEnumerated ? "<= " + number(rate.interval.high) + " (enumerated)"
                                            : "0";
  }
  if (rate.n == 0) {
    return "-";
  }
  return fmt::format("{} [{}, {}]", number(rate.value), number(rate.interval.low),
                     number(rate.interval.high));
}

std::string table_text(const Table& table) {
  std::vector<std::size_t> widths(table.front().size());
  for (const auto& row : table) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : table) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += fmt::format("{}{:<{}}", i == 0 ? "" : "  ", row[i], widths[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

/// The structures, and all of them where there are several.
std::vector<const StrikeRates*> rows_of(const StrikeSummary& summary) {
  std::vector<const StrikeRates*> rows;
  for (const StrikeRates& rates : summary.structures) {
    rows.push_back(&rates);
  }
  if (rows.size() > 1) {
    rows.push_back(&summary.all);
  }
  return rows;
}

std::string enumerated_text(const std::optional<MemoryPopulation::Enumerated>& enumerated,
                            double MemoryPopulation::Enumerated::*part) {
  return enumerated ? number((*enumerated).*part) : "-";
}

Json json_of(const Estimate& rate) {
  Json json = {{"value", rate.value},
               {"low", rate.interval.low},
               {"high", rate.interval.high},
               {"n", rate.n}};
  json["kind"] = rate.basis == Basis::kSampled      ? "sampled"
                 : rate.basis == Basis::kEnumerated ? "enumerated bound"
                                                    : "impossible";
  return json;
}

Json json_of(const StrikeRates& rates) {
  Json json;
  json["name"] = rates.name;
  if (rates.cells > 0) {
    json["cells"] = rates.cells;
  }
  json["trials"] = rates.trials;
  const auto part = [&](double value, std::size_t radiation) {
    return rates.is_known[radiation] ? Json(value) : Json();
  };
  json["fit"] = {{"neutron", part(rates.fit.neutron, 0)},
                 {"alpha", part(rates.fit.alpha, 1)},
                 {"thermal", part(rates.fit.thermal, 2)},
                 {"all", rates.fit.total()}};
  json["stored_factor"] = json_of(rates.stored);
  json["strikes"] = rates.strikes();
  json["activated"] = json_of(rates.activated);
  for (const Rate rate : kRates) {
    json["avf"][name_of(rate)] = json_of(rates.avf[rate]);
  }
  json["avf"]["false_due"] = json_of(rates.false_due);
  json["false_of_due"] = json_of(rates.false_of_due);
  json["avf"]["wrong_without_stop"] = json_of(rates.wrong_on);
  for (const Rate rate : kRates) {
    json["fit_of"][name_of(rate)] = json_of(rates.in_fit(rates.avf[rate]));
  }
  json["fit_of"]["false_due"] = json_of(rates.in_fit(rates.false_due));
  json["fit_of"]["wrong_event"] = json_of(rates.in_fit(rates.wrong_event));
  json["fit_of"]["due_event"] = json_of(rates.in_fit(rates.due_event));
  Estimate per_hour = rates.in_fit(rates.wrong_inferences);
  for (double* value : {&per_hour.value, &per_hour.interval.low, &per_hour.interval.high}) {
    *value /= sim::kHoursPerFit;
  }
  json["wrong_inferences_per_hour"] = json_of(per_hour);
  if (rates.enumerated) {
    json["enumerated_fit"] = {{"silent", rates.enumerated->silent}, {"due", rates.enumerated->due}};
  }
  return json;
}

std::string persistence_text(const StrikeSummary& summary) {
  const StrikeRates& all = summary.all;
  std::string text = fmt::format(
      "\nstrikes that cause at least one wrong inference: {} FIT; in which an error is reported at "
      "least once: {} FIT ({})\n",
      rate_text(all.in_fit(all.wrong_event)), rate_text(all.in_fit(all.due_event)),
      summary.after_detection == AfterDetection::kStops
          ? "which stops that inference"
          : "the inference goes on: its wrong answers are among the first");
  Estimate per_hour = all.in_fit(all.wrong_inferences);
  for (double* value : {&per_hour.value, &per_hour.interval.low, &per_hour.interval.high}) {
    *value /= sim::kHoursPerFit;
  }
  text += fmt::format("wrong inferences per hour: {}, at one inference in {:.4g} s",
                      rate_text(per_hour), summary.period_seconds);
  if (summary.later_inferences > 0.0) {
    text += fmt::format(
        "; weights stay, and a strike on them lasts {:.3g} inferences on average (half of "
        "'residence')",
        summary.later_inferences);
  }
  return text + "\n";
}

/// FIT at the ends of the bands: of structure i, or of all. Where nothing was seen, from 0 to the
/// upper bound at the upper end; nothing where no trial was.
std::optional<Band> fit_band(const StrikeSummary& summary, std::optional<std::size_t> structure,
                             Rate rate) {
  Band sum{0.0, 0.0};
  for (std::size_t i = 0; i < summary.bands.size(); ++i) {
    if (structure && *structure != i) {
      continue;
    }
    const StrikeRates& rates = summary.structures[i];
    const Estimate fit = rates.in_fit(rates.avf[rate]);
    const Band& band = rate == Rate::kDue ? summary.bands[i].due : summary.bands[i].silent;
    if (fit.is_unknown()) {
      return std::nullopt;
    }
    const double bound = fit.interval.high;
    sum.low += band.low * (fit.is_settled() ? bound : fit.value);
    sum.high += band.high * (fit.is_settled() || fit.value == 0.0 ? bound : fit.value);
  }
  return sum;
}

std::string bands_text(const StrikeSummary& summary) {
  if (summary.bands.empty()) {
    return "";
  }
  Table table = {{"structure", "FIT sdc", "FIT due"}};
  const auto add = [&](const std::string& name, std::optional<std::size_t> structure) {
    const auto text = [&](Rate rate) {
      const std::optional<Band> band = fit_band(summary, structure, rate);
      return !band               ? "-"
             : band->high == 0.0 ? "0"
                                 : number(band->low) + " to " + number(band->high);
    };
    table.push_back({name, text(Rate::kSdc), text(Rate::kDue)});
  };
  for (std::size_t i = 0; i < summary.structures.size(); ++i) {
    add(summary.structures[i].name, i);
  }
  if (summary.structures.size() > 1) {
    add("all", std::nullopt);
  }
  return "\nthe same with the node's rate, multi-cell share, multiplicity and growth all at the "
         "lower, or "
         "all at\nthe upper ends of their bands (enumerated; the shares' bands are "
         "assumptions):\n" +
         table_text(table);
}

/// "8760 h", "12 us": of an exposure.
std::string hours_text(double hours) {
  constexpr double kSecondsPerHour = 3600.0;
  const double seconds = hours * kSecondsPerHour;
  return hours >= 1.0        ? fmt::format("{:.4g} h", hours)
         : seconds >= 1.0    ? fmt::format("{:.4g} s", seconds)
         : seconds >= 1.0e-3 ? fmt::format("{:.4g} ms", 1e3 * seconds)
                             : fmt::format("{:.4g} us", 1e6 * seconds);
}

double accumulated_due(const StrikeSummary& summary) {
  double due = 0.0;
  for (const AccumulatedRates& rates : summary.accumulated) {
    due += rates.rates.due;
  }
  return due;
}

/// Detected errors of one strike, and of strikes that meet.
Estimate both_due(const StrikeSummary& summary) {
  Estimate due = summary.all.in_fit(summary.all.avf[Rate::kDue]);
  const double met = accumulated_due(summary);
  due.value += met;
  due.interval.low += met;
  due.interval.high += met;
  due.basis = met > 0.0 && due.basis == Basis::kImpossible ? Basis::kEnumerated : due.basis;
  return due;
}

/// What no trial shows: a trial is one strike.
std::string accumulated_text(const StrikeSummary& summary) {
  if (summary.accumulated.empty()) {
    return "";
  }
  Table table = {{"structure", "contents", "codewords", "for", "scrubbed every", "due",
                  "silently wrong", "left out, at most", "were all so: due", "silently wrong"}};
  for (const AccumulatedRates& rates : summary.accumulated) {
    const auto silent = [](const sim::AccumulationRates& each) {
      return each.silent + each.silent_after_right + each.silent_between_reads;
    };
    const double scrub = rates.exposure.scrub_hours;
    table.push_back(
        {rates.structure, std::string(name_of(rates.stay)), std::to_string(rates.codewords),
         (rates.stay == Stay::kRenewed ? "<= " : "") + hours_text(rates.exposure.residence_hours),
         scrub > 0.0 ? hours_text(scrub) : "-", number(rates.rates.due),
         number(silent(rates.rates)), number(rates.rates.left_out), number(rates.of_all.due),
         number(silent(rates.of_all))});
  }
  return "\non top of these, strikes that meet in one codeword between two writes or scrubs, in "
         "FIT, as\nenumerated of the node's rates (without bands: it goes with their square), but "
         "for what is left out;\nof contents that are renewed a bound:\n" +
         table_text(table);
}

}  // namespace

std::string text_of(const std::vector<StrikeInput>& inputs) {
  std::string text = "inputs:\n";
  for (const StrikeInput& input : inputs) {
    text += fmt::format("  {} {:g}{}{}  {} ({})\n", input.name, input.value.value,
                        input.unit.empty() ? "" : " ", input.unit, tag_of(input.value.provenance),
                        input.value.source);
  }
  return text;
}

Json json_of(const std::vector<StrikeInput>& inputs) {
  Json json = Json::array();
  for (const StrikeInput& input : inputs) {
    json.push_back({{"name", input.name},
                    {"value", input.value.value},
                    {"unit", input.unit},
                    {"tag", std::string(tag_of(input.value.provenance))},
                    {"source", input.value.source}});
  }
  return json;
}

std::string text_of(const StrikeSummary& summary) {
  Table avf = {{"structure", "cells", "n", "AVF sdc", "AVF sdc_1", "AVF due", "of these false"}};
  Table fit = {{"structure", "strikes", "neutron", "alpha", "thermal", "FIT sdc", "FIT due",
                "one strike, if every codeword were read: silent", "due"}};
  for (const StrikeRates* rates : rows_of(summary)) {
    avf.push_back({rates->name, std::to_string(rates->cells), std::to_string(rates->trials),
                   rate_text(rates->avf[Rate::kSdc]), rate_text(rates->avf[Rate::kSdc1]),
                   rate_text(rates->avf[Rate::kDue]), rate_text(rates->false_of_due)});
    const auto part = [&](double value, std::size_t radiation) {
      return rates->is_known[radiation] ? number(rates->stored.value * value) : "-";
    };
    fit.push_back({rates->name, number(rates->strikes()), part(rates->fit.neutron, 0),
                   part(rates->fit.alpha, 1), part(rates->fit.thermal, 2),
                   rate_text(rates->in_fit(rates->avf[Rate::kSdc])),
                   rate_text(rates->in_fit(rates->avf[Rate::kDue])),
                   enumerated_text(rates->enumerated, &MemoryPopulation::Enumerated::silent),
                   enumerated_text(rates->enumerated, &MemoryPopulation::Enumerated::due)});
  }
  std::string text =
      "AVF: share of the strikes on all cells, at any time, that end so; 0 alone: under the node's "
      "laws "
      "none can\n" +
      table_text(avf) +
      fmt::format(
          "\nFIT (in 1e9 hours) at {} and {:g} m, band of all strikes {} to "
          "{}\n",
          summary.node, summary.altitude, number(summary.fit_low), number(summary.fit_high)) +
      table_text(fit);
  text +=
      summary.is_stratified
          ? "intervals: strata by reach of the cluster and by what ECC makes of it, with exact "
            "weights; the variances\nthat their intervals stand for are added; without any hit, "
            "one-sided\n"
          : "intervals: Clopper and Pearson's; one-sided where all trials agree\n";
  text += "of AVF alone: the rates' own uncertainty is the band\n" + bands_text(summary);
  if (summary.stored_values) {
    text += fmt::format(
        "stored values: a cell that holds 0 is struck {:.4g} times, one that holds 1 {:.4g} times "
        "as "
        "often as the\nnode's rate says, which is of cells that hold both equally often "
        "(`tilestrike list memories`); all that is\nabove is of what the cells hold:",
        summary.stored_values->factors[0], summary.stored_values->factors[1]);
    for (const StrikeRates* rates : rows_of(summary)) {
      text += fmt::format(" {} {} x {}", rates->name, number(rates->fit.total()),
                          rate_text(rates->stored));
      text += rates == rows_of(summary).back() ? "\n" : ",";
    }
  }
  for (const StrikeRates& rates : summary.radiations) {
    if (summary.radiations.size() > 1) {
      text += fmt::format("{}: FIT sdc {}, due {}\n", rates.name,
                          rate_text(rates.in_fit(rates.avf[Rate::kSdc])),
                          rate_text(rates.in_fit(rates.avf[Rate::kDue])));
    }
  }
  text += accumulated_text(summary);
  text += fmt::format("wrong answers if detected errors stopped nothing: {} FIT\n",
                      rate_text(summary.all.in_fit(summary.all.wrong_on)));
  text += persistence_text(summary) + "\n" + text_of(summary.inputs);
  for (const std::string& warning : summary.warnings) {
    text += "warning: " + warning + "\n";
  }
  return text;
}

Json json_of(const StrikeSummary& summary) {
  Json json;
  json["node"] = summary.node;
  json["altitude"] = summary.altitude;
  json["stratified"] = summary.is_stratified;
  json["confidence"] = summary.confidence;
  json["after_detection"] = summary.after_detection == AfterDetection::kStops ? "stops" : "goes on";
  json["fit_band"] = {summary.fit_low, summary.fit_high};
  json["period_seconds"] = summary.period_seconds;
  json["later_inferences"] = summary.later_inferences;
  json["structures"] = Json::array();
  for (const StrikeRates& rates : summary.structures) {
    json["structures"].push_back(json_of(rates));
  }
  json["radiations"] = Json::array();
  for (const StrikeRates& rates : summary.radiations) {
    json["radiations"].push_back(json_of(rates));
  }
  json["all"] = json_of(summary.all);
  if (summary.stored_values) {
    json["stored_values"] = {{"factor_of_0", summary.stored_values->factors[0]},
                             {"factor_of_1", summary.stored_values->factors[1]}};
  }
  json["bands"] = Json::array();
  const auto add_bands = [&](const std::string& name, std::optional<std::size_t> structure) {
    const auto ends = [&](Rate rate) {
      const std::optional<Band> band = fit_band(summary, structure, rate);
      return band ? Json{band->low, band->high} : Json();
    };
    json["bands"].push_back(
        {{"structure", name}, {"fit_sdc", ends(Rate::kSdc)}, {"fit_due", ends(Rate::kDue)}});
  };
  for (std::size_t i = 0; i < summary.bands.size(); ++i) {
    add_bands(summary.structures[i].name, i);
  }
  if (summary.bands.size() > 1) {
    add_bands("all", std::nullopt);
  }
  json["accumulated"] = Json::array();
  for (const AccumulatedRates& rates : summary.accumulated) {
    const auto fit = [](const sim::AccumulationRates& each) {
      return Json{{"due", each.due},
                  {"silent", each.silent},
                  {"silent_after_right", each.silent_after_right},
                  {"silent_between_reads", each.silent_between_reads},
                  {"left_out", each.left_out}};
    };
    json["accumulated"].push_back({{"structure", rates.structure},
                                   {"contents", std::string(name_of(rates.stay))},
                                   {"codewords", rates.codewords},
                                   {"residence_hours", rates.exposure.residence_hours},
                                   {"scrub_hours", rates.exposure.scrub_hours},
                                   {"fit", fit(rates.rates)},
                                   {"all_codewords", rates.all_codewords},
                                   {"fit_if_all", fit(rates.of_all)}});
  }
  json["inputs"] = json_of(summary.inputs);
  json["not_modelled"] = summary.not_modelled;
  json["warnings"] = summary.warnings;
  return json;
}

std::string points_text(const std::vector<PointRates>& points) {
  Table table = {{"point", "n", "FIT strikes", "FIT sdc", "FIT sdc_1", "FIT due",
                  "FIT due, met in a codeword", "FIT due, both"}};
  for (const PointRates& point : points) {
    const StrikeRates& all = point.summary->all;
    table.push_back({point.label, std::to_string(all.trials), number(all.strikes()),
                     rate_text(all.in_fit(all.avf[Rate::kSdc])),
                     rate_text(all.in_fit(all.avf[Rate::kSdc1])),
                     rate_text(all.in_fit(all.avf[Rate::kDue])),
                     number(accumulated_due(*point.summary)), rate_text(both_due(*point.summary))});
  }
  return table_text(table);
}

Json points_json(const std::vector<PointRates>& points) {
  Json json = Json::array();
  for (const PointRates& point : points) {
    const StrikeRates& all = point.summary->all;
    json.push_back({{"label", point.label},
                    {"n", all.trials},
                    {"fit", all.strikes()},
                    {"fit_band", {point.summary->fit_low, point.summary->fit_high}},
                    {"fit_sdc", json_of(all.in_fit(all.avf[Rate::kSdc]))},
                    {"fit_sdc_1", json_of(all.in_fit(all.avf[Rate::kSdc1]))},
                    {"fit_due", json_of(all.in_fit(all.avf[Rate::kDue]))},
                    {"fit_due_accumulated", accumulated_due(*point.summary)},
                    {"fit_due_both", json_of(both_due(*point.summary))}});
  }
  return json;
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What is reported of particles.
#include <fmt/format.h>

#include <algorithm>

#include "campaigns/report/report.h"
#include "campaigns/report/strike_summary.h"

namespace tilestrike::campaigns {
namespace {

/// The structures, and all of them where there are several.
std::vector<StrikeRates> rows_of(const StrikeSummary& summary) {
  std::vector<StrikeRates> rows = summary.structures;
  if (rows.size() > 1) {
    rows.push_back(summary.all);
  }
  return rows;
}

std::string told(const FactValue& value) { return text_of(value); }

Estimate per_hour(const StrikeRates& rates) {
  Estimate wrong = rates.in_fit(rates.wrong_inferences);
  for (double* value : {&wrong.value, &wrong.interval.low, &wrong.interval.high}) {
    *value /= sim::kHoursPerFit;
  }
  return wrong;
}

using RateColumns = std::vector<ColumnOf<StrikeRates>>;

/// Per structure, and per radiation: AVF is for people, too.
RateColumns avf_columns() {
  using Rates = StrikeRates;
  RateColumns columns = {
      {{"name", "structure"}, [](const Rates& rates) { return rates.name; }},
      {{"cells", "cells"},
       [](const Rates& rates) { return rates.cells > 0 ? FactValue(rates.cells) : FactValue(); }},
      {{"trials", "n"}, [](const Rates& rates) { return rates.trials; }},
  };
  const auto add = [&](std::string key, std::string heading, auto entry) {
    columns.push_back({{std::move(key), std::move(heading)}, std::move(entry)});
  };
  const auto part = [](double sim::EventRates::*fit, std::size_t radiation) {
    return [=](const Rates& rates) {
      return rates.is_known[radiation] ? FactValue(rates.fit.*fit) : FactValue(nullptr);
    };
  };
  add("fit/neutron", "", part(&sim::EventRates::neutron, 0));
  add("fit/alpha", "", part(&sim::EventRates::alpha, 1));
  add("fit/thermal", "", part(&sim::EventRates::thermal, 2));
  add("fit/all", "", [](const Rates& rates) { return rates.fit.total(); });
  add("stored_factor", "", [](const Rates& rates) { return rates.stored; });
  add("strikes", "", [](const Rates& rates) { return rates.strikes(); });
  add("activated", "", [](const Rates& rates) { return rates.activated; });
  for (const Rate rate : kRates) {
    const bool is_told = rate == Rate::kSdc || rate == Rate::kSdc1 || rate == Rate::kDue;
    add("avf/" + name_of(rate), is_told ? "AVF " + name_of(rate) : "",
        [rate](const Rates& rates) { return rates.avf[rate]; });
  }
  add("avf/false_due", "", [](const Rates& rates) { return rates.false_due; });
  add("false_of_due", "of these false", [](const Rates& rates) { return rates.false_of_due; });
  add("avf/wrong_without_stop", "", [](const Rates& rates) { return rates.wrong_on; });
  const auto in_fit = [&](const std::string& name, auto estimate) {
    add("fit_of/" + name, "", [=](const Rates& rates) { return rates.in_fit(estimate(rates)); });
  };
  for (const Rate rate : kRates) {
    in_fit(name_of(rate), [rate](const Rates& rates) { return rates.avf[rate]; });
  }
  in_fit("false_due", [](const Rates& rates) { return rates.false_due; });
  in_fit("wrong_event", [](const Rates& rates) { return rates.wrong_event; });
  in_fit("due_event", [](const Rates& rates) { return rates.due_event; });
  add("wrong_inferences_per_hour", "", [](const Rates& rates) { return per_hour(rates); });
  const auto enumerated = [](double EnumeratedRates::*fit) {
    return [=](const Rates& rates) {
      return rates.enumerated ? FactValue((*rates.enumerated).*fit) : FactValue();
    };
  };
  add("enumerated_fit/silent", "", enumerated(&EnumeratedRates::silent));
  add("enumerated_fit/due", "", enumerated(&EnumeratedRates::due));
  return columns;
}

/// The same strikes in 1e9 hours, for people alone.
RateColumns fit_columns() {
  using Rates = StrikeRates;
  const auto part = [](double sim::EventRates::*fit, std::size_t radiation) {
    return [=](const Rates& rates) {
      return rates.is_known[radiation] ? FactValue(rates.stored.value * rates.fit.*fit)
                                       : FactValue(nullptr);
    };
  };
  const auto in_fit = [](Rate rate) {
    return [=](const Rates& rates) { return rates.in_fit(rates.avf[rate]); };
  };
  const auto enumerated = [](double EnumeratedRates::*fit) {
    return [=](const Rates& rates) {
      return rates.enumerated ? FactValue((*rates.enumerated).*fit) : FactValue();
    };
  };
  return {
      {{"", "structure"}, [](const Rates& rates) { return rates.name; }},
      {{"", "strikes"}, [](const Rates& rates) { return rates.strikes(); }},
      {{"", "neutron"}, part(&sim::EventRates::neutron, 0)},
      {{"", "alpha"}, part(&sim::EventRates::alpha, 1)},
      {{"", "thermal"}, part(&sim::EventRates::thermal, 2)},
      {{"", "FIT sdc"}, in_fit(Rate::kSdc)},
      {{"", "FIT due"}, in_fit(Rate::kDue)},
      {{"", "one strike, if every codeword were read: silent"},
       enumerated(&EnumeratedRates::silent)},
      {{"", "due"}, enumerated(&EnumeratedRates::due)},
  };
}

void add_facts(const StrikeSummary& summary, Report& report) {
  report.fact("node", summary.node);
  report.fact("altitude", summary.altitude);
  report.fact("stratified", summary.is_stratified);
  report.fact("confidence", summary.confidence);
  report.fact("after_detection",
              summary.after_detection == AfterDetection::kStops ? "stops" : "goes on");
  report.fact("fit_band", std::vector<double>{summary.fit_low, summary.fit_high});
  report.fact("period_seconds", summary.period_seconds);
  report.fact("later_inferences", summary.later_inferences);
}

void add_rates(const StrikeSummary& summary, Report& report) {
  const RateColumns columns = avf_columns();
  report.say(
      "AVF: share of the strikes on all cells, at any time, that end so; 0 alone: under the node's "
      "laws none can");
  ReportTable avf = table_of("structures", columns, summary.structures);
  if (summary.structures.size() > 1) {
    avf.total = entries_of(columns, summary.all);
  }
  report.add(std::move(avf));
  RateColumns untold = columns;
  for (ColumnOf<StrikeRates>& column : untold) {
    column.heading = "";
  }
  report.add(table_of("radiations", untold, summary.radiations));
  report.record("all", columns, summary.all);
  if (summary.stored_values) {
    report.fact("stored_values/factor_of_0", summary.stored_values->factors[0]);
    report.fact("stored_values/factor_of_1", summary.stored_values->factors[1]);
  }
  report.say("");
  report.say(fmt::format("FIT (in 1e9 hours) at {} and {:g} m, band of all strikes {} to {}",
                         summary.node, summary.altitude, told(summary.fit_low),
                         told(summary.fit_high)));
  report.add(table_of("", fit_columns(), rows_of(summary)));
  report.say(summary.is_stratified
                 ? "intervals: strata by reach of the cluster and by what ECC makes of it, with "
                   "exact weights; the variances\nthat their intervals stand for are added; "
                   "without any hit, one-sided"
                 : "intervals: Clopper and Pearson's; one-sided where all trials agree");
  report.say("of AVF alone: the rates' own uncertainty is the band");
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

void add_bands(const StrikeSummary& summary, Report& report) {
  ReportTable table;
  table.key = "bands";
  table.columns = {{"structure", "structure"}, {"fit_sdc", "FIT sdc"}, {"fit_due", "FIT due"}};
  const auto add = [&](const std::string& name, std::optional<std::size_t> structure) {
    const auto entry = [&](Rate rate) -> Entry {
      const std::optional<Band> band = fit_band(summary, structure, rate);
      if (!band) {
        return nullptr;
      }
      const FactValue ends = std::vector<double>{band->low, band->high};
      return {ends, band->high == 0.0 ? "0" : text_of(ends)};
    };
    table.rows.push_back({name, entry(Rate::kSdc), entry(Rate::kDue)});
  };
  for (std::size_t i = 0; i < summary.bands.size(); ++i) {
    add(summary.structures[i].name, i);
  }
  if (summary.bands.size() > 1) {
    add("all", std::nullopt);
  }
  if (!table.rows.empty()) {
    report.say("");
    report.say(
        "the same with the node's rate, multi-cell share, multiplicity and growth all at the "
        "lower, or all at\nthe upper ends of their bands (enumerated; the shares' bands are "
        "assumptions):");
  }
  report.add(std::move(table));
}

void say_stored_values(const StrikeSummary& summary, Report& report) {
  if (!summary.stored_values) {
    return;
  }
  const StoredFactors& factors = summary.stored_values->factors;
  std::string text = fmt::format(
      "stored values: a cell that holds 0 is struck {:.4g} times, one that holds 1 {:.4g} times as "
      "often as the\nnode's rate says, which is of cells that hold both equally often "
      "(`tilestrike list memories`); all that is\nabove is of what the cells hold:",
      factors[0], factors[1]);
  const std::vector<StrikeRates> rows = rows_of(summary);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += fmt::format("{} {} {} x {}", i == 0 ? "" : ",", rows[i].name, told(rows[i].fit.total()),
                        told(rows[i].stored));
  }
  report.say(text);
}

void say_radiations(const StrikeSummary& summary, Report& report) {
  for (const StrikeRates& rates : summary.radiations) {
    if (summary.radiations.size() > 1) {
      report.say(fmt::format("{}: FIT sdc {}, due {}", rates.name,
                             told(rates.in_fit(rates.avf[Rate::kSdc])),
                             told(rates.in_fit(rates.avf[Rate::kDue]))));
    }
  }
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

std::vector<ColumnOf<AccumulatedRates>> accumulated_columns() {
  using Rates = AccumulatedRates;
  std::vector<ColumnOf<Rates>> columns;
  const auto add = [&](std::string key, std::string heading, auto entry) {
    columns.push_back({{std::move(key), std::move(heading)}, std::move(entry)});
  };
  const auto silent = [](const sim::AccumulationRates& each) {
    return each.silent + each.silent_after_right + each.silent_between_reads;
  };
  const auto add_fit = [&](const std::string& key, sim::AccumulationRates Rates::*of,
                           const std::vector<std::string>& headings) {
    const auto part = [of](double sim::AccumulationRates::*fit) {
      return [=](const Rates& rates) { return rates.*of.*fit; };
    };
    add(key + "/due", headings[0], part(&sim::AccumulationRates::due));
    add(key + "/silent", "", part(&sim::AccumulationRates::silent));
    add(key + "/silent_after_right", "", part(&sim::AccumulationRates::silent_after_right));
    add(key + "/silent_between_reads", "", part(&sim::AccumulationRates::silent_between_reads));
    add("", headings[1], [=](const Rates& rates) { return silent(rates.*of); });
    add(key + "/left_out", headings[2], part(&sim::AccumulationRates::left_out));
  };
  add("structure", "structure", [](const Rates& rates) { return rates.structure; });
  add("contents", "contents", [](const Rates& rates) { return std::string(name_of(rates.stay)); });
  add("codewords", "codewords", [](const Rates& rates) { return rates.codewords; });
  add("residence_hours", "for", [](const Rates& rates) {
    const double hours = rates.exposure.residence_hours;
    return Entry(hours, (rates.stay == Stay::kRenewed ? "<= " : "") + hours_text(hours));
  });
  add("scrub_hours", "scrubbed every", [](const Rates& rates) {
    const double scrub = rates.exposure.scrub_hours;
    return Entry(scrub, scrub > 0.0 ? hours_text(scrub) : "-");
  });
  add_fit("fit", &Rates::rates, {"due", "silently wrong", "left out, at most"});
  add("all_codewords", "", [](const Rates& rates) { return rates.all_codewords; });
  add_fit("fit_if_all", &Rates::of_all, {"were all so: due", "silently wrong", ""});
  return columns;
}

/// What no trial shows: a trial is one strike.
void add_accumulated(const StrikeSummary& summary, Report& report) {
  if (!summary.accumulated.empty()) {
    report.say("");
    report.say(
        "on top of these, strikes that meet in one codeword between two writes or scrubs, in FIT, "
        "as\nenumerated of the node's rates (without bands: it goes with their square), but for "
        "what is left out;\nof contents that are renewed a bound:");
  }
  report.add(table_of("accumulated", accumulated_columns(), summary.accumulated));
}

void say_wrong_inferences(const StrikeSummary& summary, Report& report) {
  const StrikeRates& all = summary.all;
  report.say(fmt::format("wrong answers if detected errors stopped nothing: {} FIT",
                         told(all.in_fit(all.wrong_on))));
  report.say("");
  report.say(fmt::format(
      "strikes that cause at least one wrong inference: {} FIT; in which an error is reported at "
      "least once: {} FIT ({})",
      told(all.in_fit(all.wrong_event)), told(all.in_fit(all.due_event)),
      summary.after_detection == AfterDetection::kStops
          ? "which stops that inference"
          : "the inference goes on: its wrong answers are among the first"));
  std::string text = fmt::format("wrong inferences per hour: {}, at one inference in {:.4g} s",
                                 told(per_hour(all)), summary.period_seconds);
  if (summary.later_inferences > 0.0) {
    text += fmt::format(
        "; weights stay, and a strike on them lasts {:.3g} inferences on average (half of "
        "'residence')",
        summary.later_inferences);
  }
  report.say(text);
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

}  // namespace

void add_inputs(const std::vector<StrikeInput>& inputs, Report& report) {
  using Input = StrikeInput;
  report.say("inputs:");
  for (const Input& input : inputs) {
    report.say(fmt::format("  {} {:g}{}{}  {} ({})", input.name, input.value.value,
                           input.unit.empty() ? "" : " ", input.unit,
                           tag_of(input.value.provenance), input.value.source));
  }
  const std::vector<ColumnOf<Input>> columns = {
      {{"name", ""}, [](const Input& input) { return input.name; }},
      {{"value", ""}, [](const Input& input) { return input.value.value; }},
      {{"unit", ""}, [](const Input& input) { return input.unit; }},
      {{"tag", ""}, [](const Input& input) { return std::string(tag_of(input.value.provenance)); }},
      {{"source", ""}, [](const Input& input) { return input.value.source; }},
  };
  report.add(table_of("inputs", columns, inputs));
}

Report report_of(const StrikeSummary& summary) {
  Report report;
  add_facts(summary, report);
  add_rates(summary, report);
  add_bands(summary, report);
  say_stored_values(summary, report);
  say_radiations(summary, report);
  add_accumulated(summary, report);
  say_wrong_inferences(summary, report);
  report.say("");
  add_inputs(summary.inputs, report);
  report.fact("not_modelled", summary.not_modelled);
  report.fact("warnings", summary.warnings);
  for (const std::string& warning : summary.warnings) {
    report.warn(warning);
  }
  return report;
}

ReportTable points_table(const std::vector<PointRates>& points) {
  std::vector<ColumnOf<PointRates>> columns = {
      {{"label", "point"}, [](const PointRates& point) { return point.label; }},
  };
  const auto add = [&](std::string key, std::string heading, auto entry) {
    columns.push_back({{std::move(key), std::move(heading)},
                       [=](const PointRates& point) -> Entry { return entry(*point.summary); }});
  };
  const auto in_fit = [](Rate rate) {
    return [rate](const StrikeSummary& point) { return point.all.in_fit(point.all.avf[rate]); };
  };
  using Point = StrikeSummary;
  add("n", "n", [](const Point& point) { return point.all.trials; });
  add("fit", "FIT strikes", [](const Point& point) { return point.all.strikes(); });
  add("fit_band", "", [](const Point& point) {
    return std::vector<double>{point.fit_low, point.fit_high};
  });
  add("fit_sdc", "FIT sdc", in_fit(Rate::kSdc));
  add("fit_sdc_1", "FIT sdc_1", in_fit(Rate::kSdc1));
  add("fit_due", "FIT due", in_fit(Rate::kDue));
  add("fit_due_accumulated", "FIT due, met in a codeword", accumulated_due);
  add("fit_due_both", "FIT due, both", both_due);
  return table_of("points", columns, points);
}

}  // namespace tilestrike::campaigns

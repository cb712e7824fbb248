// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What is reported of a campaign.
#include <fmt/format.h>

#include "base/text.h"
#include "campaigns/report/report.h"
#include "campaigns/report/summary.h"
#include "campaigns/scenario/judge_fields.h"

namespace tilestrike::campaigns {
namespace {

std::string interval_text(const Summary& summary) {
  const bool is_stratified =
      !summary.strata.empty() || (summary.strikes && summary.strikes->is_stratified);
  return std::string(summary.unit == "fault"
                         ? "Gaffke's bounds of the mean share of images per fault"
                         : "Clopper and Pearson's; one-sided where all trials agree") +
         (is_stratified ? "; by strata, as below" : "");
}

std::string counted_text(const Summary& summary) {
  return fmt::format(
      "counted: {} of {} {}s{}{}", summary.counted, summary.planned, summary.unit,
      summary.kept > 0 ? fmt::format(" ({} more are kept, but not a random sample until those "
                                     "before them are done)",
                                     summary.kept)
                       : "",
      summary.unmet.empty() ? ""
                            : "; less precise than 'until' asks: " + join(summary.unmet, ", "));
}

/// "91.20 %", or "12.4".
std::string value_text(const bridge::Metric& metric, double value) {
  return metric.is_share ? fmt::format("{:.2f} %", 100.0 * value) : fmt::format("{:.4g}", value);
}

/// What the rates mean where an answer is no vector of classes, and what is kept of long answers.
void add_judge(const Summary& summary, Report& report) {
  const bool is_told = summary.judge.kind != bridge::JudgeKind::kAuto &&
                       summary.judge.kind != bridge::JudgeKind::kTopK;
  report.fact("judge", std::string(bridge::name_of(summary.judge.kind)));
  std::vector<std::string> there, missing;
  for (const Rate rate : kRefinements) {
    const std::string meaning = meaning_of(rate, summary.judge);
    if (meaning.empty()) {
      missing.push_back(name_of(rate));
    } else {
      there.push_back(name_of(rate) + ": " + meaning);
    }
  }
  if (is_told) {
    report.say(fmt::format("judged as {}: {}{}{}", bridge::name_of(summary.judge.kind),
                           join(there, "; "), missing.empty() ? "" : "; it has no ",
                           join(missing, ", ")));
  }
  if (summary.answer_numbers > static_cast<std::int64_t>(bridge::kMostKept)) {
    report.say(fmt::format(
        "an answer has {} numbers: of a faulty one those that differ are kept up to {} of them "
        "(column differences), else a digest (answer_digest)",
        summary.answer_numbers, bridge::kMostDifferences));
  }
}

/// The judge's metric under faults, and how much of the answers differs.
void add_score(const Summary& summary, Report& report) {
  if (summary.golden_score) {
    const ScoreEstimate& score = summary.score;
    report.fact("score/metric", summary.metric.name);
    report.fact("score/golden", *summary.golden_score_struck);
    report.fact("score/of", std::string(score.is_change ? "change" : "metric"));
    report.fact("score/is", std::string(score.is_median ? "median" : "mean"));
    report.fact("score/under_faults",
                score.estimate.n > 0 ? FactValue(score.estimate) : FactValue(nullptr));
    if (score.estimate.n > 0) {
      const std::string value = summary.metric.is_share && !score.is_change
                                    ? text_of(FactValue(Share{score.estimate}))
                                    : text_of(FactValue(score.estimate));
      const std::string what = score.is_change
                                   ? "change of the " + summary.metric.name + " of a struck image"
                                   : summary.metric.name + " under these faults";
      report.say(fmt::format("{}{}: {}; golden {}", what,
                             score.is_median ? fmt::format(" (median over {}s)", summary.unit) : "",
                             value, value_text(summary.metric, *summary.golden_score_struck)));
    }
  }
  if (summary.differing.n > 0) {
    report.fact("share_differing", Share{summary.differing});
    report.say("share of an answer's " +
               std::string(summary.judge.kind == bridge::JudgeKind::kSegmentation ? "pixels"
                           : summary.judge.kind == bridge::JudgeKind::kTokens     ? "positions"
                           : summary.judge.kind == bridge::JudgeKind::kBinary     ? "decisions"
                                                                                  : "detections") +
               " that differ, on average: " + text_of(FactValue(Share{summary.differing})));
  }
}

void add_sample(const Summary& summary, Report& report) {
  report.fact("label", summary.label);
  report.fact("title", summary.title);
  report.fact("population", summary.population);
  report.fact("unit", summary.unit);
  report.fact("confidence", summary.confidence);
  report.fact("census", summary.is_census);
  report.fact("planned", summary.planned);
  report.fact("counted", summary.counted);
  report.fact("kept_beyond", summary.kept);
  report.fact("less_precise_than_asked", summary.unmet);
  report.fact("images", summary.images);
  const bool is_accuracy = summary.metric.name == bridge::kTop1Accuracy && summary.golden_score;
  report.fact("accuracy", is_accuracy ? FactValue(*summary.golden_score) : FactValue(nullptr));
  report.fact("device", summary.device);
  report.say("population: " + summary.population);
  if (summary.coverage) {
    report.add("coverage", report_of(*summary.coverage));
  }
  report.say(summary.is_census
                 ? std::string("every member once: no sampling error")
                 : fmt::format("{:g} % intervals over {}s ({})", 100.0 * summary.confidence,
                               summary.unit, interval_text(summary)));
  report.say(fmt::format(
      "golden run: {} images on {}{}", summary.images, summary.device,
      !summary.golden_score
          ? ", no labels"
          : ", " + summary.metric.name + " " + value_text(summary.metric, *summary.golden_score)));
  add_judge(summary, report);
  report.say(counted_text(summary));
  report.say("");
}

void add_strata(const std::vector<Stratum>& strata, Report& report) {
  using Stratum = Stratum;
  const std::vector<ColumnOf<Stratum>> columns = {
      {{"name", ""}, [](const Stratum& stratum) { return stratum.name; }},
      {{"bits", ""}, [](const Stratum& stratum) { return stratum.bits; }},
      {{"share_of_bits", ""}, [](const Stratum& stratum) { return stratum.weight; }},
      {{"share_of_trials", ""}, [](const Stratum& stratum) { return stratum.share; }},
  };
  report.add(table_of("strata", columns, strata));
  std::vector<std::string> parts;
  for (const Stratum& stratum : strata) {
    parts.push_back(fmt::format("{} {:.4g} ({:.4g})", stratum.name, stratum.weight, stratum.share));
  }
  if (!parts.empty()) {
    report.say("strata, share of the bits (of the trials): " + join(parts, ", "));
  }
}

/// What rates of a strike on tensors mean, and the accuracy.
void add_tensors(const Summary& summary, Report& report) {
  report.fact("weight", summary.weight);
  report.fact("expected_faults", summary.expected_faults);
  report.fact("mean_faults", summary.mean_faults);
  report.fact("faults_per_parameter", *summary.per_parameter);
  std::string text = fmt::format("faults per trial: {:.4g} on average", summary.mean_faults);
  if (summary.weight < 1.0) {
    text += fmt::format(
        "; {:.4g} expected, so that {:.4g} of all are without a fault; trials have at least one, "
        "and rates over all contain the factor {:.4g}",
        summary.expected_faults, 1.0 - summary.weight, summary.weight);
  }
  report.say(text);
  report.say(summary.is_list
                 ? fmt::format("faults per parameter of the tensors that the list names: {:.3g}",
                               *summary.per_parameter)
                 : fmt::format("expected faults per parameter: {:.3g}", *summary.per_parameter));
  add_strata(summary.strata, report);
  const bool is_known =
      summary.score.estimate.n > 0 && summary.metric.name == bridge::kTop1Accuracy;
  report.fact("accuracy_under_faults",
              is_known ? FactValue(Share{summary.score.estimate}) : FactValue(nullptr));
  report.say("");
}

/// What rates of a strike on memories mean, where a trial may be without a fault.
void add_condition(const Summary& summary, Report& report) {
  report.fact("weight", summary.weight);
  report.fact(summary.is_of_events ? "expected_events" : "expected_faults",
              summary.expected_faults);
  report.say(fmt::format(
      "{:.4g} {} expected, so that {:.4g} of all trials are without one; those drawn have at least "
      "one, and rates over all contain the factor {:.4g}",
      summary.expected_faults, summary.is_of_events ? "events" : "faulty cells",
      1.0 - summary.weight, summary.weight));
  report.say("");
}

/// Nothing where the judge has no such rate: 0 would be an answer.
FactValue known(const Group& group, Rate rate, const Estimate& estimate) {
  const bool is_judged = group.activated.n == 0 || group.rates[rate].n > 0;
  return is_judged ? FactValue(Share{estimate}) : FactValue(nullptr);
}

/// `nothing` names the group of the trials that struck none.
std::vector<ColumnOf<Group>> group_columns(const std::string& heading, const std::string& nothing) {
  constexpr std::size_t kNumber = 7, kShare = 24;  // tables below each other stand in line
  std::vector<ColumnOf<Group>> columns = {
      {{"name", heading},
       [nothing](const Group& group) {
         return Entry(group.name, group.name.empty() ? nothing : group.name);
       }},
      {{"n", "n", true, kNumber}, [](const Group& group) { return group.activated.n; }},
      {{"activated", "activated", false, kShare},
       [](const Group& group) { return Share{group.activated}; }},
  };
  const auto is_told = [](Rate rate) { return rate == Rate::kSdc || rate == Rate::kSdc1; };
  for (const Rate rate : kRates) {
    columns.push_back(
        {{"over_all/" + name_of(rate), is_told(rate) ? name_of(rate) : "", false, kShare},
         [rate](const Group& group) { return known(group, rate, group.rates[rate]); }});
  }
  columns.push_back({{"", "activated", true},
                     [](const Group& group) { return group.rates_of_activated[Rate::kSdc].n; }});
  for (const Rate rate : kRates) {
    columns.push_back(
        {{"over_activated/" + name_of(rate), rate == Rate::kSdc ? "sdc of activated" : ""},
         [rate](const Group& group) {
           return known(group, rate, group.rates_of_activated[rate]);
         }});
  }
  for (const Term& term : kMaskedAtTerms) {
    if (const std::string name(term.name); !name.empty()) {
      const bool is_of_cores =
          name == name_of(MaskedAt::kCore) || name == name_of(MaskedAt::kReadout);
      columns.push_back({{"masked_at/" + name, ""}, [name, is_of_cores](const Group& group) {
                           const auto found = group.masked_at.find(name);
                           // Places of cores are told where something has ended there.
                           return found != group.masked_at.end() ? Entry(found->second)
                                  : is_of_cores ? Entry(FactValue(std::monostate()))
                                                : Entry(std::int64_t{0});
                         }});
    }
  }
  return columns;
}

void add_groups(const Summary& summary, Report& report) {
  const auto columns = group_columns(summary.headings.part, "");
  report.record("all", columns, summary.all);
  if (!summary.per_parameter && summary.weight < 1.0) {
    add_condition(summary, report);
  }
  ReportTable parts = table_of(summary.headings.part + "s", columns, summary.registers);
  if (!summary.strikes) {
    parts.total = entries_of(columns, summary.all);
    report.add(std::move(parts));
    report.say("");
  } else {
    report.add(std::move(parts));
  }
  report.add(table_of("layers", group_columns("first layer struck", summary.headings.without_layer),
                      summary.layers));
  if (!summary.layers.empty()) {
    report.say("");
  }
  if (summary.device_fit > 0.0) {
    report.fact("device_fit", summary.device_fit);
  }
  if (summary.strikes) {
    report.add("strikes", report_of(*summary.strikes));
    report.say("");
  }
}

void say_outcomes(const Summary& summary, Report& report) {
  std::string masked = "masked at:";
  for (const Term& term : kMaskedAtTerms) {
    if (const auto found = summary.all.masked_at.find(std::string(term.name));
        found != summary.all.masked_at.end()) {
      masked += fmt::format(" {} {}", term.name, found->second);
    }
  }
  report.say(masked + fmt::format(" (of {})", summary.all.activated.n));
  std::vector<std::string> outcomes;
  for (const Rate rate : kRates) {
    outcomes.push_back(name_of(rate) + " " + text_of(FactValue(Share{summary.all.rates[rate]})));
  }
  report.say("all outcomes: " + join(outcomes, ", "));
  add_score(summary, report);
  if (summary.device_fit > 0.0) {
    std::string text = fmt::format("failures of devices: {:.4g} FIT", summary.device_fit);
    for (const Rate rate : {Rate::kSdc, Rate::kSdc1, Rate::kDue}) {
      const Estimate fit = summary.all.rates[rate].times(summary.device_fit);
      if (meaning_of(rate, summary.judge).empty()) {
        continue;
      }
      text += fmt::format("; {} {:.3g} [{:.3g}, {:.3g}] FIT", name_of(rate), fit.value,
                          fit.interval.low, fit.interval.high);
    }
    report.say(text +
               (summary.unit == "fault" ? " (times the share of inferences that end so)" : ""));
  }
}

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

Report report_of(const Summary& summary) {
  Report report;
  report.label = summary.label;
  report.title = summary.title;
  add_sample(summary, report);
  if (summary.per_parameter) {
    add_tensors(summary, report);
  }
  add_groups(summary, report);
  say_outcomes(summary, report);
  if (summary.audit) {
    report.add("audit", report_of(*summary.audit));
  }
  if (!summary.inputs.empty()) {
    add_inputs(summary.inputs, report);
  }
  report.fact("not_modelled", summary.not_modelled);
  report.fact("warnings", summary.warnings);
  report.say("not modelled: " + join(summary.not_modelled, "; "));
  for (const std::string& warning : summary.warnings) {
    report.warn(warning);
  }
  return report;
}

ReportTable points_table(const std::vector<Summary>& summaries) {
  return points_table(points_of(summaries));
}

}  // namespace tilestrike::campaigns

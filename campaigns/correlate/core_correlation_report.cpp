// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.h"
#include "campaigns/correlate/compared_trials.h"
#include "campaigns/correlate/core_correlation.h"
#include "campaigns/report/report.h"

namespace tilestrike::campaigns {
namespace {

ReportTable field_table(const CorePoint& point) {
  ReportTable table;
  table.key = "fields";
  table.columns = {{"field", "field"},
                   {"strikes", "strikes", true},
                   {"dead", "dead", true},
                   {"masked", "masked", true},
                   {"corrupted", "corrupted", true},
                   {"hung", "hung", true},
                   {"differed", "differed", true}};
  for (const auto& [name, counts] : point.fields) {
    table.rows.push_back({name, counts.strikes, counts.dead, counts.masked, counts.corrupted,
                          counts.hung,
                          Entry(counts.differed, std::to_string(counts.differed),
                                counts.differed > 0 ? Tone::kBad : Tone::kPlain)});
  }
  return table;
}

ReportTable pair_table(const CorePoint& point) {
  ReportTable table;
  table.key = "pairs";
  table.columns = {{"engines", "engines"},
                   {"agreed", "agreed", true},
                   {"differed", "differed", true},
                   {"not_covered", "not covered", true},
                   {"with_states", "all storage too", true}};
  for (const CorePairCounts& pair : point.pairs) {
    table.rows.push_back({pair.engines.first + ", " + pair.engines.second, pair.agreed,
                          Entry(pair.differed, std::to_string(pair.differed),
                                pair.differed > 0 ? Tone::kBad : Tone::kPlain),
                          pair.not_covered, pair.with_states});
  }
  return table;
}

std::string verdict_of(const CorePoint& point) {
  const std::int64_t compared = point.compared, differed = point.differed();
  if (compared == 0) {
    return "no fault was compared";
  }
  if (differed > 0) {
    return fmt::format("engines differ on {} of {} faults", differed, compared);
  }
  if (point.is_census) {
    return fmt::format("all engines agree on all {} faults of the population", compared);
  }
  return fmt::format(
      "all engines agree on {} fault{}: with {:g} % confidence they differ on less than {:.2g} of "
      "the population",
      compared, compared == 1 ? "" : "s", 100.0 * point.confidence, point.bound());
}

/// The first disagreement, and the command that shows it again with waveforms.
void add_first(const CorePoint& point, const std::string& command, Report& report) {
  const CoreDifference& first = *point.first;
  report.fact("first/trial", first.trial);
  report.fact("first/fault", first.fault);
  report.fact("first/engines", std::vector{first.engines.first, first.engines.second});
  report.fact("first/answer", first.answer);
  report.fact("first/state", first.state);
  report.say(fmt::format("first disagreement: trial {}, image {}: {}", first.trial, first.image,
                         first.fault));
  report.say(fmt::format("  {} and {} part: {}{}{}", first.engines.first, first.engines.second,
                         first.state, !first.state.empty() && !first.answer.empty() ? "; " : "",
                         first.answer));
  const std::string again =
      command_of_trial(command, point.label, point.number, first.trial, first.engines);
  if (!again.empty()) {
    report.fact("again", again);
    report.say("again: " + again, Tone::kCommand);
  }
}

Report report_of(const CorePoint& point, const std::string& command) {
  Report report;
  report.label = point.label;
  report.title = point.title;
  report.fact("label", point.label);
  report.fact("population", point.population);
  report.fact("engines", point.engines);
  report.fact("census", point.is_census);
  report.fact("struck", point.struck);
  report.fact("compared", point.compared);
  report.fact("differed", point.differed());
  report.fact("waveforms", point.waveforms);
  report.say("population: " + point.population);
  report.say("engines: " + join(point.engines, ", "));
  report.say(fmt::format("struck: {} of {} trials", point.struck, point.planned));
  report.say("");
  report.add(field_table(point));
  report.say("");
  report.add(pair_table(point));
  report.say("");
  report.say(verdict_of(point), point.first ? Tone::kBad : Tone::kGood);
  if (point.first) {
    add_first(point, command, report);
  }
  for (const std::string& path : point.waveforms) {
    report.say("waveform: " + path);
  }
  return report;
}

}  // namespace

Report report_of(const CoreCorrelation& found, const std::string& command) {
  Report report;
  report.fact("agrees", found.agrees());
  report.fact("interrupted", found.is_interrupted);
  report.say(command, Tone::kCommand, true);
  if (found.is_interrupted) {
    report.say("interrupted: not all trials are in", Tone::kPlain, true);
  }
  std::vector<Report> points;
  for (const CorePoint& point : found.points) {
    points.push_back(report_of(point, command));
  }
  report.add_list("scenarios", std::move(points));
  return report;
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/correlate/correlation_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "campaigns/correlate/compared_trials.h"
#include "campaigns/correlate/correlation_tables.h"

namespace tilestrike::campaigns {
namespace {

/// Who parts, on which fault, where first.
std::vector<std::string> disagreement_lines(const PointCorrelation& point) {
  std::vector<std::string> lines;
  const CorrelatedFault& fault = *point.first;
  lines.push_back(fmt::format("first disagreement: trial {}, image {}: {}, {}", fault.trial,
                              fault.image, fault.text, sim::name_of(fault.phase)));
  for (const CorrelatedPair& pair : fault.pairs) {
    if (pair.verdict != sim::Verdict::kDiffer) {
      continue;
    }
    const EnginePair& engines = point.pairs[pair.pair];
    std::string line =
        fmt::format("  {} and {} part in layer {}:", engines.first, engines.second, pair.layer);
    if (pair.state >= 0) {
      line += fmt::format(" {} at cycle {} of its run: {}", pair.state_register, pair.state,
                          pair.states);
    }
    if (!pair.answer.empty()) {
      line += fmt::format("{} {} says {}", pair.state >= 0 ? ";" : "", engines.second, pair.answer);
    }
    lines.push_back(line);
  }
  return lines;
}

void add_counts(const std::string& key, const FaultCounts& counts, Report& report) {
  report.fact(key + "/strikes", counts.strikes);
  report.fact(key + "/unchanged", counts.unchanged);
  report.fact(key + "/masked", counts.masked);
  report.fact(key + "/corrupted", counts.corrupted);
  report.fact(key + "/agreed", counts.agreed);
  report.fact(key + "/differed", counts.differed);
}

/// For scripts.
Report report_of(const PointCorrelation& point, std::size_t pair) {
  const PairCounts counts = point.of_pair(pair);
  Report report;
  report.fact("first", point.pairs[pair].first);
  report.fact("second", point.pairs[pair].second);
  report.fact("agreed", counts.agreed);
  report.fact("differed", counts.differed);
  report.fact("not_covered", counts.not_covered);
  report.fact("with_end", counts.with_end);
  report.fact("with_states", counts.with_states);
  for (std::size_t kind = 0; kind < point.registers.size(); ++kind) {
    for (std::size_t phase = 0; phase < sim::kPhases; ++phase) {
      const PairCounts& cell = point.matrix[pair][kind][phase];
      if (cell.compared() + cell.not_covered > 0) {
        const std::string key = "matrix/" + point.registers[kind] + "/" +
                                std::string(sim::name_of(static_cast<sim::Phase>(phase)));
        report.fact(key + "/agreed", cell.agreed);
        report.fact(key + "/differed", cell.differed);
        report.fact(key + "/not_covered", cell.not_covered);
      }
    }
  }
  return report;
}

Report report_of(const CorrelatedPair& pair, const EnginePair& engines) {
  Report report;
  report.fact("first", engines.first);
  report.fact("second", engines.second);
  report.fact("verdict", std::string(sim::name_of(pair.verdict)));
  if (pair.verdict != sim::Verdict::kDiffer) {
    return report;
  }
  report.fact("layer", pair.layer);
  report.fact("differs_in", pair.differs_in);
  if (pair.pass >= 0) {
    report.fact("output/pass", std::int64_t{pair.pass});
    report.fact("output/row", std::int64_t{pair.row});
    report.fact("output/column", std::int64_t{pair.column});
  }
  if (!pair.answer.empty()) {
    report.fact("answer", pair.answer);
  }
  if (pair.state >= 0) {
    report.fact("state/register", pair.state_register);
    report.fact("state/cycle", pair.state);
    report.fact("state/words", pair.states);
  }
  return report;
}

Report report_of(const CorrelatedFault& fault, const PointCorrelation& point) {
  Report report;
  report.fact("trial", fault.trial);
  report.fact("image", fault.image);
  report.fact("fault", fault.text);
  report.fact("register", fault.register_name);
  report.fact("cycle", fault.cycle);
  report.fact("phase", std::string(sim::name_of(fault.phase)));
  std::vector<Report> pairs;
  for (const CorrelatedPair& pair : fault.pairs) {
    pairs.push_back(report_of(pair, point.pairs[pair.pair]));
  }
  report.add_list("pairs", std::move(pairs));
  return report;
}

void add_sample(const PointCorrelation& point, Report& report) {
  const FaultCounts all = point.all();
  report.fact("label", point.label);
  report.fact("title", point.title);
  report.fact("population", point.population);
  report.fact("engines", point.engines);
  report.fact("census", point.is_census);
  report.fact("trials", point.planned);
  report.fact("struck", point.struck);
  report.fact("without_run", point.without_run);
  report.fact("compares_states", point.compares_states);
  report.fact("notes", point.notes);
  add_counts("all", all, report);
  report.fact("upper_bound", point.bound(all.differed, all.compared()));
  report.fact("confidence", point.confidence);
  for (std::size_t kind = 0; kind < point.registers.size(); ++kind) {
    add_counts("registers/" + point.registers[kind], point.of_register(kind), report);
  }
  std::vector<Report> pairs;
  for (std::size_t pair = 0; pair < point.pairs.size(); ++pair) {
    pairs.push_back(report_of(point, pair));
  }
  report.add_list("pairs", std::move(pairs));
  report.say("population: " + point.population);
  report.say("engines: " + join(point.engines, ", "));
  report.say(fmt::format("struck: {} of {} trials; {} of them met a run of the mesh", point.struck,
                         point.planned, all.strikes));
  if (!point.compares_states) {
    report.say("register by register: fewer than two of these engines move every register");
  }
  for (const std::string& note : point.notes) {
    report.say("note: " + note, Tone::kFaint);
  }
}

void add_tables(const PointCorrelation& point, Report& report) {
  if (point.all().strikes == 0) {
    return;
  }
  report.say("");
  report.add(register_table(point));
  report.say("");
  report.add(pair_table(point));
  report.say("");
  report.add(phase_table(point, std::nullopt));
  for (std::size_t pair = 0; pair < point.pairs.size(); ++pair) {
    if (ReportTable table = phase_table(point, pair); !table.rows.empty()) {
      if (!table.is_detail) {
        report.say("");
      }
      report.add(std::move(table));
    }
  }
}

Report report_of(const PointCorrelation& point, const std::string& command) {
  Report report;
  report.label = point.label;
  report.title = point.title;
  add_sample(point, report);
  const std::string again = reproduction_of(point, command);
  if (point.first) {
    report.add("first", report_of(*point.first, point));
    report.fact("again", again);
  }
  report.fact("waveforms", point.waveforms);
  add_tables(point, report);
  report.say("");
  report.say(verdict_text(point), point.first ? Tone::kBad : Tone::kGood);
  if (point.first) {
    for (const std::string& line : disagreement_lines(point)) {
      report.say(line);
    }
  }
  if (!again.empty()) {
    report.say("again: " + again, Tone::kCommand);
  }
  for (const std::string& path : point.waveforms) {
    report.say("waveform: " + path);
  }
  return report;
}

}  // namespace

std::string reproduction_of(const PointCorrelation& point, const std::string& command) {
  if (!point.first) {
    return "";
  }
  return command_of_trial(command, point.label, point.number, point.first->trial,
                          point.pairs[point.first->differing()->pair]);
}

Report report_of(const CorrelationReport& found, const std::string& command) {
  Report report;
  report.fact("agrees", found.agrees());
  report.fact("interrupted", found.is_interrupted);
  report.fact("has_rtl", found.has_rtl);
  report.say(command, Tone::kCommand, true);
  if (found.is_interrupted) {
    report.say("interrupted: not all trials are in", Tone::kPlain, true);
  }
  if (!found.has_rtl) {
    report.say("this build has no RTL: the other engines are compared");
    report.say("");
  }
  std::vector<Report> points;
  for (const PointCorrelation& point : found.points) {
    points.push_back(report_of(point, command));
  }
  report.add_list("scenarios", std::move(points));
  return report;
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/correlate/correlation_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tilestrike::campaigns {
namespace {

std::string padded(const CorrelationTable& table) {
  std::vector<std::size_t> widths(table.front().size(), 0);
  for (const auto& row : table) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : table) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += i == 0 ? fmt::format("{:<{}}", row[i], widths[i])
                     : fmt::format("  {:>{}}", row[i], widths[i]);
    }
    text += "\n";
  }
  return text;
}

std::string percent(double share) { return fmt::format("{:.3g} %", 100.0 * share); }

std::string share_of(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? "-" : percent(static_cast<double>(part) / static_cast<double>(whole));
}

/// Of a sample; of a census there is nothing to bound.
std::string bound_text(const PointCorrelation& point, std::int64_t differed,
                       std::int64_t compared) {
  return compared == 0
             ? "-"
             : (point.is_census ? "= " : "<= ") + percent(point.bound(differed, compared));
}

std::vector<std::string> register_row(const PointCorrelation& point, const std::string& name,
                                      const FaultCounts& counts) {
  return {name,
          std::to_string(counts.strikes),
          std::to_string(counts.unchanged),
          std::to_string(counts.masked),
          share_of(counts.masked, counts.masked + counts.corrupted),
          std::to_string(counts.corrupted),
          std::to_string(counts.agreed),
          std::to_string(counts.differed),
          bound_text(point, counts.differed, counts.compared())};
}

std::string point_text(const PointCorrelation& point, const std::string& reproduction) {
  std::string text = point.label.empty() ? "" : point.label + "\n";
  text += fmt::format("{}\npopulation: {}\nengines: {}\n", point.title, point.population,
                      join(point.engines, ", "));
  const FaultCounts all = point.all();
  text += fmt::format("struck: {} of {} trials; {} of them met a run of the mesh\n", point.struck,
                      point.planned, all.strikes);
  text += point.compares_states
              ? ""
              : "register by register: fewer than two of these engines move every register\n";
  for (const std::string& note : point.notes) {
    text += "note: " + note + "\n";
  }
  if (all.strikes > 0) {
    text += "\n" + padded(register_table(point)) + "\n" + padded(pair_table(point)) +
            "\nfaults compared, by phase:\n" + padded(phase_table(point, -1));
    for (std::size_t pair = 0; pair < point.pairs.size(); ++pair) {
      if (point.of_pair(pair).differed > 0) {
        text += fmt::format("\n{} and {}, by phase:\n", point.pairs[pair].first,
                            point.pairs[pair].second) +
                padded(phase_table(point, static_cast<int>(pair)));
      }
    }
  }
  text += "\n" + verdict_text(point) + "\n";
  for (const std::string& line : disagreement_lines(point)) {
    text += line + "\n";
  }
  text += reproduction.empty() ? "" : "again: " + reproduction + "\n";
  for (const std::string& path : point.waveforms) {
    text += "waveform: " + path + "\n";
  }
  return text;
}

nlohmann::ordered_json json_of(const FaultCounts& counts) {
  return {{"strikes", counts.strikes}, {"unchanged", counts.unchanged},
          {"masked", counts.masked},   {"corrupted", counts.corrupted},
          {"agreed", counts.agreed},   {"differed", counts.differed}};
}

nlohmann::ordered_json json_of(const CorrelatedPair& pair, const EnginePair& engines) {
  nlohmann::ordered_json json = {{"first", engines.first},
                                 {"second", engines.second},
                                 {"verdict", sim::name_of(pair.verdict)}};
  if (pair.verdict != sim::Verdict::kDiffer) {
    return json;
  }
  json["layer"] = pair.layer;
  json["differs_in"] = pair.differs_in;
  if (pair.pass >= 0) {
    json["output"] = {{"pass", pair.pass}, {"row", pair.row}, {"column", pair.column}};
  }
  if (!pair.answer.empty()) {
    json["answer"] = pair.answer;
  }
  if (pair.state >= 0) {
    json["state"] = {
        {"register", pair.state_register}, {"cycle", pair.state}, {"words", pair.states}};
  }
  return json;
}

nlohmann::ordered_json json_of(const CorrelatedFault& fault, const PointCorrelation& point) {
  nlohmann::ordered_json json = {{"trial", fault.trial}, {"image", fault.image},
                                 {"fault", fault.text},  {"register", fault.register_name},
                                 {"cycle", fault.cycle}, {"phase", sim::name_of(fault.phase)}};
  json["pairs"] = nlohmann::ordered_json::array();
  for (const CorrelatedPair& pair : fault.pairs) {
    json["pairs"].push_back(json_of(pair, point.pairs[pair.pair]));
  }
  return json;
}

}  // namespace

CorrelationTable register_table(const PointCorrelation& point) {
  CorrelationTable table = {{"register", "strikes", "unchanged", "masked", "of changed",
                             "corrupted", "agree", "differ", "rate of differing"}};
  for (std::size_t kind = 0; kind < point.registers.size(); ++kind) {
    if (const FaultCounts counts = point.of_register(kind); counts.strikes > 0) {
      table.push_back(register_row(point, point.registers[kind], counts));
    }
  }
  table.push_back(register_row(point, "all", point.all()));
  return table;
}

CorrelationTable pair_table(const PointCorrelation& point) {
  CorrelationTable table = {{"engines", "agree", "differ", "not covered", "end state too",
                             "all registers too", "rate of differing"}};
  for (std::size_t pair = 0; pair < point.pairs.size(); ++pair) {
    const PairCounts counts = point.of_pair(pair);
    table.push_back({point.pairs[pair].first + ", " + point.pairs[pair].second,
                     std::to_string(counts.agreed), std::to_string(counts.differed),
                     std::to_string(counts.not_covered), std::to_string(counts.with_end),
                     std::to_string(counts.with_states),
                     bound_text(point, counts.differed, counts.compared())});
  }
  return table;
}

CorrelationTable phase_table(const PointCorrelation& point, int pair) {
  const auto counts_of = [&](std::size_t kind, std::size_t phase) {
    if (pair < 0) {
      const FaultCounts& counts = point.faults[kind][phase];
      return std::pair(counts.compared(), counts.differed);
    }
    const PairCounts& counts = point.matrix[static_cast<std::size_t>(pair)][kind][phase];
    return std::pair(counts.compared(), counts.differed);
  };
  std::vector<std::size_t> phases;
  for (std::size_t phase = 0; phase < sim::kPhases; ++phase) {
    for (std::size_t kind = 0; kind < point.registers.size(); ++kind) {
      if (counts_of(kind, phase).first > 0) {
        phases.push_back(phase);
        break;
      }
    }
  }
  CorrelationTable table = {{"register"}};
  for (const std::size_t phase : phases) {
    table.front().emplace_back(sim::name_of(static_cast<sim::Phase>(phase)));
  }
  for (std::size_t kind = 0; kind < point.registers.size(); ++kind) {
    std::vector<std::string> row = {point.registers[kind]};
    std::int64_t in_row = 0;
    for (const std::size_t phase : phases) {
      const auto [compared, differed] = counts_of(kind, phase);
      in_row += compared;
      row.push_back(compared == 0   ? "."
                    : differed == 0 ? std::to_string(compared)
                                    : fmt::format("{} of {} differ", differed, compared));
    }
    if (in_row > 0) {
      table.push_back(std::move(row));
    }
  }
  return table;
}

std::string verdict_text(const PointCorrelation& point) {
  const FaultCounts all = point.all();
  if (all.compared() == 0) {
    return "no fault was compared";
  }
  std::string text = fmt::format("{} of {} faults differ; ", all.differed, all.compared());
  if (point.is_census) {
    return text + "they are the whole population";
  }
  return text + fmt::format("at most {} of all do, with {:g} % confidence",
                            percent(point.bound(all.differed, all.compared())),
                            100.0 * point.confidence);
}

std::vector<std::string> disagreement_lines(const PointCorrelation& point) {
  std::vector<std::string> lines;
  if (!point.first) {
    return lines;
  }
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

std::string reproduction_of(const PointCorrelation& point, const std::string& command) {
  if (!point.first || command.empty()) {
    return "";
  }
  const EnginePair& engines = point.pairs[point.first->differing()->pair];
  std::string text = command;
  if (!point.label.empty()) {
    text += fmt::format(" --scenario {}", point.number);
  }
  return text + fmt::format(" --trial {} --engines {},{} --vcd vcd", point.first->trial,
                            engines.first, engines.second);
}

std::string text_of(const CorrelationReport& report, const std::string& command) {
  std::string text;
  if (!report.has_rtl) {
    text += "this build has no RTL: the other engines are compared\n\n";
  }
  for (std::size_t i = 0; i < report.points.size(); ++i) {
    text += (i == 0 ? "" : "\n") +
            point_text(report.points[i], reproduction_of(report.points[i], command));
  }
  return text;
}

nlohmann::ordered_json json_of(const CorrelationReport& report, const std::string& command) {
  nlohmann::ordered_json json = {{"agrees", report.agrees()},
                                 {"interrupted", report.is_interrupted},
                                 {"has_rtl", report.has_rtl}};
  json["scenarios"] = nlohmann::ordered_json::array();
  for (const PointCorrelation& point : report.points) {
    const FaultCounts all = point.all();
    nlohmann::ordered_json entry = {{"label", point.label},
                                    {"title", point.title},
                                    {"population", point.population},
                                    {"engines", point.engines},
                                    {"census", point.is_census},
                                    {"trials", point.planned},
                                    {"struck", point.struck},
                                    {"without_run", point.without_run},
                                    {"compares_states", point.compares_states},
                                    {"notes", point.notes},
                                    {"all", json_of(all)},
                                    {"upper_bound", point.bound(all.differed, all.compared())},
                                    {"confidence", point.confidence}};
    entry["registers"] = nlohmann::ordered_json::object();
    for (std::size_t kind = 0; kind < point.registers.size(); ++kind) {
      entry["registers"][point.registers[kind]] = json_of(point.of_register(kind));
    }
    entry["pairs"] = nlohmann::ordered_json::array();
    for (std::size_t pair = 0; pair < point.pairs.size(); ++pair) {
      const PairCounts counts = point.of_pair(pair);
      nlohmann::ordered_json of_pair = {
          {"first", point.pairs[pair].first},  {"second", point.pairs[pair].second},
          {"agreed", counts.agreed},           {"differed", counts.differed},
          {"not_covered", counts.not_covered}, {"with_end", counts.with_end},
          {"with_states", counts.with_states}};
      for (std::size_t kind = 0; kind < point.registers.size(); ++kind) {
        for (std::size_t phase = 0; phase < sim::kPhases; ++phase) {
          const PairCounts& cell = point.matrix[pair][kind][phase];
          if (cell.compared() + cell.not_covered > 0) {
            const std::string name(sim::name_of(static_cast<sim::Phase>(phase)));
            of_pair["matrix"][point.registers[kind]][name] = {{"agreed", cell.agreed},
                                                              {"differed", cell.differed},
                                                              {"not_covered", cell.not_covered}};
          }
        }
      }
      entry["pairs"].push_back(std::move(of_pair));
    }
    if (point.first) {
      entry["first"] = json_of(*point.first, point);
      entry["again"] = reproduction_of(point, command);
    }
    entry["waveforms"] = point.waveforms;
    json["scenarios"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace tilestrike::campaigns

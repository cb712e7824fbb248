// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/correlate/correlation_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tilestrike::campaigns {
namespace {

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

/// Numbers stand on the right.
std::vector<ReportColumn> columns_of(const std::vector<std::string>& headings) {
  std::vector<ReportColumn> columns;
  for (const std::string& heading : headings) {
    columns.push_back({"", heading, !columns.empty()});
  }
  return columns;
}

Entry disagreements(std::int64_t differed) {
  return {differed, std::to_string(differed), differed > 0 ? Tone::kBad : Tone::kPlain};
}

std::vector<Entry> register_row(const PointCorrelation& point, const std::string& name,
                                const FaultCounts& counts) {
  return {name,
          counts.strikes,
          counts.unchanged,
          counts.masked,
          share_of(counts.masked, counts.masked + counts.corrupted),
          counts.corrupted,
          counts.agreed,
          disagreements(counts.differed),
          bound_text(point, counts.differed, counts.compared())};
}

struct Compared {
  std::int64_t compared = 0, differed = 0;
};

Compared compared_in(const PointCorrelation& point, std::optional<std::size_t> pair,
                     std::size_t kind, std::size_t phase) {
  if (pair) {
    const PairCounts& counts = point.matrix[*pair][kind][phase];
    return {counts.compared(), counts.differed};
  }
  const FaultCounts& counts = point.faults[kind][phase];
  return {counts.compared(), counts.differed};
}

Entry compared_entry(const Compared& counts) {
  return counts.compared == 0 ? Entry(FactValue(), ".", Tone::kFaint)
         : counts.differed == 0
             ? Entry(counts.compared, std::to_string(counts.compared), Tone::kGood)
             : Entry(counts.differed,
                     fmt::format("{} of {} differ", counts.differed, counts.compared), Tone::kBad);
}

}  // namespace

ReportTable register_table(const PointCorrelation& point) {
  ReportTable table;
  table.columns = columns_of({"register", "strikes", "unchanged", "masked", "of changed",
                              "corrupted", "agree", "differ", "rate of differing"});
  for (std::size_t kind = 0; kind < point.registers.size(); ++kind) {
    if (const FaultCounts counts = point.of_register(kind); counts.strikes > 0) {
      table.rows.push_back(register_row(point, point.registers[kind], counts));
    }
  }
  table.total = register_row(point, "all", point.all());
  return table;
}

ReportTable pair_table(const PointCorrelation& point) {
  ReportTable table;
  table.columns = columns_of({"engines", "agree", "differ", "not covered", "end state too",
                              "all registers too", "rate of differing"});
  for (std::size_t pair = 0; pair < point.pairs.size(); ++pair) {
    const PairCounts counts = point.of_pair(pair);
    table.rows.push_back({point.pairs[pair].first + ", " + point.pairs[pair].second, counts.agreed,
                          disagreements(counts.differed), counts.not_covered, counts.with_end,
                          counts.with_states,
                          bound_text(point, counts.differed, counts.compared())});
  }
  return table;
}

ReportTable phase_table(const PointCorrelation& point, std::optional<std::size_t> pair) {
  const auto is_compared = [&](std::size_t kind, std::size_t phase) {
    return compared_in(point, pair, kind, phase).compared > 0;
  };
  std::vector<std::size_t> phases;
  std::vector<std::string> headings = {"register"};
  for (std::size_t phase = 0; phase < sim::kPhases; ++phase) {
    for (std::size_t kind = 0; kind < point.registers.size(); ++kind) {
      if (is_compared(kind, phase)) {
        phases.push_back(phase);
        headings.emplace_back(sim::name_of(static_cast<sim::Phase>(phase)));
        break;
      }
    }
  }
  ReportTable table;
  table.caption =
      pair ? fmt::format("{} and {}, by phase", point.pairs[*pair].first, point.pairs[*pair].second)
           : "faults compared, by phase";
  table.is_detail = pair && point.of_pair(*pair).differed == 0;
  table.columns = columns_of(headings);
  for (std::size_t kind = 0; kind < point.registers.size(); ++kind) {
    std::vector<Entry> row = {point.registers[kind]};
    for (const std::size_t phase : phases) {
      row.push_back(compared_entry(compared_in(point, pair, kind, phase)));
    }
    if (std::ranges::any_of(phases, [&](std::size_t phase) { return is_compared(kind, phase); })) {
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

std::string verdict_text(const PointCorrelation& point) {
  const FaultCounts all = point.all();
  if (all.compared() == 0) {
    return "no fault was compared";
  }
  const std::string text = fmt::format("{} of {} faults differ; ", all.differed, all.compared());
  return point.is_census ? text + "they are the whole population"
                         : text + fmt::format("at most {} of all do, with {:g} % confidence",
                                              percent(point.bound(all.differed, all.compared())),
                                              100.0 * point.confidence);
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/correlate/correlation_file.h"

#include "base/text.h"
#include "campaigns/correlate/correlation_database.h"

namespace tilestrike::campaigns {
namespace {

const std::vector<std::string> kTables = {
    "CREATE TABLE correlated_faults (scenario INTEGER, trial INTEGER, image INTEGER, register "
    "TEXT, "
    "\"row\" INTEGER, \"column\" INTEGER, position INTEGER, bit INTEGER, fault TEXT, cycle "
    "INTEGER, "
    "faults INTEGER, layer TEXT, phase TEXT, changed_word INTEGER, activated INTEGER, corrupted "
    "INTEGER, PRIMARY KEY (scenario, trial)) WITHOUT ROWID",
    "CREATE TABLE correlations (scenario INTEGER, trial INTEGER, pair INTEGER, first_engine TEXT, "
    "second_engine TEXT, verdict TEXT, with_end INTEGER, with_states INTEGER, layer TEXT, "
    "differs_in TEXT, pass INTEGER, output_row INTEGER, output_column INTEGER, answer TEXT, "
    "state_register TEXT, state_cycle INTEGER, state_words TEXT, PRIMARY KEY (scenario, trial, "
    "pair)) WITHOUT ROWID",
    "CREATE TABLE correlation_matrix (scenario INTEGER, first_engine TEXT, second_engine TEXT, "
    "register TEXT, phase TEXT, agreed INTEGER, differed INTEGER, not_covered INTEGER, with_end "
    "INTEGER, with_states INTEGER, PRIMARY KEY (scenario, first_engine, second_engine, register, "
    "phase)) WITHOUT ROWID"};

void bind_text(SQLite::Statement& statement, int index, const std::string& text) {
  if (text.empty()) {
    statement.bind(index);
  } else {
    statement.bind(index, text);
  }
}

void bind_place(SQLite::Statement& statement, int index, std::int64_t value) {
  if (value < 0) {
    statement.bind(index);
  } else {
    statement.bind(index, value);
  }
}

std::string marks(int count) {
  std::string text = "?";
  for (int i = 1; i < count; ++i) {
    text += ", ?";
  }
  return text;
}

}  // namespace

struct CorrelationFile::Store {
  CorrelationDatabase file;
  SQLite::Statement add_fault, add_pair;

  explicit Store(const std::string& path)
      : file(path, kTables),
        add_fault(file.database(), "INSERT INTO correlated_faults VALUES (" + marks(16) + ")"),
        add_pair(file.database(), "INSERT INTO correlations VALUES (" + marks(17) + ")") {}
};

CorrelationFile::CorrelationFile(const std::string& path) : store_(std::make_unique<Store>(path)) {}
CorrelationFile::~CorrelationFile() = default;

void CorrelationFile::add(const PointCorrelation& point, const CorrelatedFault& fault) {
  store_->file.add([&] {
    SQLite::Statement& row = store_->add_fault;
    row.reset();
    row.bind(1, point.number);
    row.bind(2, fault.trial);
    row.bind(3, fault.image);
    row.bind(4, fault.register_name);
    bind_place(row, 5, fault.site.row);
    bind_place(row, 6, fault.site.column);
    row.bind(7, fault.site.position);
    row.bind(8, fault.site.bit);
    row.bind(9, fault.kind);
    row.bind(10, fault.cycle);
    row.bind(11, fault.faults);
    row.bind(12, fault.layer);
    row.bind(13, std::string(sim::name_of(fault.phase)));
    row.bind(14, fault.changed_word ? 1 : 0);
    row.bind(15, fault.activated ? 1 : 0);
    row.bind(16, fault.corrupted ? 1 : 0);
    row.exec();
    for (const CorrelatedPair& pair : fault.pairs) {
      SQLite::Statement& cell = store_->add_pair;
      cell.reset();
      cell.bind(1, point.number);
      cell.bind(2, fault.trial);
      cell.bind(3, static_cast<std::int64_t>(pair.pair));
      cell.bind(4, point.pairs[pair.pair].first);
      cell.bind(5, point.pairs[pair.pair].second);
      cell.bind(6, std::string(sim::name_of(pair.verdict)));
      cell.bind(7, pair.has_end ? 1 : 0);
      cell.bind(8, pair.has_states ? 1 : 0);
      bind_text(cell, 9, pair.layer);
      bind_text(cell, 10, pair.differs_in);
      bind_place(cell, 11, pair.pass);
      bind_place(cell, 12, pair.row);
      bind_place(cell, 13, pair.column);
      bind_text(cell, 14, pair.answer);
      bind_text(cell, 15, pair.state_register);
      bind_place(cell, 16, pair.state);
      bind_text(cell, 17, pair.states);
      cell.exec();
    }
  });
}

void CorrelationFile::finish(const PointCorrelation& point) {
  const FaultCounts all = point.all();
  const CorrelatedScenario scenario{.scenario = point.number,
                                    .label = point.label,
                                    .expanded = point.document,
                                    .population = point.population,
                                    .engines = join(point.engines, ", "),
                                    .is_census = point.is_census,
                                    .trials = point.planned,
                                    .struck = point.struck,
                                    .without_run = point.without_run,
                                    .compared = all.compared(),
                                    .differed = all.differed,
                                    .upper_bound = point.bound(all.differed, all.compared()),
                                    .confidence = point.confidence};
  store_->file.finish(scenario, [&] {
    SQLite::Statement cell(store_->file.database(),
                           "INSERT INTO correlation_matrix VALUES (" + marks(10) + ")");
    for (std::size_t pair = 0; pair < point.pairs.size(); ++pair) {
      for (std::size_t kind = 0; kind < point.registers.size(); ++kind) {
        for (std::size_t phase = 0; phase < sim::kPhases; ++phase) {
          const PairCounts& counts = point.matrix[pair][kind][phase];
          if (counts.compared() + counts.not_covered == 0) {
            continue;
          }
          cell.reset();
          cell.bind(1, point.number);
          cell.bind(2, point.pairs[pair].first);
          cell.bind(3, point.pairs[pair].second);
          cell.bind(4, point.registers[kind]);
          cell.bind(5, std::string(sim::name_of(static_cast<sim::Phase>(phase))));
          cell.bind(6, counts.agreed);
          cell.bind(7, counts.differed);
          cell.bind(8, counts.not_covered);
          cell.bind(9, counts.with_end);
          cell.bind(10, counts.with_states);
          cell.exec();
        }
      }
    }
  });
}

}  // namespace tilestrike::campaigns

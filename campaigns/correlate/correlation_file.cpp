// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/correlate/correlation_file.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "campaigns/results/database_error.h"
#include "campaigns/results/version.h"

namespace tilestrike::campaigns {
namespace {

constexpr int kFormatVersion = 1;
constexpr int kMostOpenFaults = 10'000;

constexpr const char* kTables[] = {
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)",
    "CREATE TABLE scenarios (scenario INTEGER PRIMARY KEY, label TEXT, expanded TEXT, population "
    "TEXT, engines TEXT, is_census INTEGER, trials INTEGER, struck INTEGER, without_run INTEGER, "
    "compared INTEGER, differed INTEGER, upper_bound REAL, confidence REAL)",
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
  std::string path;
  SQLite::Database database;
  std::unique_ptr<SQLite::Transaction> batch;
  std::unique_ptr<SQLite::Statement> add_fault, add_pair;
  int open_faults = 0;

  explicit Store(const std::string& file)
      : path(file), database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 2000) {
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = NORMAL");
    SQLite::Transaction transaction(database);
    for (const char* table : kTables) {
      database.exec(table);
    }
    SQLite::Statement meta(database, "INSERT INTO meta VALUES (?, ?)");
    const auto set = [&](const std::string& key, const std::string& value) {
      meta.reset();
      meta.bind(1, key);
      meta.bind(2, value);
      meta.exec();
    };
    set("correlation_schema", std::to_string(kFormatVersion));
    for (const auto& [name, version] : versions()) {
      set(name, version);
    }
    transaction.commit();
    const auto prepare = [&](const char* table, int columns) {
      std::string text = "INSERT INTO ";
      text.append(table).append(" VALUES (").append(marks(columns)).append(")");
      return std::make_unique<SQLite::Statement>(database, text);
    };
    add_fault = prepare("correlated_faults", 16);
    add_pair = prepare("correlations", 17);
  }

  template <class Work>
  void guarded(Work&& work) const {
    try {
      work();
    } catch (const SQLite::Exception& error) {
      fail_of_database(error, path);
    }
  }

  void commit() {
    if (batch) {
      batch->commit();
      batch.reset();
    }
    open_faults = 0;
  }
};

CorrelationFile::CorrelationFile(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    fail(ErrorCode::kInvalidInput, "the file exists; a correlation is written to a new one", path,
         "remove it, or name another file with --out");
  }
  if (const auto folder = std::filesystem::path(path).parent_path(); !folder.empty()) {
    std::filesystem::create_directories(folder, ignored);  // opening the file says what is wrong
  }
  try {
    store_ = std::make_unique<Store>(path);
  } catch (const SQLite::Exception& error) {
    fail_of_database(error, path);
  }
}

CorrelationFile::~CorrelationFile() {
  try {
    store_->commit();
  } catch (const SQLite::Exception&) {  // finish() has reported it where it mattered
  }
}

void CorrelationFile::add(const PointCorrelation& point, const CorrelatedFault& fault) {
  store_->guarded([&] {
    if (!store_->batch) {
      store_->batch = std::make_unique<SQLite::Transaction>(store_->database);
    }
    SQLite::Statement& row = *store_->add_fault;
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
      SQLite::Statement& cell = *store_->add_pair;
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
    if (++store_->open_faults >= kMostOpenFaults) {
      store_->commit();
    }
  });
}

void CorrelationFile::finish(const PointCorrelation& point) {
  store_->guarded([&] {
    store_->commit();
    SQLite::Transaction transaction(store_->database);
    const FaultCounts all = point.all();
    SQLite::Statement about(store_->database, "INSERT INTO scenarios VALUES (" + marks(13) + ")");
    about.bind(1, point.number);
    about.bind(2, point.label);
    about.bind(3, point.document);
    about.bind(4, point.population);
    about.bind(5, join(point.engines, ", "));
    about.bind(6, point.is_census ? 1 : 0);
    about.bind(7, point.planned);
    about.bind(8, point.struck);
    about.bind(9, point.without_run);
    about.bind(10, all.compared());
    about.bind(11, all.differed);
    about.bind(12, point.bound(all.differed, all.compared()));
    about.bind(13, point.confidence);
    about.exec();
    SQLite::Statement cell(store_->database,
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
    transaction.commit();
  });
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/correlate/correlation_database.h"

#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "campaigns/results/rows.h"
#include "campaigns/results/version.h"

namespace tilestrike::campaigns {
namespace {

constexpr int kFormatVersion = 2;  // 2: without_run may be null; files of struck cores

const Table<CorrelatedScenario>& scenario_rows() {
  using R = CorrelatedScenario;
  static const Table<R> table = {
      "scenarios",
      "scenario",
      "a point of the sweep",
      {column("scenario", &R::scenario, "from 0"), column("label", &R::label, "what it sweeps"),
       column("expanded", &R::expanded, "YAML with all keys"),
       column("population", &R::population, "in words"),
       column("engines", &R::engines, "with commas between them"),
       column("is_census", &R::is_census, "1: every member was struck once"),
       column("trials", &R::trials, "planned"), column("struck", &R::struck, "trials done"),
       column("without_run", &R::without_run,
              "of these: nothing was on the mesh; null of struck cores"),
       column("compared", &R::compared, "faults that two engines computed"),
       column("differed", &R::differed, "faults on which two of them differ"),
       column("upper_bound", &R::upper_bound, "of the rate of those that differ"),
       column("confidence", &R::confidence, "of that bound")}};
  return table;
}

}  // namespace

CorrelationDatabase::CorrelationDatabase(const std::string& path,
                                         const std::vector<std::string>& tables)
    : path_(path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    fail(ErrorCode::kInvalidInput, "the file exists; a correlation is written to a new one", path,
         "remove it, or name another file with --out");
  }
  if (const auto folder = std::filesystem::path(path).parent_path(); !folder.empty()) {
    std::filesystem::create_directories(folder, ignored);  // opening the file says what is wrong
  }
  guarded([&] {
    database_ = std::make_unique<SQLite::Database>(
        path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 2000);
    database_->exec("PRAGMA journal_mode = WAL");
    database_->exec("PRAGMA synchronous = NORMAL");
    SQLite::Transaction transaction(*database_);
    database_->exec("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)");
    database_->exec(create_table(scenario_rows()));
    for (const std::string& table : tables) {
      database_->exec(table);
    }
    SQLite::Statement meta(*database_, "INSERT INTO meta VALUES (?, ?)");
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
  });
}

CorrelationDatabase::~CorrelationDatabase() {
  try {
    commit();
  } catch (const SQLite::Exception&) {  // finish() has reported it where it mattered
  }
}

void CorrelationDatabase::commit() {
  if (batch_) {
    batch_->commit();
    batch_.reset();
  }
  open_faults_ = 0;
}

void CorrelationDatabase::insert_scenario(const CorrelatedScenario& scenario) {
  SQLite::Statement statement(*database_, insert_into(scenario_rows(), "INSERT"));
  insert(statement, scenario_rows(), scenario);
}

}  // namespace tilestrike::campaigns

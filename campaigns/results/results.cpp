// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/results.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/yaml.h"
#include "campaigns/results/database_error.h"
#include "campaigns/results/file_lock.h"
#include "campaigns/results/old_results.h"
#include "campaigns/results/rows.h"
#include "campaigns/results/trial_reader.h"
#include "campaigns/results/trial_tables.h"
#include "campaigns/results/version.h"

namespace tilestrike::campaigns {
namespace {

constexpr int kApplicationId = 0x54535452;  // "TSTR"
constexpr int kMostOpenTrials = 100;
constexpr auto kLongestBatch = std::chrono::seconds(1);

using Hashes = std::vector<std::pair<std::string, std::string>>;

std::string hash_of(const Hashes& hashes, const std::string& name) {
  for (const auto& [key, hash] : hashes) {
    if (key == name) {
      return hash;
    }
  }
  return "";
}

/// What makes trials comparable: the key of a hash, and where it is kept.
struct KeptHash {
  const char* name;
  std::string ScenarioRecord::*member;
};
constexpr KeptHash kHashes[] = {
    {"model", &ScenarioRecord::model_hash},     {"images", &ScenarioRecord::images_hash},
    {"labels", &ScenarioRecord::labels_hash},   {"calibrate", &ScenarioRecord::calibrate_hash},
    {"spiking", &ScenarioRecord::spiking_hash}, {"faults", &ScenarioRecord::faults_hash},
    {"judge", &ScenarioRecord::judge_hash}};

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

}  // namespace

struct Results::Store {
  std::string path;
  std::unique_ptr<FileLock> lock;  // outlives the database, whose own locks it must not disturb
  std::unique_ptr<SQLite::Database> database;
  std::unique_ptr<SQLite::Transaction> batch;
  std::map<std::string, SQLite::Statement> inserts;  // by the table of trials
  int open_trials = 0;
  std::chrono::steady_clock::time_point last_commit = std::chrono::steady_clock::now();

  template <class Work>
  auto guarded(Work&& work) const {
    try {
      return work();
    } catch (const SQLite::Exception& error) {
      fail_of_database(error, path);
    } catch (const DatumError& error) {
      fail(ErrorCode::kInvalidInput, error.what(), path,
           "the file was changed, or another version wrote it: run the campaign again");
    }
  }

  std::int64_t number(const std::string& query) const {
    return database->execAndGet(query).getInt64();
  }
  std::int64_t version() const { return number("PRAGMA user_version"); }

  std::string meta(const std::string& key) const {
    SQLite::Statement query(*database, "SELECT value FROM meta WHERE key = ?");
    query.bind(1, key);
    return query.executeStep() ? query.getColumn(0).getString() : "";
  }

  void set_meta(const std::string& key, const std::string& value) {
    put(meta_table(), MetaRecord{key, value});
  }

  /// Instead of the record with the same key.
  template <class Record>
  void put(const Table<Record>& table, const Record& record) {
    SQLite::Statement statement(*database, insert_into(table, "INSERT OR REPLACE"));
    insert(statement, table, record);
  }

  template <class Record>
  void add(const Table<Record>& table, const Record& record) {
    auto found = inserts.find(table.name);
    if (found == inserts.end()) {
      found =
          inserts.emplace(table.name, SQLite::Statement(*database, insert_into(table, "INSERT")))
              .first;
    }
    insert(found->second, table, record);
  }

  /// Rolls the open batch back; its trials are drawn again by the next run.
  void abandon() {
    for (auto& [table, statement] : inserts) {
      statement.reset();
    }
    batch.reset();
    open_trials = 0;
  }

  bool is_new() const { return number("SELECT COUNT(*) FROM sqlite_master") == 0; }

  void check_kind() const {
    if (number("PRAGMA application_id") != kApplicationId) {
      fail(ErrorCode::kInvalidInput, "an SQLite file, but not a results file of TileStrike", path,
           "name another file with --out; this one is left as it is");
    }
  }

  /// Of a file that is written to.
  void check_version() const {
    const std::int64_t found = version();
    if (found != kResultsVersion) {
      fail(ErrorCode::kVersionMismatch,
           "results of format version " + std::to_string(found) + ", not " +
               std::to_string(kResultsVersion),
           path,
           found >= kOldestResults && found < kResultsVersion
               ? "name another file with --out; this one can be read still, but not added to"
               : "use the version of TileStrike that wrote it, or another file");
    }
  }

  /// Of a file that is read: trials of an older version are shown as those of the present one.
  void accept_version() {
    if (version() >= kOldestResults && version() < kResultsVersion) {
      show_old_trials(*database, version());
    } else {
      check_version();
    }
  }

  void make_tables() {
    SQLite::Transaction transaction(*database);
    database->exec("PRAGMA application_id = " + std::to_string(kApplicationId));
    database->exec("PRAGMA user_version = " + std::to_string(kResultsVersion));
    for_each_table([&](const auto& table) { database->exec(create_table(table)); });
    database->exec(wide_view());
    database->exec(faults_view());
    transaction.commit();
  }

  /// A file without trials takes any campaign.
  void adopt(const Campaign& campaign) {
    const std::string now = campaign.document.yaml();
    const std::string before = meta("campaign");
    if (number("SELECT EXISTS (SELECT 1 FROM trials)") != 0) {
      const auto difference = first_difference(parse_yaml(before, path), campaign.document);
      if (difference) {
        fail(ErrorCode::kVersionMismatch, "holds trials of another scenario: " + *difference, path,
             "name another file with --out, or run the same scenario");
      }
    } else {
      database->exec("DELETE FROM scenarios");
      set_meta("created", now_text());
    }
    set_meta("campaign", now);
    set_meta("seed", campaign.document.find("seed")->scalar);
    set_meta("schema", std::to_string(kResultsVersion));
    for (const auto& [name, version] : versions()) {
      set_meta(name, version);
    }
  }
};

Results::Results(std::unique_ptr<Store> store) : store_(std::move(store)) {}

Results::~Results() {
  try {
    commit();
  } catch (const Failure&) {
    // Reported already where it mattered: the rows of the open batch are drawn again.
  }
}

std::unique_ptr<Results> Results::for_campaign(const std::string& path, const Campaign& campaign) {
  auto store = std::make_unique<Store>();
  store->path = path;
  store->lock = std::make_unique<FileLock>(path);
  store->guarded([&] {
    store->database = std::make_unique<SQLite::Database>(
        path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX, 2000);
    if (store->is_new()) {
      store->make_tables();
    }
    store->check_kind();
    store->check_version();
    store->database->exec("PRAGMA journal_mode = WAL");
    store->database->exec("PRAGMA synchronous = NORMAL");
    SQLite::Transaction transaction(*store->database);
    store->adopt(campaign);
    transaction.commit();
  });
  return std::unique_ptr<Results>(new Results(std::move(store)));
}

std::unique_ptr<Results> Results::existing(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    fail(ErrorCode::kNotFound, "no such results file", path,
         "`tilestrike run SCENARIO.yaml --out FILE` writes one");
  }
  auto store = std::make_unique<Store>();
  store->path = path;
  store->guarded([&] {
    store->database = std::make_unique<SQLite::Database>(
        path, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX, 2000);
    store->check_kind();
    store->accept_version();
  });
  return std::unique_ptr<Results>(new Results(std::move(store)));
}

std::int64_t Results::version() const {
  return store_->guarded([&] { return store_->version(); });
}

std::string Results::campaign_text() const {
  return store_->guarded([&] { return store_->meta("campaign"); });
}

void Results::check_hashes(std::int64_t scenario, const Hashes& hashes) const {
  store_->guarded([&] {
    const std::int64_t version = store_->version();
    for (const auto& [name, member] : kHashes) {
      const std::string column = std::string(name) + "_hash";
      if (!has_column(version, column)) {
        continue;  // nothing can be said
      }
      SQLite::Statement stored(*store_->database,
                               "SELECT " + column + " FROM scenarios WHERE scenario = ?");
      stored.bind(1, scenario);
      const bool is_described = stored.executeStep();
      TS_CHECK(is_described, "trials without their scenario");
      if (stored.getColumn(0).getString() != hash_of(hashes, name)) {
        fail(ErrorCode::kVersionMismatch,
             std::string("holds trials of another scenario: the content of '") + name +
                 "' has changed",
             store_->path, "name another file with --out, or restore what was used");
      }
    }
  });
}

void Results::describe(std::int64_t scenario, const ScenarioFacts& facts) {
  commit();
  if (count(scenario) > 0) {
    check_hashes(scenario, facts.hashes);
  }
  store_->guarded([&] {
    ScenarioRecord record;
    record.scenario = scenario;
    record.label = facts.label;
    record.expanded = facts.document;
    for (const auto& [name, member] : kHashes) {
      record.*member = hash_of(facts.hashes, name);
    }
    record.sites = facts.sites;
    record.cycles = facts.cycles;
    record.images = facts.images;
    record.population = facts.population;
    record.golden_score = facts.golden_score;
    if (!facts.metric.name.empty()) {
      record.metric = facts.metric.name;
    }
    if (facts.metric.name == bridge::kTop1Accuracy) {
      record.accuracy = facts.golden_score;
    }
    record.warnings = facts.warnings;
    store_->put(scenario_table(), record);
  });
}

std::vector<bool> Results::has(std::int64_t scenario, std::int64_t first,
                               std::int64_t count) const {
  return store_->guarded([&] {
    std::vector<bool> present(static_cast<std::size_t>(count), false);
    SQLite::Statement query(
        *store_->database,
        "SELECT trial FROM trials WHERE scenario = ? AND trial >= ? AND trial < ?");
    query.bind(1, scenario);
    query.bind(2, first);
    query.bind(3, first + count);
    while (query.executeStep()) {
      present[static_cast<std::size_t>(query.getColumn(0).getInt64() - first)] = true;
    }
    return present;
  });
}

std::int64_t Results::count(std::int64_t scenario) const {
  return store_->guarded([&] {
    SQLite::Statement query(*store_->database, "SELECT COUNT(*) FROM trials WHERE scenario = ?");
    query.bind(1, scenario);
    query.executeStep();
    return static_cast<std::int64_t>(query.getColumn(0).getInt64());
  });
}

void Results::add(const TrialRecord& record) {
  try {
    if (!store_->batch) {
      store_->batch = std::make_unique<SQLite::Transaction>(*store_->database);
    }
    store_->add(trial_table(), record);
    for_each_part([&](const auto& table, auto part) {
      if (record.*part) {
        store_->add(table, *(record.*part));
      }
    });
    for (const OutcomeRecord& outcome : record.outcomes) {
      store_->add(outcome_table(), outcome);
    }
    if (!says_its_fault(record)) {
      for (const FaultRecord& fault : record.faults_kept) {
        store_->add(fault_table(), fault);
      }
    }
  } catch (const SQLite::Exception& error) {
    store_->abandon();  // never half a trial
    fail_of_database(error, store_->path);
  }
  ++store_->open_trials;
  const auto age = std::chrono::steady_clock::now() - store_->last_commit;
  if (store_->open_trials >= kMostOpenTrials || age >= kLongestBatch) {
    commit();
  }
}

void Results::commit() {
  if (!store_->batch) {
    return;
  }
  try {
    store_->batch->commit();
    store_->batch.reset();
  } catch (const SQLite::Exception& error) {
    store_->abandon();
    fail_of_database(error, store_->path);
  }
  store_->open_trials = 0;
  store_->last_commit = std::chrono::steady_clock::now();
}

namespace {

/// What a trial has several of.
template <class Record>
std::vector<Record> records_of(SQLite::Database& database, const Table<Record>& table,
                               const TrialKey& key) {
  const Selection<Record> selection(table);
  SQLite::Statement query(database, "SELECT " + selection.names() + " FROM " + table.name +
                                        " WHERE scenario = ? AND trial = ? ORDER BY " + table.key);
  query.bind(1, key.scenario);
  query.bind(2, key.trial);
  std::vector<Record> records;
  while (query.executeStep()) {
    selection.read(query, 0, records.emplace_back());
  }
  return records;
}

}  // namespace

std::optional<TrialRecord> Results::trial(std::int64_t scenario, std::int64_t number) const {
  return store_->guarded([&]() -> std::optional<TrialRecord> {
    const TrialReader reader;
    SQLite::Statement query(*store_->database,
                            reader.query() + " WHERE trials.scenario = ? AND trials.trial = ?");
    query.bind(1, scenario);
    query.bind(2, number);
    if (!query.executeStep()) {
      return std::nullopt;
    }
    TrialRecord record;
    reader.read(query, record);
    record.outcomes = records_of(*store_->database, outcome_table(), record);
    record.faults_kept = records_of(*store_->database, fault_table(), record);
    if (record.faults_kept.empty() && record.faults == 1) {
      record.faults_kept.push_back(only_fault(record));
    }
    return record;
  });
}

void Results::each_trial(std::int64_t scenario, const Fields& fields,
                         const std::function<bool(const TrialRecord&)>& visit,
                         std::int64_t first) const {
  store_->guarded([&] {
    const TrialReader reader(&fields);
    SQLite::Statement query(
        *store_->database,
        reader.query() + " WHERE trials.scenario = ? AND trials.trial >= ? ORDER BY trials.trial");
    query.bind(1, scenario);
    query.bind(2, first);
    TrialRecord record;
    while (query.executeStep()) {
      reader.read(query, record);
      if (!visit(record)) {
        return;
      }
    }
  });
}

void Results::check_drawing(const Scenario& scenario) const {
  store_->guarded([&] {
    const std::int64_t version = store_->version();
    if (const std::string why = other_drawing(version, scenario); !why.empty()) {
      fail(ErrorCode::kVersionMismatch,
           "results of format version " + std::to_string(version) +
               ", whose trials are others: " + "this version of TileStrike " + why,
           store_->path,
           "use the version of TileStrike that wrote it, or run the campaign again with --out");
    }
  });
}

}  // namespace tilestrike::campaigns

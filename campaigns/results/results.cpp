// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/results.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "base/error.h"
#include "campaigns/results/database_error.h"
#include "campaigns/results/version.h"
#include "campaigns/scenario/yaml.h"

namespace tilestrike::campaigns {
namespace {

static_assert(std::endian::native == std::endian::little, "logits are stored little-endian");

constexpr int kApplicationId = 0x54535452;  // "TSTR"
constexpr int kMostOpenTrials = 100;
constexpr auto kLongestBatch = std::chrono::seconds(1);

std::string name_list(const std::vector<Column>& columns) {
  std::string text;
  for (const Column& column : columns) {
    text += (text.empty() ? "\"" : ", \"") + std::string(column.name) + "\"";
  }
  return text;
}

std::string create_table(const std::string& name, const std::vector<Column>& columns,
                         const std::string& key) {
  std::string text = "CREATE TABLE " + name + " (";
  for (const Column& column : columns) {
    text += "\"" + std::string(column.name) + "\" " + column.type + ", ";
  }
  return text + "PRIMARY KEY (" + key + "))";
}

std::string insert_into(const std::string& name, const std::vector<Column>& columns) {
  std::string marks = "?";
  for (std::size_t i = 1; i < columns.size(); ++i) {
    marks += ", ?";
  }
  return "INSERT INTO " + name + " (" + name_list(columns) + ") VALUES (" + marks + ")";
}

void bind(SQLite::Statement& statement, int index, const Cell& cell) {
  struct Visitor {
    SQLite::Statement& statement;
    int index;
    void operator()(std::monostate) const { statement.bind(index); }
    void operator()(std::int64_t value) const { statement.bind(index, value); }
    void operator()(double value) const { statement.bind(index, value); }
    void operator()(const std::string& value) const { statement.bind(index, value); }
    void operator()(const std::vector<float>& values) const {
      statement.bind(index, values.data(), static_cast<int>(values.size() * sizeof(float)));
    }
  };
  std::visit(Visitor{statement, index}, cell);
}

Cell cell_of(const SQLite::Column& column) {
  if (column.isNull()) {
    return {};
  }
  if (column.isInteger()) {
    return Cell{column.getInt64()};
  }
  if (column.isFloat()) {
    return Cell{column.getDouble()};
  }
  if (column.isBlob()) {
    std::vector<float> values(static_cast<std::size_t>(column.getBytes()) / sizeof(float));
    std::memcpy(values.data(), column.getBlob(), values.size() * sizeof(float));
    return Cell{std::move(values)};
  }
  return Cell{column.getString()};
}

using Hashes = std::vector<std::pair<std::string, std::string>>;

std::string hash_of(const Hashes& hashes, const std::string& name) {
  for (const auto& [key, hash] : hashes) {
    if (key == name) {
      return hash;
    }
  }
  return "";
}

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

/// Keeps other runs away from a file for as long as it lives; the system frees it with the process.
class FileLock {
 public:
  explicit FileLock(const std::string& path) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    std::error_code error;
    if (!folder.empty()) {
      std::filesystem::create_directories(folder, error);
    }
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0) {
      const bool is_full = errno == ENOSPC || errno == EDQUOT;
      fail(is_full ? ErrorCode::kMachine : ErrorCode::kInvalidInput,
           "cannot write the results file: " + std::string(std::strerror(errno)), path,
           is_full ? "free some space" : "name a file that can be written with --out");
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      ::close(descriptor_);
      fail(ErrorCode::kInvalidInput, "another run writes to this results file", path,
           "wait for it, or name another file with --out");
    }
  }
  ~FileLock() { ::close(descriptor_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace

struct Results::Store {
  std::string path;
  std::unique_ptr<FileLock> lock;  // outlives the database, whose own locks it must not disturb
  std::unique_ptr<SQLite::Database> database;
  std::unique_ptr<SQLite::Transaction> batch;
  std::unique_ptr<SQLite::Statement> add_trial, add_outcome, add_fault;
  int open_trials = 0;
  std::chrono::steady_clock::time_point last_commit = std::chrono::steady_clock::now();

  template <class Work>
  auto guarded(Work&& work) const {
    try {
      return work();
    } catch (const SQLite::Exception& error) {
      fail_of_database(error, path);
    }
  }

  std::int64_t number(const std::string& query) const {
    return database->execAndGet(query).getInt64();
  }

  std::string meta(const std::string& key) const {
    SQLite::Statement query(*database, "SELECT value FROM meta WHERE key = ?");
    query.bind(1, key);
    return query.executeStep() ? query.getColumn(0).getString() : "";
  }

  void set_meta(const std::string& key, const std::string& value) {
    SQLite::Statement query(*database, "INSERT OR REPLACE INTO meta VALUES (?, ?)");
    query.bind(1, key);
    query.bind(2, value);
    query.exec();
  }

  /// Rolls the open batch back; its trials are drawn again by the next run.
  void abandon() {
    add_trial->reset();
    add_outcome->reset();
    add_fault->reset();
    batch.reset();
    open_trials = 0;
  }

  bool is_new() const { return number("SELECT COUNT(*) FROM sqlite_master") == 0; }

  void check_kind() const {
    if (number("PRAGMA application_id") != kApplicationId) {
      fail(ErrorCode::kInvalidInput, "an SQLite file, but not a results file of TileStrike", path,
           "name another file with --out; this one is left as it is");
    }
    const std::int64_t version = number("PRAGMA user_version");
    if (version != kResultsVersion) {
      fail(ErrorCode::kVersionMismatch,
           "results of format version " + std::to_string(version) + ", not " +
               std::to_string(kResultsVersion),
           path, "use the version of TileStrike that wrote it, or another file");
    }
  }

  void make_tables() {
    SQLite::Transaction transaction(*database);
    database->exec("PRAGMA application_id = " + std::to_string(kApplicationId));
    database->exec("PRAGMA user_version = " + std::to_string(kResultsVersion));
    database->exec("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)");
    database->exec(
        "CREATE TABLE scenarios (scenario INTEGER PRIMARY KEY, label TEXT, expanded TEXT, "
        "model_hash TEXT, images_hash TEXT, calibrate_hash TEXT, faults_hash TEXT, "
        "sites INTEGER, cycles INTEGER, images INTEGER, population TEXT, accuracy REAL, "
        "warnings TEXT)");
    database->exec(create_table("trials", trial_columns(), "scenario, trial"));
    database->exec(create_table("outcomes", outcome_columns(), "scenario, trial, image"));
    database->exec(create_table("faults", fault_columns(), "scenario, trial, number"));
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
        path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 2000);
    if (store->is_new()) {
      store->make_tables();
    }
    store->check_kind();
    store->database->exec("PRAGMA journal_mode = WAL");
    store->database->exec("PRAGMA synchronous = NORMAL");
    SQLite::Transaction transaction(*store->database);
    store->adopt(campaign);
    transaction.commit();
    const auto prepare = [&](const std::string& table, const std::vector<Column>& columns) {
      return std::make_unique<SQLite::Statement>(*store->database, insert_into(table, columns));
    };
    store->add_trial = prepare("trials", trial_columns());
    store->add_outcome = prepare("outcomes", outcome_columns());
    store->add_fault = prepare("faults", fault_columns());
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
    store->database = std::make_unique<SQLite::Database>(path, SQLite::OPEN_READONLY, 2000);
    store->check_kind();
  });
  return std::unique_ptr<Results>(new Results(std::move(store)));
}

std::string Results::campaign_text() const {
  return store_->guarded([&] { return store_->meta("campaign"); });
}

void Results::check_hashes(std::int64_t scenario, const Hashes& hashes) const {
  store_->guarded([&] {
    SQLite::Statement stored(*store_->database,
                             "SELECT model_hash, images_hash, calibrate_hash, faults_hash FROM "
                             "scenarios WHERE scenario = ?");
    stored.bind(1, scenario);
    const bool is_described = stored.executeStep();
    TS_CHECK(is_described, "trials without their scenario");
    int column = 0;
    for (const char* name : {"model", "images", "calibrate", "faults"}) {
      if (stored.getColumn(column++).getString() != hash_of(hashes, name)) {
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
    SQLite::Statement add(
        *store_->database,
        "INSERT OR REPLACE INTO scenarios VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    const Row row = {Cell{scenario},
                     Cell{facts.label},
                     Cell{facts.document},
                     Cell{hash_of(facts.hashes, "model")},
                     Cell{hash_of(facts.hashes, "images")},
                     Cell{hash_of(facts.hashes, "calibrate")},
                     Cell{hash_of(facts.hashes, "faults")},
                     Cell{facts.sites},
                     Cell{facts.cycles},
                     Cell{facts.images},
                     Cell{facts.population},
                     facts.accuracy < 0.0 ? Cell{} : Cell{facts.accuracy},
                     Cell{facts.warnings}};
    for (std::size_t i = 0; i < row.size(); ++i) {
      bind(add, static_cast<int>(i) + 1, row[i]);
    }
    add.exec();
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
  const auto insert = [](SQLite::Statement& statement, const Row& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      bind(statement, static_cast<int>(i) + 1, row[i]);
    }
    statement.exec();
    statement.reset();
    statement.clearBindings();
  };
  try {
    if (!store_->batch) {
      store_->batch = std::make_unique<SQLite::Transaction>(*store_->database);
    }
    insert(*store_->add_trial, record.trial);
    for (const Row& row : record.outcomes) {
      insert(*store_->add_outcome, row);
    }
    for (const Row& row : record.faults) {
      insert(*store_->add_fault, row);
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

std::optional<Row> Results::trial(std::int64_t scenario, std::int64_t number) const {
  return store_->guarded([&]() -> std::optional<Row> {
    SQLite::Statement query(*store_->database, "SELECT " + name_list(trial_columns()) +
                                                   " FROM trials WHERE scenario = ? AND trial = ?");
    query.bind(1, scenario);
    query.bind(2, number);
    if (!query.executeStep()) {
      return std::nullopt;
    }
    Row row;
    for (int i = 0; i < query.getColumnCount(); ++i) {
      row.push_back(cell_of(query.getColumn(i)));
    }
    return row;
  });
}

std::optional<std::int64_t> Results::first_visible_image(std::int64_t scenario,
                                                         std::int64_t number) const {
  return store_->guarded([&]() -> std::optional<std::int64_t> {
    SQLite::Statement query(*store_->database,
                            "SELECT MIN(image) FROM outcomes WHERE scenario = ? AND trial = ?");
    query.bind(1, scenario);
    query.bind(2, number);
    if (!query.executeStep() || query.getColumn(0).isNull()) {
      return std::nullopt;
    }
    return static_cast<std::int64_t>(query.getColumn(0).getInt64());
  });
}

void Results::each_trial(std::int64_t scenario, const std::vector<std::string>& columns,
                         const std::function<bool(const Row&)>& visit) const {
  store_->guarded([&] {
    std::string names;
    for (const std::string& column : columns) {
      names += (names.empty() ? "\"" : ", \"") + column + "\"";
    }
    SQLite::Statement query(*store_->database,
                            "SELECT " + names + " FROM trials WHERE scenario = ? ORDER BY trial");
    query.bind(1, scenario);
    Row row(columns.size());
    while (query.executeStep()) {
      for (std::size_t i = 0; i < columns.size(); ++i) {
        row[i] = cell_of(query.getColumn(static_cast<int>(i)));
      }
      if (!visit(row)) {
        return;
      }
    }
  });
}

}  // namespace tilestrike::campaigns

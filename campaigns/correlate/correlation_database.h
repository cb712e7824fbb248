// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the SQLite files of correlations have in common: a new file with the table `meta`, a row for
// each point of the sweep, and transactions of many rows (docs/correlate.md).
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "campaigns/results/database_error.h"

namespace tilestrike::campaigns {

/// A row of the table `scenarios`.
struct CorrelatedScenario {
  std::int64_t scenario = 0;
  std::string label, expanded, population, engines;
  bool is_census = false;
  std::int64_t trials = 0;                  // planned
  std::int64_t struck = 0;                  // of these
  std::optional<std::int64_t> without_run;  // of a mesh: nothing was on it
  std::int64_t compared = 0, differed = 0;  // faults
  double upper_bound = 1.0, confidence = 0.95;
};

class CorrelationDatabase {
 public:
  /// Makes the file with `tables`, statements that create them. Throws Failure where it exists or
  /// cannot be written.
  CorrelationDatabase(const std::string& path, const std::vector<std::string>& tables);
  /// Commits.
  ~CorrelationDatabase();
  CorrelationDatabase(const CorrelationDatabase&) = delete;
  CorrelationDatabase& operator=(const CorrelationDatabase&) = delete;

  SQLite::Database& database() { return *database_; }
  /// Writes the rows of a fault with `work`, in a transaction with those of others.
  template <class Work>
  void add(const Work& work) {
    guarded([&] {
      if (!batch_) {
        batch_ = std::make_unique<SQLite::Transaction>(*database_);
      }
      work();
      if (++open_faults_ >= kMostOpenFaults) {
        commit();
      }
    });
  }
  /// A point, once all its faults are in, and what else `work` writes of it; commits.
  template <class Work>
  void finish(const CorrelatedScenario& scenario, const Work& work) {
    guarded([&] {
      commit();
      SQLite::Transaction transaction(*database_);
      insert_scenario(scenario);
      work();
      transaction.commit();
    });
  }

 private:
  static constexpr int kMostOpenFaults = 10'000;
  template <class Work>
  void guarded(const Work& work) const {
    try {
      work();
    } catch (const SQLite::Exception& error) {
      fail_of_database(error, path_);
    }
  }
  void commit();
  void insert_scenario(const CorrelatedScenario& scenario);

  std::string path_;
  std::unique_ptr<SQLite::Database> database_;
  std::unique_ptr<SQLite::Transaction> batch_;
  int open_faults_ = 0;
};

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The SQLite file of a correlation of struck cores: a row per fault, and one per fault and pair of
// engines (docs/correlate.md, "Cores").
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "campaigns/correlate/correlation_database.h"
#include "campaigns/results/fault_record.h"

namespace tilestrike::campaigns {

/// What two engines say of a fault.
struct CorrelatedCorePair : TrialKey {
  std::int64_t pair = 0;
  std::string first_engine, second_engine, verdict;  // agree, differ, not_covered
  bool with_states = false;                          // all storage was compared after every edge
  std::optional<std::string> answer, state;          // what differs; null: nothing does
};

/// A trial: its first fault, and what came of all of them.
struct CorrelatedCoreFault {
  FaultRecord first;  // its number: how many faults there are
  std::int64_t image = 0;
  std::string came_to;  // dead, masked, corrupted, hung
  std::vector<CorrelatedCorePair> pairs;
};

class CoreCorrelationFile {
 public:
  /// As CorrelationDatabase.
  explicit CoreCorrelationFile(const std::string& path);
  ~CoreCorrelationFile();

  /// `fault`: of a point of the sweep, whose number its keys have.
  void add(const CorrelatedCoreFault& fault);
  void finish(const CorrelatedScenario& scenario);

 private:
  struct Store;
  std::unique_ptr<Store> store_;
};

}  // namespace tilestrike::campaigns

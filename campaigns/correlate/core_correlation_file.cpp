// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/correlate/core_correlation_file.h"

#include "campaigns/results/rows.h"

namespace tilestrike::campaigns {
namespace {

/// The row of a CorrelatedCoreFault.
struct FaultRow : FaultRecord {
  std::int64_t image = 0;
  std::string came_to;
};

const Table<FaultRow>& fault_rows() {
  using R = FaultRow;
  const auto of_fault = [](const char* name, auto member, const char* help) {
    return column_of<R>(name, member, help, member);
  };
  static const Table<R> table = table_of_trials<R>(
      "correlated_core_faults", "a trial: its first fault, and what came of all",
      {
          column("image", &R::image, "whose inference was struck"),
          of_fault("structure", &FaultRecord::structure, "field of the struck bit, or array"),
          of_fault("register", &FaultRecord::register_name, "array or register of that bit"),
          of_fault("core", &FaultRecord::core, "null of a cell, whose bank is its core"),
          of_fault("word", &FaultRecord::word, "of its array; of a cell the codeword"),
          of_fault("lane", &FaultRecord::lane, "of that word; null where it has none"),
          of_fault("bank", &FaultRecord::bank, "of a cell, as its row and column"),
          of_fault("row", &FaultRecord::row, ""),
          of_fault("column", &FaultRecord::column, ""),
          of_fault("bit", &FaultRecord::bit, "of the field, or of the codeword"),
          of_fault("fault", &FaultRecord::fault, "its kind"),
          of_fault("cycle", &FaultRecord::cycle, "of the inference"),
          of_fault("until", &FaultRecord::until, "first cycle after the fault; null: for ever"),
          of_fault("faults", &FaultRecord::number, "of the trial"),
          column("came_to", &R::came_to, "dead, masked, corrupted or hung"),
      });
  return table;
}

const Table<CorrelatedCorePair>& pair_rows() {
  using R = CorrelatedCorePair;
  static const Table<R> table = table_of_trials<R>(
      "core_correlations", "a trial on two engines",
      {
          column("pair", &R::pair, "its number, from 0"),
          column("first_engine", &R::first_engine, "by name"),
          column("second_engine", &R::second_engine, "by name"),
          column("verdict", &R::verdict, "agree, differ or not_covered"),
          column("with_states", &R::with_states, "1: all storage was compared after every edge"),
          column("answer", &R::answer, "what differs of the chip; null: nothing"),
          column("state", &R::state, "first storage bit that differs, and its edge; null: none"),
      },
      ", pair");
  return table;
}

}  // namespace

struct CoreCorrelationFile::Store {
  CorrelationDatabase file;
  SQLite::Statement add_fault, add_pair;

  explicit Store(const std::string& path)
      : file(path, {create_table(fault_rows()), create_table(pair_rows())}),
        add_fault(file.database(), insert_into(fault_rows(), "INSERT")),
        add_pair(file.database(), insert_into(pair_rows(), "INSERT")) {}
};

CoreCorrelationFile::CoreCorrelationFile(const std::string& path)
    : store_(std::make_unique<Store>(path)) {}
CoreCorrelationFile::~CoreCorrelationFile() = default;

void CoreCorrelationFile::add(const CorrelatedCoreFault& fault) {
  store_->file.add([&] {
    FaultRow row;
    static_cast<FaultRecord&>(row) = fault.first;
    row.image = fault.image;
    row.came_to = fault.came_to;
    insert(store_->add_fault, fault_rows(), row);
    for (const CorrelatedCorePair& pair : fault.pairs) {
      insert(store_->add_pair, pair_rows(), pair);
    }
  });
}

void CoreCorrelationFile::finish(const CorrelatedScenario& scenario) {
  store_->file.finish(scenario, [] {});
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/memory_trial.h"

#include <algorithm>

#include "base/error.h"

namespace tilestrike::campaigns {

const Table<MemoryTrial>& memory_table() {
  using R = MemoryTrial;
  static const Table<R> table = table_of_trials<R>(
      "memory_trials", "a trial that strikes cells of memories",
      with_end<R>(
          {
              column("word", &R::word, "codeword of the struck cell, of several the first one"),
              column("bank", &R::bank, "of that cell"),
              column("row", &R::row, "of that cell"),
              column("column", &R::column, "of that cell"),
              column("cycle", &R::cycle, "of the inference"),
              column("until", &R::until, "first cycle after the fault; null: for ever"),
              column("bits", &R::bits, "how many cells"),
              column("codewords", &R::codewords, "that these cells belong to"),
              column("stored", &R::stored,
                     "what the struck cell held; null where that does not count"),
          },
          "cells"));
  return table;
}

MemoryTrial memory_trial(const FaultRecord& first, const DrawnStrike& strike, const Judged& judged,
                         AfterDetection after_detection) {
  MemoryTrial trial;
  trial.word = first.word;
  trial.bank = first.bank;
  trial.row = first.row;
  trial.column = first.column;
  trial.cycle = first.cycle;
  trial.until = first.until;
  trial.bits = static_cast<std::int64_t>(strike.cells.size());
  trial.codewords = strike.codewords;
  trial.stored = judged.stored;
  trial.set_end(judged, after_detection);
  return trial;
}

namespace {

FaultRecord record_at(const sim::Cell& place, const CellFault& fault,
                      const bridge::StudyMemory& memory) {
  FaultRecord record;
  record.structure = memory.name;
  record.word = static_cast<std::int64_t>(fault.bit.codeword.value);
  record.bank = place.bank;
  record.row = place.row;
  record.column = place.column;
  record.bit = fault.bit.bit;
  record.fault = fault.kind;
  record.set_when(fault.when);
  return record;
}

}  // namespace

FaultRecord fault_record(const DrawnCell& cell, const bridge::StudyFacts& study) {
  const bridge::StudyMemory& memory = study.memories[cell.fault.memory];
  const sim::ArrayGeometry geometry(memory.config.array());
  FaultRecord record = record_at(geometry.cell_of(cell.fault.bit), cell.fault, memory);
  record.acts = cell.acts;
  return record;
}

FaultRecord first_fault_record(const DrawnStrike& strike, const bridge::StudyFacts& study) {
  if (strike.first) {
    return record_at(strike.struck, *strike.first, study.memories[strike.first->memory]);
  }
  for (const DrawnCell& cell : strike.cells) {
    const bridge::StudyMemory& memory = study.memories[cell.fault.memory];
    const sim::ArrayGeometry geometry(memory.config.array());
    if (geometry.cell_of(cell.fault.bit) == strike.struck && cell.fault.when.from == strike.cycle) {
      return record_at(strike.struck, cell.fault, memory);
    }
  }
  TS_CHECK(false, "a strike without its struck cell");
  return {};
}

namespace {

std::string plural(std::int64_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

std::string cell_text(const DrawnCell& cell, const bridge::StudyFacts& study) {
  const bridge::StudyMemory& memory = study.memories[cell.fault.memory];
  const sim::ArrayGeometry geometry(memory.config.array());
  const int data_bits = geometry.config().data_bits;
  const int bit = cell.fault.bit.bit;
  return memory.name + " " + sim::text_of(geometry.cell_of(cell.fault.bit)) + ", codeword " +
         std::to_string(cell.fault.bit.codeword.value) +
         (bit < data_bits ? " bit " + std::to_string(bit)
                          : " check bit " + std::to_string(bit - data_bits)) +
         ": " + std::string(name_of(cell.fault.kind)) + when_text(cell.fault.when) +
         (cell.acts ? "" : " (the value that the cell already has)");
}

void describe_cells(const DrawnStrike& strike, const bridge::StudyFacts& study,
                    std::vector<std::string>& lines) {
  std::string line;
  if (strike.radiation) {
    line = strike.events == 1 ? "a " + std::string(name_of(*strike.radiation)) + " event"
                              : plural(strike.events, "neutron event") + ", the first";
    line += " at " + sim::text_of(strike.struck) + ": ";
  } else if (!strike.about.empty()) {
    line = strike.about + ": ";
  }
  lines.push_back(line + plural(static_cast<std::int64_t>(strike.cells.size()), "cell") + " of " +
                  plural(strike.codewords, "codeword"));
  for (std::size_t i = 0; i < std::min(strike.cells.size(), kMostFaultRecords); ++i) {
    lines.push_back(cell_text(strike.cells[i], study));
  }
  if (strike.cells.size() > kMostFaultRecords) {
    lines.push_back("... and " + std::to_string(strike.cells.size() - kMostFaultRecords) + " more");
  }
}

/// Of the struck memories that have a scrubber.
void describe_scrubbers(const DrawnTrial& drawn, const bridge::StudyFacts& study,
                        std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < drawn.scrub_phases.size(); ++i) {
    const bool is_struck = std::ranges::any_of(
        drawn.strike->cells, [&](const DrawnCell& cell) { return cell.fault.memory == i; });
    if (is_struck && drawn.scrub_phases[i]) {
      const bridge::StudyMemory& memory = study.memories[i];
      lines.push_back(memory.name + ": in cycle 0 its scrubber is " +
                      std::to_string(*drawn.scrub_phases[i]) + " of " +
                      std::to_string(memory.config.scrub_cycles) + " cycles into a round");
    }
  }
}

}  // namespace

std::vector<std::string> describe_memories(const DrawnTrial& drawn,
                                           const bridge::StudyFacts& study) {
  std::vector<std::string> lines;
  if (const DrawnStrike* strike = drawn.in_memory()) {
    describe_cells(*strike, study, lines);
    describe_scrubbers(drawn, study, lines);
  }
  return lines;
}

}  // namespace tilestrike::campaigns

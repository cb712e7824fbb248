// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One struck codeword through time: its faults and the scrubber act in order, reads and writes come
// in between (docs/memory_schedule.md, "Memories and channels"). No LibTorch in this header.
#pragma once

#include <span>
#include <vector>

#include "bridge/study.h"
#include "sim/memory/memory_array.h"
#include "sim/memory/scrub.h"

namespace tilestrike::bridge {

/// The faults of one codeword.
struct StruckWord {
  std::size_t memory = 0;
  sim::CodewordId codeword;
  std::vector<CellFault> faults;
};

/// What ECC has found in the reads of a codeword.
struct Findings {
  std::int64_t corrected = 0, detected = 0;
  bool is_refetched = false;  // it was fetched again: counted as corrected
  void add(sim::EccStatus status) {
    corrected += status == sim::EccStatus::kCorrected ? 1 : 0;
    detected += status == sim::EccStatus::kDetected ? 1 : 0;
  }
};

/// What reads give from one change to the next: those in cycles after `since`.
struct ReadSpan {
  Cycle since = 0;
  sim::BitString data;
  sim::EccStatus status = sim::EccStatus::kClean;
};

class CodewordInTime {
 public:
  /// `array` is scratch, and of the word's memory; what it holds otherwise is lost. Both must
  /// outlive this object, as must `scrub` (nullptr: there is no scrubber).
  CodewordInTime(sim::MemoryArray& array, const StruckWord& word, const sim::ScrubSchedule* scrub,
                 Cycle end);
  ~CodewordInTime();
  CodewordInTime(const CodewordInTime&) = delete;
  CodewordInTime& operator=(const CodewordInTime&) = delete;

  // In order of time. Within a cycle: reads, what is no longer stuck, the scrubber, writes,
  // strikes.
  sim::CodewordRead read(Cycle cycle);
  void write(Cycle cycle, const sim::BitString& data);
  /// The second half of a read-modify-write.
  void write_back(Cycle cycle, const sim::CodewordRead& changed);

  /// What reads give from a write on, as long as nothing else is written.
  std::vector<ReadSpan> after_write(Cycle cycle, const sim::BitString& data);

  /// What the scrubber has found by now.
  const Findings& scrubbed() const { return scrubbed_; }

 private:
  struct Event {
    Cycle cycle = 0;
    enum class Kind { kRelease, kScrub, kHold, kFlip } kind = Kind::kFlip;  // in this order; ...
    bool is_before_writes() const { return kind <= Kind::kScrub; }  // ... a write lies between
    const CellFault* fault = nullptr;
  };
  void advance(Cycle cycle, bool is_write);
  void act(const Event& event);

  sim::MemoryArray& array_;
  sim::CodewordId codeword_;
  std::vector<Event> events_;  // in order
  std::size_t next_ = 0;
  std::vector<sim::CodewordBit> held_;
  Findings scrubbed_;
};

}  // namespace tilestrike::bridge

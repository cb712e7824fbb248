// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One struck codeword through time: its faults and the scrubber act in order, reads and writes come
// in between (docs/memory_schedule.md, "Memories and channels"). No LibTorch in this header.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "bridge/words/strike_job.h"
#include "sim/memory/memory_array.h"
#include "sim/memory/scrub.h"

namespace tilestrike::bridge {

/// The faults of one codeword.
struct StruckWord {
  std::size_t memory = 0;
  sim::CodewordId codeword;
  std::vector<CellFault> faults;
  std::optional<Cycle> scrub_phase;  // of its memory, as in CellStrike
  bool are_flips() const {
    return std::ranges::all_of(
        faults, [](const CellFault& fault) { return fault.kind == FaultKind::kFlip; });
  }
};

/// What ECC has found in the reads of a codeword.
struct Findings {
  std::int64_t corrected = 0, detected = 0;
  std::vector<Cycle> refetched;  // reads at which it was fetched again: counted as corrected
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
  std::optional<Cycle> refetched;  // the read at which it was fetched again
};

/// What the scrubber has found in a codeword.
struct ScrubFindings {
  bool is_corrected = false, is_detected = false;
  Cycle at = 0;  // the first of them
  bool is_empty() const { return !is_corrected && !is_detected; }
};

class CodewordInTime {
 public:
  /// `array` is scratch, and of the word's memory; what it holds otherwise is lost. `array` and
  /// `word` must outlive this object. `scrub`: nothing where no scrubber comes by.
  CodewordInTime(sim::MemoryArray& array, const StruckWord& word,
                 const std::optional<sim::ScrubSchedule>& scrub);
  ~CodewordInTime();
  CodewordInTime(const CodewordInTime&) = delete;
  CodewordInTime& operator=(const CodewordInTime&) = delete;

  // In order of time. Within a cycle: reads, what is no longer stuck, the scrubber, writes,
  // strikes.
  sim::CodewordRead read(Cycle cycle);
  void write(Cycle cycle, const sim::BitString& data);
  /// The second half of a read-modify-write.
  void write_back(Cycle cycle, const sim::CodewordRead& changed);
  /// Written anew by its reader, right after the reads of the cycle.
  void refetch(Cycle cycle, const sim::BitString& data);
  /// All that happens before the writes of the cycle. Gives what the cells hold then.
  sim::BitString wait_until(Cycle cycle);

  /// What reads give from a write on, as long as nothing else is written. At those of
  /// `refetching_reads`, in order, the codeword is fetched again where its error is uncorrectable.
  std::vector<ReadSpan> after_write(Cycle cycle, const sim::BitString& data,
                                    std::span<const Cycle> refetching_reads = {});

  /// Whether nothing can be found in it any more.
  bool is_settled() const;
  /// What the scrubber has found by now.
  const ScrubFindings& scrubbed() const { return scrubbed_; }

 private:
  static constexpr Cycle kNever = std::numeric_limits<Cycle>::max();
  struct Event {
    Cycle cycle = 0;
    // In the order of a cycle; writes lie between kScrub and kHold.
    enum class Kind { kRelease, kScrub, kHold, kFlip } kind = Kind::kFlip;
    const CellFault* fault = nullptr;
  };
  void advance(Cycle cycle, bool is_write);
  void act(const Event& event);
  void await_scrub(Cycle from);
  void scrub();

  sim::MemoryArray& array_;
  sim::CodewordId codeword_;
  std::optional<sim::ScrubSchedule> scrub_;
  std::vector<Event> events_;  // of the faults, in order
  std::size_t next_ = 0;
  Cycle scrub_due_ = kNever;  // the next scrub that can find more than the one before
  std::vector<sim::CodewordBit> held_;
  ScrubFindings scrubbed_;
};

}  // namespace tilestrike::bridge

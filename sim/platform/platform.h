// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The accelerator's memories and its sequencer as SystemC modules (docs/platform.md): a program of
// reads and writes runs on memory arrays that own time, and in which strikes arrive. No SystemC in
// this header.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/fault.h"
#include "sim/memory/memory_array.h"
#include "sim/memory/memory_config.h"
#include "sim/mesh/mesh_config.h"

namespace tilestrike::sim {

inline constexpr int kMostPlatformMemories = 8;

/// What a step does, in the order in which one cycle does it: reads sample, then writes commit.
enum class AccessKind : std::uint8_t {
  kRead,
  kReadForUpdate,  // the first half of a read-modify-write
  kWrite,
  kWriteBack,  // its second half, of the same bytes, in a later cycle
};

/// An access to a range of bytes in one cycle, or a burst: equal parts of the range, one after
/// another, in as many cycles. No other step may meet the codewords of a burst while it lasts,
/// except for the two halves of a read-modify-write.
struct PlatformStep {
  Cycle cycle = 0;
  AccessKind kind = AccessKind::kRead;
  std::int32_t memory = 0;
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
  std::uint8_t* data = nullptr;  // the program's: where reads put, and writes take, the bytes
  /// Before a write: 32-bit words that are added to those of `data`, by the adder of an accumulator
  /// memory; nullptr: none.
  const std::int32_t* addend = nullptr;
  Overflow overflow = Overflow::kWrap;  // of these sums
  std::uint32_t beats = 1;              // cycles; `bytes` is of all of them
  bool is_write() const { return kind >= AccessKind::kWrite; }
};

/// What becomes of a codeword in which ECC finds an error that it cannot correct.
enum class DueAction : std::uint8_t {
  kStop,  // the run ends
  kZero,  // its bytes are read as zeros; a read-modify-write goes on with them
  kUse,   // its bytes are read as the cells hold them
};

/// What the sequencer executes.
class PlatformProgram {
 public:
  virtual ~PlatformProgram() = default;
  /// The next steps, in time order (by first cycle, reads before writes); none: the end. Called
  /// when the steps before have been done, so that what they have read is there. What these steps
  /// write must be there. They stay valid until the next call, and their bursts end before the
  /// steps that it gives.
  virtual std::span<const PlatformStep> next() = 0;
  /// A step, or a beat of a burst, has met a codeword with an error that was corrected.
  virtual void on_corrected(const PlatformStep& step, const CodewordFinding& finding) {
    (void)step, (void)finding;
  }
  /// A step, or a beat of a burst, has met a codeword with an error that cannot be corrected. A
  /// program that fetches it again puts the right bytes into `step.data`, writes the array and
  /// answers kUse.
  virtual DueAction on_detected(const PlatformStep& step, const CodewordFinding& finding,
                                DueAction usual) {
    (void)step, (void)finding;
    return usual;
  }
};

/// A fault of one cell. A flip (or random value) acts once, just after the clock edge of cycle
/// `when.from`; a stuck-at holds the cell after every edge in `when`.
struct PlatformStrike {
  std::int32_t memory = 0;
  CodewordBit bit;
  FaultKind kind = FaultKind::kFlip;
  CycleWindow when;
  bool random_value = false;  // of kRandom
};

struct DetectedError {
  std::int32_t memory = 0;
  CodewordId codeword;
  Cycle cycle = 0;
  bool by_scrubber = false;
  friend bool operator==(const DetectedError&, const DetectedError&) = default;
};

/// Codewords in which ECC found an error, counted each time that they are read.
struct EccCounts {
  std::uint64_t corrected = 0;
  std::uint64_t detected = 0;
  friend bool operator==(const EccCounts&, const EccCounts&) = default;
};

struct PlatformReport {
  std::optional<DetectedError> first_detected;
  std::vector<EccCounts> reads;   // of each memory, by the program's steps
  std::vector<EccCounts> scrubs;  // of each memory, by its scrubber
  std::uint64_t steps = 0;        // done, every beat of a burst
  Cycle last_cycle = 0;           // of the last one
  bool is_stopped = false;        // at first_detected
};

/// The state of a set of memories: many may exist; one at a time uses the modules, in run(). Its
/// cycles only grow from one run to the next, until clear().
class Platform {
 public:
  /// Throws Failure for more memories than there are modules.
  explicit Platform(std::span<const MemoryConfig> memories);
  ~Platform();
  Platform(Platform&&) noexcept;
  Platform& operator=(Platform&&) noexcept;

  std::size_t memories() const;
  /// To fill it before a run, and to look into it after one.
  MemoryArray& array(int memory);

  /// In cycle 0 the scrubber of a memory is `phase` cycles into its round, 0 .. period - 1;
  /// nothing: it does not come by. Before anything strikes the memory.
  void set_scrub_phase(int memory, std::optional<Cycle> phase);
  /// Strikes that arrive in later runs; those of cycles that have gone by act at once when the next
  /// one begins. No cell may be stuck twice at one time.
  void arm(std::span<const PlatformStrike> strikes);
  /// Lets everything act that is due by the end of `cycle`, as if nobody accessed the memories.
  PlatformReport idle_until(Cycle cycle);
  /// Executes the program, whose cycles count from `origin`; those of strikes and of the report
  /// count from clear(). What the steps do not reach stays armed.
  PlatformReport run(PlatformProgram& program, DueAction on_due, Cycle origin = 0);
  /// The first cycle in which a step of any kind may come next.
  Cycle next_cycle() const;
  /// As it was made: cells 0, nothing stuck, armed or held, cycle 0, in which scrubbers begin a
  /// round.
  void clear();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tilestrike::sim

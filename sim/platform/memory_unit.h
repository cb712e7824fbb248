// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One memory of the platform as its module sees it: the array, what will strike it, and where its
// scrubber goes. It knows the order of events within a cycle; time belongs to the module.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "sim/memory/memory_array.h"
#include "sim/memory/scrub.h"
#include "sim/platform/platform.h"

namespace tilestrike::sim {

/// A moment: a cycle and what happens in it. Different parts never meet at one tick.
using Tick = std::uint64_t;
inline constexpr Tick kTicksPerCycle = 1000;
inline constexpr Tick kNever = std::numeric_limits<Tick>::max();

enum class Part : std::uint16_t {  // of a cycle, in order
  kReads = 0,
  kReleases = 200,  // of stuck cells: a write of this cycle changes them
  kScrubs = 400,
  kWrites = 600,
  kStrikes = 800,
};
/// The kernel counts ticks in 64 bits, from before a run on: what is due later than this never is.
/// 4.6e15 cycles, of which no run has as many.
inline constexpr Cycle kLastCycle = static_cast<Cycle>((Tick{1} << 62) / kTicksPerCycle);
constexpr Tick tick_of(Cycle cycle, Part part) {
  return static_cast<Tick>(cycle) * kTicksPerCycle + static_cast<Tick>(part);
}
constexpr Cycle cycle_of(Tick tick) { return static_cast<Cycle>(tick / kTicksPerCycle); }

class MemoryUnit {
 public:
  explicit MemoryUnit(const MemoryConfig& config);

  MemoryArray& array() { return array_; }

  /// As Platform::set_scrub_phase().
  void set_scrub_phase(std::optional<Cycle> phase);
  void arm(const PlatformStrike& strike);
  /// When the next strike, release or scrub that can matter is due.
  Tick next_arrival() const {
    return arrived_ < arrivals_.size() ? arrivals_[arrived_].tick : kNever;
  }
  Tick next_scrub() const {
    return scrubs_.empty() || scrubs_.begin()->first > kLastCycle
               ? kNever
               : tick_of(scrubs_.begin()->first, Part::kScrubs);
  }
  /// Everything that arrives by `tick` acts.
  void arrive(Tick tick);
  /// Scrubs what is due by `tick`. Errors are added to `findings`, each with its cycle.
  void scrub(Tick tick, std::vector<std::pair<Cycle, CodewordFinding>>& findings);

  /// One step, of so many beats. Reads put their bytes into `data`.
  void access(AccessKind kind, std::uint64_t address, std::span<std::uint8_t> data,
              std::uint32_t beats, std::vector<CodewordFinding>& findings);

  /// A codeword whose first half has met an uncorrectable error is taken as zeros: its second half
  /// writes it as if it had been read so.
  void zero_held(CodewordId codeword);

  void clear();

 private:
  enum class Action : std::uint8_t { kFlip, kHold0, kHold1, kSet0, kSet1, kRelease };
  struct Arrival {
    Tick tick = 0;
    CodewordBit bit;
    Action action = Action::kFlip;
  };
  bool shares_codeword(const HeldRead& other, std::uint64_t address, std::uint64_t bytes) const;
  void await_scrub(CodewordId codeword, Cycle from);

  MemoryArray array_;
  Cycle scrub_period_;  // 0: there is no scrubber
  std::optional<ScrubSchedule> scrubber_;
  std::vector<Arrival> arrivals_;  // in time order; some have arrived
  std::size_t arrived_ = 0;
  // Only marked codewords are looked at: a scrub changes no other.
  std::set<std::pair<Cycle, std::uint64_t>> scrubs_;
  std::set<std::uint64_t> awaiting_scrub_;
  std::vector<HeldRead> held_;  // first halves that await their second
};

}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What moves every array and register of a core at every clock edge, and lets each be read, written
// and struck in between (docs/core.md, "One clock edge").
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/fault.h"
#include "sim/core/core_run.h"
#include "sim/core/core_state.h"

namespace tilestrike::sim {

/// What the register `state` holds; codes from kDone + 1 on are of no state.
enum class CorePhase : std::uint8_t {
  kIdle,
  kReset,
  kLatch,
  kScan,
  kSumRead,
  kSumWrite,
  kUpdateRead,
  kUpdateWrite,
  kEmit,
  kDone,
};
inline constexpr int kCorePhases = 10;

/// Bits of the register `error`.
inline constexpr std::uint64_t kErrorHung = 1;     // the watchdog ran out
inline constexpr std::uint64_t kErrorOverrun = 2;  // a tick began while the core was busy

/// What a core sees at one clock edge.
struct CoreEdge {
  bool is_reset = false;                       // the reset before an inference begins
  bool is_start = false;                       // a tick begins
  std::span<const CoreArrival> arrivals = {};  // written into the ring; their cycles do not matter
};

/// Where a core reads its synapses and parameters, if not in its own state: memories behind
/// sockets.
class CoreReader {
 public:
  virtual ~CoreReader() = default;
  /// Words `first` to `first + words - 1`, as a read through ECC gives them.
  virtual void read(CoreStorage array, std::size_t first, std::size_t words,
                    std::uint64_t* limbs) = 0;
};

class CoreMachine {
 public:
  virtual ~CoreMachine() = default;
  virtual const CoreSites& sites() const = 0;
  virtual void set_state(const CoreState& state) = 0;
  /// Of the core that the machine was made for.
  virtual void get_state(CoreState& state) const = 0;
  /// One clock edge: all storage samples, then all of it changes.
  virtual void step(const CoreEdge& edge) = 0;
  /// Up to `at_most` edges at once, at which nothing leaves, no tick begins and no event is read or
  /// comes; how many it were. 0: this machine, or what it is about to do, goes edge by edge.
  virtual Cycle burst(Cycle at_most) {
    (void)at_most;
    return 0;
  }
  /// Sets bits of the ring between two edges.
  virtual void write_events(std::span<const CoreArrival> arrivals) = 0;
  /// The event that leaves at the next edge.
  virtual std::optional<CoreEvent> outgoing() const = 0;
  /// Whether the next edge cannot begin a tick.
  virtual bool is_busy() const = 0;
  /// The register `error`.
  virtual std::uint64_t errors() const = 0;
  /// What the host reads of a neuron, while the core is idle.
  virtual std::int32_t membrane(std::int32_t neuron) const = 0;
  /// Flips or sets one bit now; whether it changed. A stuck-at is held by striking again after
  /// every edge. Never kRandom.
  virtual bool strike(const CoreSite& site, FaultKind kind) = 0;
  /// The same for a check bit of a codeword, where the machine has some.
  virtual bool strike_check(CoreStorage array, CodewordBit bit, FaultKind kind);
  /// The check bits of a codeword, where the machine has some.
  virtual std::uint64_t check_bits(CoreStorage array, CodewordId codeword) const;
  /// The field that a bit is of, as CoreState::field().
  virtual std::uint64_t field(const CoreSite& site) const = 0;
};

}  // namespace tilestrike::sim

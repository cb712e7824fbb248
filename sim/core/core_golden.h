// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// All storage of the fault-free core at the begin of each tick: where a struck run can start, and
// by which it knows that it may end.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/core/core_run.h"
#include "sim/core/core_state.h"

namespace tilestrike::sim {

class CoreGolden {
 public:
  /// Runs the inference once. The run must outlive this object.
  explicit CoreGolden(const CoreRun& run);

  const CoreRun& run() const { return run_; }
  const CoreSites& sites() const { return run_.core().sites(); }
  /// Before the first edge of a tick, -1 to run().ticks() - 1.
  void get(std::int32_t tick, CoreState& state) const;
  /// One word of at most 64 bits of that, not of an array of boot.
  std::uint64_t running_word(std::int32_t tick, CoreStorage storage, std::size_t index) const;
  /// Whether what the running core goes on with at the begin of a tick is golden: all but what is
  /// written before it is read. The arrays of boot are not looked at.
  bool is_golden(std::int32_t tick, const CoreState& state) const;

 private:
  const CoreRun& run_;
  std::vector<std::vector<std::uint64_t>> running_;  // CoreState::running(), by tick + 1
};

}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/core_golden.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "sim/core/burst_core.h"
#include "sim/core/core_drive.h"

namespace tilestrike::sim {

CoreGolden::CoreGolden(const CoreRun& run) : run_(run) {
  BurstCore core(sites());
  core.set_state(run.core().state());
  CoreDrive drive(run, core);
  std::int32_t tick = -2;
  while (!drive.is_over() && drive.next().tick < run.ticks()) {
    if (drive.next().tick != tick) {
      tick = drive.next().tick;
      const std::span<const std::uint64_t> running = core.state().running();
      running_.emplace_back(running.begin(), running.end());
    }
    drive.advance(std::numeric_limits<Cycle>::max());
  }
  TS_CHECK(running_.size() == static_cast<std::size_t>(run.ticks()) + 1, "a state for each tick");
}

void CoreGolden::get(std::int32_t tick, CoreState& state) const {
  state.take(run_.core().state());
  std::ranges::copy(running_[static_cast<std::size_t>(tick + 1)], state.running().begin());
}

std::uint64_t CoreGolden::running_word(std::int32_t tick, CoreStorage storage,
                                       std::size_t index) const {
  const CoreBlock& block = sites().block(storage);
  return running_[static_cast<std::size_t>(tick + 1)]
                 [block.first_limb + index * block.limbs - sites().boot_limbs()];
}

// Idle or latching, nothing in the queue: the latches, `pending`, `fired`, what counts within a
// tick and the entries of the queue are written before they are read. Where the pointers are does
// not matter while they are equal.
bool CoreGolden::is_golden(std::int32_t tick, const CoreState& state) const {
  const std::vector<std::uint64_t>& golden = running_[static_cast<std::size_t>(tick + 1)];
  const CoreSites& sites = state.sites();
  if (state.value(CoreStorage::kQueueWrite) != state.value(CoreStorage::kQueueRead)) {
    return false;
  }
  return std::ranges::all_of(
      std::initializer_list<CoreStorage>{
          CoreStorage::kTick, CoreStorage::kState, CoreStorage::kRemaining, CoreStorage::kError,
          CoreStorage::kMembranes, CoreStorage::kRing, CoreStorage::kRefractory,
          CoreStorage::kAccumulators, CoreStorage::kFirstTick, CoreStorage::kTicks},
      [&](CoreStorage storage) {
        const std::size_t first = sites.block(storage).first_limb - sites.boot_limbs();
        return std::ranges::equal(
            state.all(storage), std::span(golden).subspan(first, sites.block(storage).all_limbs()));
      });
}

}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/burst_core.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/multiversion.h"

namespace tilestrike::sim {
namespace {

TS_MULTIVERSION
void add_weights(std::int32_t* __restrict sums, const std::int8_t* __restrict weights, int count) {
  for (int i = 0; i < count; ++i) {
    sums[i] += weights[i];
  }
}

CorePhase phase_of(const CoreState& state) {
  return static_cast<CorePhase>(state.value(CoreStorage::kState));
}

}  // namespace

BurstCore::BurstCore(const CoreSites& sites, CoreReader* reader)
    : SteppedCore(sites),
      reader_(reader),
      row_(static_cast<std::size_t>(sites.config().groups())),
      sums_(static_cast<std::size_t>(sites.config().neurons)) {}

Cycle BurstCore::burst(Cycle at_most) {
  switch (phase_of(state())) {
    case CorePhase::kIdle:
      return at_most;
    case CorePhase::kScan:
      return sum_axons(at_most);
    case CorePhase::kUpdateRead:
    case CorePhase::kUpdateWrite:
      return update_groups(at_most);
    default:
      return 0;
  }
}

std::int64_t BurstCore::pending_axons() const {
  std::int64_t axons = 0;
  for (const std::uint64_t word : state().all(CoreStorage::kPending)) {
    axons += std::popcount(word);
  }
  return axons;
}

std::int32_t BurstCore::take_axon() {
  std::int32_t first = 0;
  for (std::uint64_t& word : state().all(CoreStorage::kPending)) {
    if (word != 0) {
      const std::int32_t axon = first + std::countr_zero(word);
      word &= word - 1;
      return axon;
    }
    first += sites().config().ring_bits();
  }
  return -1;
}

// Three bytes a number: each is read with the byte behind it, which the packing below leaves right.
void BurstCore::unpack_sums() {
  const auto* bytes =
      reinterpret_cast<const std::uint8_t*>(state().word(CoreStorage::kAccumulators, 0));
  const std::size_t last = sums_.size() - 1;
  for (std::size_t i = 0; i < last; ++i) {
    std::uint32_t low = 0;
    std::memcpy(&low, bytes + 3 * i, 4);
    sums_[i] = static_cast<std::int32_t>(low << 8) >> 8;
  }
  std::uint32_t low = 0;
  std::memcpy(&low, bytes + 3 * last, 3);
  sums_[last] = static_cast<std::int32_t>(low << 8) >> 8;
}

void BurstCore::pack_sums() {
  auto* bytes = reinterpret_cast<std::uint8_t*>(state().word(CoreStorage::kAccumulators, 0));
  const std::size_t last = sums_.size() - 1;
  for (std::size_t i = 0; i < last; ++i) {
    std::memcpy(bytes + 3 * i, &sums_[i], 4);
  }
  std::memcpy(bytes + 3 * last, &sums_[last], 3);
}

// Whole axons from Scan to the next Scan, or to the update.
Cycle BurstCore::sum_axons(Cycle at_most) {
  const CoreConfig& config = sites().config();
  const Cycle edges = 1 + 2 * config.groups();
  const auto watch = static_cast<Cycle>(state().value(CoreStorage::kWatch));
  const std::int64_t axons = std::min<std::int64_t>(
      pending_axons(), std::min(at_most, sites().watchdog() - 1 - watch) / edges);
  if (axons <= 0) {
    return 0;
  }
  const auto groups = static_cast<std::size_t>(config.groups());
  const std::uint64_t* row = nullptr;
  std::int32_t axon = 0;
  unpack_sums();
  for (std::int64_t i = 0; i < axons; ++i) {
    axon = take_axon();
    const std::size_t first = static_cast<std::size_t>(axon) * groups;
    if (reader_ != nullptr) {
      reader_->read(CoreStorage::kSynapses, first, groups, row_.data());
      row = row_.data();
    } else {
      row = state().word(CoreStorage::kSynapses, first);
    }
    if (i == axons - 1) {  // what the latch takes last
      pack_sums();
      std::copy_n(state().word(CoreStorage::kAccumulators, groups - 1), 3,
                  state().word(CoreStorage::kSumLatch, 0));
    }
    add_weights(sums_.data(), reinterpret_cast<const std::int8_t*>(row), config.neurons);
  }
  pack_sums();
  *state().word(CoreStorage::kSynapseLatch, 0) = row[groups - 1];
  *state().word(CoreStorage::kAxon, 0) = static_cast<std::uint64_t>(axon);
  *state().word(CoreStorage::kGroup, 0) = 0;
  *state().word(CoreStorage::kWatch, 0) += static_cast<std::uint64_t>(axons * edges);
  *state().word(CoreStorage::kState, 0) =
      static_cast<std::uint64_t>(pending_axons() > 0 ? CorePhase::kScan : CorePhase::kUpdateRead);
  return axons * edges;
}

// Edge by edge, until a spike is to be sent.
Cycle BurstCore::update_groups(Cycle at_most) {
  const auto watch = static_cast<Cycle>(state().value(CoreStorage::kWatch));
  const Cycle most = std::min(at_most, sites().watchdog() - 1 - watch);
  Cycle edges = 0;
  while (edges < most && (phase_of(state()) == CorePhase::kUpdateRead ||
                          phase_of(state()) == CorePhase::kUpdateWrite)) {
    step({});
    ++edges;
  }
  return edges;
}

}  // namespace tilestrike::sim

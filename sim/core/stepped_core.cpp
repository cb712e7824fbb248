// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/stepped_core.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace tilestrike::sim {
namespace {

// One edge. What several parts of it read is read before the first of them writes.
class Edge {
 public:
  Edge(CoreState& state, const CoreEdge& edge, CoreReader* reader)
      : state_(state), edge_(edge), reader_(reader), config_(state.sites().config()) {}

  void run() {
    const auto phase = static_cast<CorePhase>(value(CoreStorage::kState));
    const bool was_busy = is_busy(state_);
    drain();
    if (edge_.is_reset) {
      begin_reset();
    } else {
      act(phase);
      if (was_busy) {
        watch();
      }
      if (edge_.is_start) {
        was_busy ? add(CoreStorage::kError, kErrorOverrun) : begin_tick();
      }
    }
    write_events(state_, edge_.arrivals);
  }

 private:
  std::uint64_t value(CoreStorage storage) const { return state_.value(storage); }
  void put(CoreStorage storage, std::uint64_t value) {
    const int bits = state_.sites().block(storage).bits;
    *state_.word(storage, 0) = value & ((std::uint64_t{1} << bits) - 1);
  }
  void add(CoreStorage storage, std::uint64_t bits) { *state_.word(storage, 0) |= bits; }
  void go(CorePhase phase) { put(CoreStorage::kState, static_cast<std::uint64_t>(phase)); }
  std::uint64_t* ring_word(std::int32_t slot, std::int32_t word) {
    return state_.word(CoreStorage::kRing,
                       static_cast<std::size_t>(slot * config_.ring_words() + word));
  }

  void act(CorePhase phase) {
    switch (phase) {
      case CorePhase::kReset:
        return reset_words();
      case CorePhase::kLatch:
        return latch();
      case CorePhase::kScan:
        return scan();
      case CorePhase::kSumRead:
        return read_sums();
      case CorePhase::kSumWrite:
        return write_sums();
      case CorePhase::kUpdateRead:
        return read_neurons();
      case CorePhase::kUpdateWrite:
        return write_neurons();
      case CorePhase::kEmit:
        return emit();
      case CorePhase::kIdle:
      case CorePhase::kDone:
        break;
    }
    go(CorePhase::kIdle);  // a code that no state has, too
  }

  void drain() {
    read_ = value(CoreStorage::kQueueRead);
    if (read_ != value(CoreStorage::kQueueWrite)) {
      put(CoreStorage::kQueueRead, read_ + 1);
    }
  }

  void begin_reset() {
    for (const CoreStorage storage :
         {CoreStorage::kAxon, CoreStorage::kGroup, CoreStorage::kLane, CoreStorage::kDestination,
          CoreStorage::kRemaining, CoreStorage::kFired, CoreStorage::kQueueWrite,
          CoreStorage::kQueueRead, CoreStorage::kWatch, CoreStorage::kError}) {
      put(storage, 0);
    }
    std::ranges::fill(state_.all(CoreStorage::kPending), 0);
    put(CoreStorage::kTick, ~std::uint64_t{0});
    go(CorePhase::kReset);
  }

  // The register `watch` says which word of each array.
  void reset_words() {
    const std::uint64_t word = value(CoreStorage::kWatch);
    for (const CoreStorage storage :
         {CoreStorage::kAccumulators, CoreStorage::kMembranes, CoreStorage::kRefractory,
          CoreStorage::kRing, CoreStorage::kQueue}) {
      const CoreBlock& block = state_.sites().block(storage);
      if (word < block.words) {
        std::fill_n(state_.word(storage, word), block.limbs, 0);
      }
    }
    if (word + 1 >= static_cast<std::uint64_t>(config_.reset_words())) {
      go(CorePhase::kIdle);
    }
  }

  void begin_tick() {
    const std::uint64_t tick = value(CoreStorage::kTick) + 1;
    put(CoreStorage::kTick, tick);
    put(CoreStorage::kWatch, 0);
    put(CoreStorage::kAxon, 0);
    const auto since = static_cast<std::uint16_t>(tick - value(CoreStorage::kFirstTick));
    go(since < value(CoreStorage::kTicks) ? CorePhase::kLatch : CorePhase::kIdle);
  }

  void latch() {
    const std::uint64_t axon = value(CoreStorage::kAxon);
    const auto word = static_cast<std::int32_t>(axon) / config_.ring_bits();
    std::uint64_t* ring =
        ring_word(static_cast<std::int32_t>(value(CoreStorage::kTick) % kRingSlots), word);
    *state_.word(CoreStorage::kPending, static_cast<std::size_t>(word)) = *ring;
    *ring = 0;
    put(CoreStorage::kAxon, axon + static_cast<std::uint64_t>(config_.ring_bits()));
    if (word == config_.ring_words() - 1) {
      put(CoreStorage::kGroup, 0);
      go(has_pending() ? CorePhase::kScan : CorePhase::kUpdateRead);
    }
  }

  bool has_pending() const {
    return std::ranges::any_of(state_.all(CoreStorage::kPending),
                               [](std::uint64_t word) { return word != 0; });
  }

  void scan() {
    put(CoreStorage::kGroup, 0);
    for (std::int32_t word = 0; word < config_.ring_words(); ++word) {
      std::uint64_t& pending = *state_.word(CoreStorage::kPending, static_cast<std::size_t>(word));
      if (pending != 0) {
        put(CoreStorage::kAxon,
            static_cast<std::uint64_t>(word * config_.ring_bits() + std::countr_zero(pending)));
        pending &= pending - 1;
        return go(CorePhase::kSumRead);
      }
    }
    go(CorePhase::kUpdateRead);  // nothing pends any more: a strike
  }

  void take(CoreStorage latch, CoreStorage array, std::uint64_t word) {
    const bool is_outside = array == CoreStorage::kSynapses || array == CoreStorage::kParameters;
    if (reader_ != nullptr && is_outside) {
      reader_->read(array, word, 1, state_.word(latch, 0));
      return;
    }
    std::copy_n(state_.word(array, word), state_.sites().block(array).limbs, state_.word(latch, 0));
  }

  void read_sums() {
    const std::uint64_t group = value(CoreStorage::kGroup);
    const std::uint64_t axon = value(CoreStorage::kAxon);
    take(CoreStorage::kSynapseLatch, CoreStorage::kSynapses,
         axon * static_cast<std::uint64_t>(config_.groups()) + group);
    take(CoreStorage::kSumLatch, CoreStorage::kAccumulators, group);
    go(CorePhase::kSumWrite);
  }

  void write_sums() {
    const std::uint64_t group = value(CoreStorage::kGroup);
    const std::uint64_t* sums = state_.word(CoreStorage::kSumLatch, 0);
    const std::uint64_t* weights = state_.word(CoreStorage::kSynapseLatch, 0);
    for (int lane = 0; lane < kLanes; ++lane) {
      const std::int32_t sum = read_signed(sums, lane * kCurrentBits, kCurrentBits) +
                               read_signed(weights, lane * kSynapseBits, kSynapseBits);
      write_bits(state_.word(CoreStorage::kAccumulators, group), lane * kCurrentBits, kCurrentBits,
                 static_cast<std::uint64_t>(sum));
    }
    const bool is_last = group == static_cast<std::uint64_t>(config_.groups() - 1);
    put(CoreStorage::kGroup, group + 1);
    go(!is_last ? CorePhase::kSumRead : has_pending() ? CorePhase::kScan : CorePhase::kUpdateRead);
  }

  void read_neurons() {
    const std::uint64_t group = value(CoreStorage::kGroup);
    take(CoreStorage::kSumLatch, CoreStorage::kAccumulators, group);
    take(CoreStorage::kMembraneLatch, CoreStorage::kMembranes, group);
    take(CoreStorage::kParameterLatch, CoreStorage::kParameters, group);
    take(CoreStorage::kRefractoryLatch, CoreStorage::kRefractory, group);
    go(CorePhase::kUpdateWrite);
  }

  void write_neurons() {
    const std::uint64_t group = value(CoreStorage::kGroup);
    const int bits = config_.membrane_bits;
    std::uint64_t fired = 0;
    for (int lane = 0; lane < kLanes; ++lane) {
      const NeuronState before{
          read_signed(state_.word(CoreStorage::kMembraneLatch, 0), lane * bits, bits),
          static_cast<std::int32_t>(read_bits(state_.word(CoreStorage::kRefractoryLatch, 0),
                                              lane * kRefractoryBits, kRefractoryBits))};
      const NeuronStep step = step_neuron(
          read_parameters(state_.word(CoreStorage::kParameterLatch, 0), lane * kParameterBits),
          config_.format(), before,
          read_signed(state_.word(CoreStorage::kSumLatch, 0), lane * kCurrentBits, kCurrentBits));
      write_bits(state_.word(CoreStorage::kMembranes, group), lane * bits, bits,
                 static_cast<std::uint64_t>(step.state.membrane));
      write_bits(state_.word(CoreStorage::kRefractory, group), lane * kRefractoryBits,
                 kRefractoryBits, static_cast<std::uint64_t>(step.state.refractory));
      fired |= step.fires ? std::uint64_t{1} << lane : 0;
    }
    std::fill_n(state_.word(CoreStorage::kAccumulators, group),
                state_.sites().block(CoreStorage::kAccumulators).limbs, 0);
    put(CoreStorage::kFired, fired);
    fired != 0 ? go(CorePhase::kEmit) : next_group();
  }

  void next_group() {
    const std::uint64_t group = value(CoreStorage::kGroup);
    const bool is_last = group == static_cast<std::uint64_t>(config_.groups() - 1);
    put(CoreStorage::kGroup, group + 1);
    go(is_last ? CorePhase::kDone : CorePhase::kUpdateRead);
  }

  void emit() { value(CoreStorage::kRemaining) == 0 ? choose_lane() : send(); }

  void choose_lane() {
    std::uint64_t fired = value(CoreStorage::kFired);
    if (fired == 0) {
      return next_group();  // a strike
    }
    const auto lane = static_cast<std::uint64_t>(std::countr_zero(fired));
    const int bits = state_.sites().block(CoreStorage::kRemaining).bits;
    const std::uint64_t* route =
        state_.word(CoreStorage::kNeuronRoutes, value(CoreStorage::kGroup) * kLanes + lane);
    const std::uint64_t count = read_bits(route, bits, bits);
    put(CoreStorage::kLane, lane);
    put(CoreStorage::kDestination, read_bits(route, 0, bits));
    put(CoreStorage::kRemaining, count);
    if (count == 0) {
      finish_lane(lane);
    }
  }

  void finish_lane(std::uint64_t lane) {
    const std::uint64_t fired = value(CoreStorage::kFired) & ~(std::uint64_t{1} << lane);
    put(CoreStorage::kFired, fired);
    if (fired == 0) {
      next_group();
    }
  }

  void send() {
    const std::uint64_t index = value(CoreStorage::kDestination);
    const std::uint64_t entry = *state_.word(CoreStorage::kDestinations, index);
    const std::uint64_t write = value(CoreStorage::kQueueWrite);
    const auto entries = static_cast<std::uint64_t>(config_.queue);
    if ((entry & 1) != 0) {
      if (((write - read_) & (2 * entries - 1)) >= entries) {
        return;  // the queue is full
      }
      const std::uint64_t slot =
          ((entry >> (1 + kCoreBits + kAxonBits)) + value(CoreStorage::kTick)) % kRingSlots;
      *state_.word(CoreStorage::kQueue, write % entries) =
          (entry >> 1 & ((1U << (kCoreBits + kAxonBits)) - 1)) | slot << (kCoreBits + kAxonBits);
      put(CoreStorage::kQueueWrite, write + 1);
    }
    const std::uint64_t remaining = value(CoreStorage::kRemaining);
    put(CoreStorage::kDestination, index + 1);
    put(CoreStorage::kRemaining, remaining - 1);
    if (remaining == 1) {
      finish_lane(value(CoreStorage::kLane));
    }
  }

  void watch() {
    const std::uint64_t cycles = value(CoreStorage::kWatch) + 1;
    put(CoreStorage::kWatch, cycles);
    if (cycles >= static_cast<std::uint64_t>(state_.sites().watchdog())) {
      add(CoreStorage::kError, kErrorHung);
    }
  }

  CoreState& state_;
  const CoreEdge& edge_;
  CoreReader* const reader_;
  const CoreConfig& config_;
  std::uint64_t read_ = 0;  // where the queue was read before the edge
};

}  // namespace

void step_core(CoreState& state, const CoreEdge& edge, CoreReader* reader) {
  Edge(state, edge, reader).run();
}

bool CoreMachine::strike_check(CoreStorage, CodewordBit, FaultKind) {
  TS_CHECK(false, "this machine has no check bits");
  return false;
}

std::uint64_t CoreMachine::check_bits(CoreStorage, CodewordId) const {
  TS_CHECK(false, "this machine has no check bits");
  return 0;
}

void write_events(CoreState& state, std::span<const CoreArrival> arrivals) {
  const CoreConfig& config = state.sites().config();
  for (const CoreArrival& arrival : arrivals) {
    const std::int32_t axon = arrival.axon % config.axons;
    const std::int32_t word = arrival.slot * config.ring_words() + axon / config.ring_bits();
    *state.word(CoreStorage::kRing, static_cast<std::size_t>(word)) |=
        std::uint64_t{1} << (axon % config.ring_bits());
  }
}

std::optional<CoreEvent> outgoing_of(const CoreState& state) {
  const std::uint64_t read = state.value(CoreStorage::kQueueRead);
  if (read == state.value(CoreStorage::kQueueWrite)) {
    return std::nullopt;
  }
  const auto entries = static_cast<std::uint64_t>(state.sites().config().queue);
  const std::uint64_t entry = *state.word(CoreStorage::kQueue, read % entries);
  const auto part = [&](int first, int bits) {
    return static_cast<std::int32_t>(entry >> first & ((1U << bits) - 1));
  };
  return CoreEvent{part(0, kCoreBits), part(kCoreBits, kAxonBits),
                   part(kCoreBits + kAxonBits, kSlotBits)};
}

bool is_busy(const CoreState& state) {
  const auto phase = static_cast<CorePhase>(state.value(CoreStorage::kState));
  return phase != CorePhase::kIdle && phase != CorePhase::kDone;
}

std::int32_t SteppedCore::membrane(std::int32_t neuron) const {
  const int bits = sites().config().membrane_bits;
  return read_signed(
      state_.word(CoreStorage::kMembranes, static_cast<std::size_t>(neuron / kLanes)),
      neuron % kLanes * bits, bits);
}

bool SteppedCore::strike(const CoreSite& site, FaultKind kind) {
  TS_CHECK(kind != FaultKind::kRandom, "whoever draws a fault knows what it comes to");
  if (kind != FaultKind::kFlip && state_.bit(site) == (kind == FaultKind::kStuckAt1)) {
    return false;
  }
  state_.flip(site);
  return true;
}

}  // namespace tilestrike::sim

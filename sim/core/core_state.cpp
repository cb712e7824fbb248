// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/core_state.h"

#include <algorithm>

namespace tilestrike::sim {
namespace {

// Where each field of CoreSites' parameters begins.
constexpr int kThreshold = 0, kBias = 24, kReset = 48, kLeak = 72, kPeriod = 85, kEnable = 89,
              kResetMode = 90, kRounding = 91, kRefractoryMode = 93;

}  // namespace

void write_parameters(std::uint64_t* limbs, int first, const NeuronParameters& neuron) {
  const auto put = [&](int at, int bits, std::int64_t value) {
    write_bits(limbs, first + at, bits, static_cast<std::uint64_t>(value));
  };
  put(kThreshold, kCurrentBits, neuron.threshold);
  put(kBias, kCurrentBits, neuron.bias);
  put(kReset, kCurrentBits, neuron.reset);
  put(kLeak, kLeakBits, neuron.leak);
  put(kPeriod, kRefractoryBits, neuron.refractory);
  put(kEnable, 1, neuron.is_enabled ? 1 : 0);
  put(kResetMode, 1, neuron.is_soft_reset ? 1 : 0);
  put(kRounding, 2, static_cast<std::int64_t>(neuron.rounding));
  put(kRefractoryMode, 1, neuron.holds ? 1 : 0);
}

NeuronParameters read_parameters(const std::uint64_t* limbs, int first) {
  NeuronParameters neuron;
  neuron.threshold = read_signed(limbs, first + kThreshold, kCurrentBits);
  neuron.bias = read_signed(limbs, first + kBias, kCurrentBits);
  neuron.reset = read_signed(limbs, first + kReset, kCurrentBits);
  const std::uint64_t rest = read_bits(limbs, first + kLeak, kParameterBits - kLeak);
  const auto part = [&](int at, int bits) {
    return static_cast<std::int32_t>(rest >> (at - kLeak) & ((1U << bits) - 1));
  };
  neuron.leak = part(kLeak, kLeakBits);
  neuron.refractory = part(kPeriod, kRefractoryBits);
  neuron.is_enabled = part(kEnable, 1) != 0;
  neuron.is_soft_reset = part(kResetMode, 1) != 0;
  const std::int32_t rounding = part(kRounding, 2);
  neuron.rounding = rounding == 3 ? LeakRounding::kFloor : static_cast<LeakRounding>(rounding);
  neuron.holds = part(kRefractoryMode, 1) != 0;
  return neuron;
}

std::uint64_t CoreState::field(const CoreSite& site) const {
  const CoreBlock& block = sites_->block(site.storage);
  const CoreField& field = sites_->field_of(site);
  const int lane = site.bit / block.lane_bits();
  int first = lane * block.lane_bits() + field.first;
  int bits = field.bits;
  if (bits > 64) {
    const int skipped = (site.bit - first) / 64 * 64;
    first += skipped;
    bits = std::min(64, bits - skipped);
  }
  return read_bits(word(site.storage, site.word), first, bits);
}

}  // namespace tilestrike::sim

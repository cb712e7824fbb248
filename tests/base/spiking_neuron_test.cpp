// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is one tick of the integer neuron what docs/core.md says: leak and its rounding, two resets, both
// refractory modes, three overflows? And is a published neuron one set of its parameters?
#include "base/spiking_neuron.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/random.h"

namespace tilestrike {
namespace {

// Written from the document, by other means: 80-bit reals hold every product and sum exactly.
NeuronStep by_the_book(const NeuronParameters& neuron, const NeuronFormat& format,
                       const NeuronState& before, std::int32_t current) {
  using Real = long double;
  const auto clip = [&](Real value) {
    const Real range = std::exp2l(format.membrane_bits);
    if (format.overflow == NeuronOverflow::kWrap) {
      return value - range * std::floor((value + range / 2) / range);
    }
    const bool is_symmetric = format.overflow == NeuronOverflow::kSymmetric;
    return std::clamp(value, -range / 2 + (is_symmetric ? 1 : 0), range / 2 - 1);
  };
  const Real exact = Real(before.membrane) * Real(neuron.leak) / 4096;
  const Real leak = neuron.rounding == LeakRounding::kFloor  ? std::floor(exact)
                    : neuron.rounding == LeakRounding::kZero ? std::trunc(exact)
                    : exact < 0                              ? std::floor(exact)
                                                             : std::ceil(exact);
  NeuronStep after;
  after.state.refractory = std::max(before.refractory - 1, 0);
  if (before.refractory > 0 && neuron.holds) {
    after.state.membrane = before.membrane;
    return after;
  }
  Real membrane = clip(before.membrane - leak + current + neuron.bias);
  after.fires = neuron.is_enabled && before.refractory == 0 && membrane >= neuron.threshold;
  if (after.fires) {
    after.state.refractory = neuron.refractory;
    const Real range = std::exp2l(format.membrane_bits);
    membrane = neuron.is_soft_reset
                   ? clip(membrane - neuron.threshold)
                   : neuron.reset - range * std::floor((neuron.reset + range / 2) / range);
  }
  after.state.membrane = static_cast<std::int32_t>(membrane);
  return after;
}

class SpikingNeuronTest : public testing::Test {
 protected:
  // Every fourth one is near an end of its range.
  std::int32_t number(int bits) {
    const std::int32_t half = std::int32_t{1} << (bits - 1);
    const auto any = static_cast<std::int32_t>(random_.below(2 * std::uint64_t(half))) - half;
    switch (random_.below(8)) {
      case 0:
        return half - 1 - static_cast<std::int32_t>(random_.below(3));
      case 1:
        return -half + static_cast<std::int32_t>(random_.below(3));
      default:
        return any / static_cast<std::int32_t>(1 + random_.below(400));
    }
  }
  NeuronParameters parameters() {
    NeuronParameters neuron;
    neuron.threshold = number(24);
    neuron.bias = number(24);
    neuron.reset = number(24);
    neuron.leak = static_cast<std::int32_t>(random_.below(random_.below(2) == 0 ? 4097 : 8192));
    neuron.refractory = static_cast<std::int32_t>(random_.below(16));
    neuron.is_enabled = random_.below(8) != 0;
    neuron.is_soft_reset = random_.below(2) == 0;
    neuron.rounding = static_cast<LeakRounding>(random_.below(3));
    neuron.holds = random_.below(2) == 0;
    return neuron;
  }
  RandomStream random_{51, 0, Purpose::kTest};
};

TEST_F(SpikingNeuronTest, EqualsTheFormulas) {
  int fired = 0, clipped_at_an_end = 0, refractory = 0;
  for (int trial = 0; trial < 300'000; ++trial) {
    const NeuronFormat format{trial % 2 == 0 ? 24 : 16,
                              static_cast<NeuronOverflow>(random_.below(3))};
    const NeuronParameters neuron = parameters();
    const NeuronState before{
        number(format.membrane_bits),
        random_.below(3) == 0 ? static_cast<std::int32_t>(random_.below(16)) : 0};
    const std::int32_t current = number(24);
    const NeuronStep expected = by_the_book(neuron, format, before, current);
    const NeuronStep step = step_neuron(neuron, format, before, current);
    ASSERT_EQ(step.state.membrane, expected.state.membrane) << trial;
    ASSERT_EQ(step.state.refractory, expected.state.refractory) << trial;
    ASSERT_EQ(step.fires, expected.fires) << trial;
    fired += step.fires ? 1 : 0;
    refractory += before.refractory > 0 ? 1 : 0;
    const std::int32_t end = std::int32_t{1} << (format.membrane_bits - 1);
    clipped_at_an_end += !step.fires && std::abs(step.state.membrane) >= end - 1 ? 1 : 0;
  }
  EXPECT_GT(fired, 50'000);
  EXPECT_GT(refractory, 50'000);
  EXPECT_GT(clipped_at_an_end, 5'000);
}

TEST_F(SpikingNeuronTest, AShiftLeakIsALeakWithFloor) {
  for (int trial = 0; trial < 50'000; ++trial) {
    const std::int32_t membrane = number(24);
    const int shift = static_cast<int>(random_.below(13));
    NeuronParameters neuron;
    neuron.threshold = (1 << 23) - 1;
    neuron.is_enabled = false;
    neuron.leak = kWholeLeak >> shift;
    const NeuronStep step = step_neuron(neuron, {}, {membrane, 0}, 0);
    ASSERT_EQ(step.state.membrane, membrane - (membrane >> shift)) << membrane << " " << shift;
  }
}

// Davies et al., IEEE Micro 38(1), 2018, with a current that decays at once: a compartment of 23
// bits and a sign, whose decay rounds towards zero, that fires above its threshold and is set to
// zero.
TEST_F(SpikingNeuronTest, APublishedNeuronIsAParameterSet) {
  constexpr std::int64_t kLimit = (std::int64_t{1} << 23) - 1;
  int spikes = 0, at_the_clip = 0, negative = 0;
  for (int neuron = 0; neuron < 100; ++neuron) {
    const auto decay = static_cast<std::int64_t>(random_.below(4097));
    const std::int64_t mantissa = 1 + static_cast<std::int64_t>(random_.below(1 << 16));
    const auto delay = static_cast<std::int32_t>(random_.below(8));
    const std::int64_t bias = number(20);
    const std::int64_t spread = std::int64_t{1} << (8 + neuron % 14);
    NeuronParameters ours;
    ours.leak = static_cast<std::int32_t>(decay);
    ours.rounding = LeakRounding::kAway;
    ours.threshold = static_cast<std::int32_t>(64 * mantissa + 1);
    ours.refractory = delay;
    ours.bias = static_cast<std::int32_t>(bias);
    ours.holds = true;
    NeuronState state;
    std::int64_t voltage = 0;
    int waits = 0;
    for (int tick = 0; tick < 1000; ++tick) {
      const auto activity =
          static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(2 * spread))) - spread;
      const std::int64_t current = (activity * 64) % (1 << 22);
      bool fires = false;
      if (waits > 0) {
        --waits;
      } else {
        const std::int64_t size = std::abs(voltage) * (4096 - decay) / 4096;
        voltage = (voltage < 0 ? -size : size) + current + bias;
        voltage = std::max(-kLimit, std::min(kLimit, voltage));
        at_the_clip += std::abs(voltage) == kLimit ? 1 : 0;
        fires = voltage > 64 * mantissa;
        if (fires) {
          voltage = 0;
          waits = delay;
        }
      }
      const NeuronStep step = step_neuron(ours, {24, NeuronOverflow::kSymmetric}, state,
                                          static_cast<std::int32_t>(current));
      ASSERT_EQ(step.fires, fires) << neuron << " " << tick;
      ASSERT_EQ(step.state.membrane, voltage) << neuron << " " << tick;
      state = step.state;
      spikes += fires ? 1 : 0;
      negative += voltage < 0 ? 1 : 0;
    }
  }
  EXPECT_GT(spikes, 5'000);
  EXPECT_GT(negative, 5'000);
  EXPECT_GT(at_the_clip, 100);
}

}  // namespace
}  // namespace tilestrike

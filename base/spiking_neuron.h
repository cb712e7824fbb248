// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One tick of the integer neuron (docs/core.md, "The neuron"): what host code, engines and kernels
// share, so that all of them mean the same neuron. Plain integers; nothing is included that device
// code could not take.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define TS_HOST_DEVICE __host__ __device__
#else
#define TS_HOST_DEVICE
#endif

namespace tilestrike {

/// What a membrane does beyond its range.
enum class NeuronOverflow : std::uint8_t {
  kWrap,
  kSaturate,   // at -2^(bits-1) and 2^(bits-1) - 1
  kSymmetric,  // at -(2^(bits-1) - 1) and 2^(bits-1) - 1
};

/// How the leak is rounded to an integer.
enum class LeakRounding : std::uint8_t {
  kFloor,
  kZero,  // towards zero
  kAway,  // away from zero
};

inline constexpr int kCurrentBits = 24;    // of the summed weights, the threshold, bias and reset
inline constexpr int kLeakBits = 13;       // of the leak
inline constexpr int kWholeLeak = 4096;    // this leak leaves nothing of a membrane
inline constexpr int kRefractoryBits = 4;  // of the refractory counter
inline constexpr std::int32_t kMostCurrent = (1 << (kCurrentBits - 1)) - 1;

/// What is the same for all neurons of a core.
struct NeuronFormat {
  int membrane_bits = 24;  // 2 to 24
  NeuronOverflow overflow = NeuronOverflow::kWrap;
};

struct NeuronParameters {
  std::int32_t threshold = 0;   // signed, kCurrentBits
  std::int32_t bias = 0;        // the same
  std::int32_t reset = 0;       // the same; a membrane takes its low bits
  std::int32_t leak = 0;        // 0 to kWholeLeak; a struck one has any kLeakBits
  std::int32_t refractory = 0;  // ticks without a spike after a spike, kRefractoryBits
  bool is_enabled = true;       // gates the spike alone
  bool is_soft_reset = false;   // the threshold is subtracted; else the membrane takes `reset`
  LeakRounding rounding = LeakRounding::kFloor;
  bool holds = false;  // while refractory the membrane stands still; else it goes on
};

/// What a neuron keeps from tick to tick.
struct NeuronState {
  std::int32_t membrane = 0;
  std::int32_t refractory = 0;  // ticks left without a spike
};

struct NeuronStep {
  NeuronState state;
  bool fires = false;
};

/// The low `bits` bits (1 to 32) of `value` as a signed number.
TS_HOST_DEVICE constexpr std::int32_t sign_extended(std::int64_t value, int bits) {
  const std::uint32_t low = static_cast<std::uint32_t>(value) << (32 - bits);
  return static_cast<std::int32_t>(low) >> (32 - bits);
}

/// `value` in a membrane's range.
TS_HOST_DEVICE constexpr std::int32_t clipped(std::int64_t value, const NeuronFormat& format) {
  const std::int64_t most = (std::int64_t{1} << (format.membrane_bits - 1)) - 1;
  const std::int64_t least = format.overflow == NeuronOverflow::kSymmetric ? -most : -most - 1;
  if (format.overflow == NeuronOverflow::kWrap) {
    return sign_extended(value, format.membrane_bits);
  }
  return static_cast<std::int32_t>(value > most ? most : value < least ? least : value);
}

/// What leaks off a membrane: membrane * leak / kWholeLeak, rounded.
TS_HOST_DEVICE constexpr std::int64_t leak_of(std::int32_t membrane, std::int32_t leak,
                                              LeakRounding rounding) {
  const std::int64_t product = static_cast<std::int64_t>(membrane) * leak;
  const std::int64_t floor = product >> 12;
  const std::int64_t rest = product - (floor << 12);
  const bool is_up = rest != 0 && (rounding == LeakRounding::kZero   ? product < 0
                                   : rounding == LeakRounding::kAway ? product > 0
                                                                     : false);
  return floor + (is_up ? 1 : 0);
}

/// One tick: `current` is the sum of the weights of the spikes that have come, in kCurrentBits.
TS_HOST_DEVICE constexpr NeuronStep step_neuron(const NeuronParameters& neuron,
                                                const NeuronFormat& format,
                                                const NeuronState& before, std::int32_t current) {
  const std::int32_t left = before.refractory > 0 ? before.refractory - 1 : 0;
  if (neuron.holds && before.refractory > 0) {
    return {{before.membrane, left}, false};
  }
  const std::int64_t leaked =
      before.membrane - leak_of(before.membrane, neuron.leak, neuron.rounding);
  const std::int32_t charged = clipped(leaked + current + neuron.bias, format);
  const bool fires = neuron.is_enabled && before.refractory == 0 && charged >= neuron.threshold;
  if (!fires) {
    return {{charged, left}, false};
  }
  const std::int32_t membrane =
      neuron.is_soft_reset ? clipped(static_cast<std::int64_t>(charged) - neuron.threshold, format)
                           : sign_extended(neuron.reset, format.membrane_bits);
  return {{membrane, neuron.refractory}, true};
}

}  // namespace tilestrike

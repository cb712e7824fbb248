// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/spiking/lif_scan.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/multiversion.h"

namespace tilestrike::dnn {
namespace {

/// Neurons whose state and parameters stay in the caches over all ticks.
constexpr std::int64_t kTogether = 1024;

/// One tick of some neurons of one image.
struct Tick {
  const std::int32_t* threshold;
  const std::int32_t* bias;
  const std::int32_t* reset;
  const std::int32_t* leak;
  const std::int32_t* refractory;
  const std::int32_t* is_enabled;
  const std::int32_t* is_soft_reset;
  const std::int32_t* rounds_to_zero;
  const std::int32_t* rounds_away;
  const std::int32_t* holds;
  const std::int32_t* current;
  std::int32_t* membrane;  // in and out
  std::int32_t* left;      // the same: ticks left without a spike
  std::int8_t* spikes;
  std::int64_t count;
  int bits;
};

inline std::int32_t chosen(std::int32_t mask, std::int32_t a, std::int32_t b) {
  return (a & mask) | (b & ~mask);
}
inline std::int32_t mask_of(bool is) { return is ? -1 : 0; }

/// step_neuron without a branch. kIsUniform: all neurons have the leak, the ticks without a spike
/// and the modes of the first. All sums fit int32: a membrane has 24 bits at most, and so do a
/// current, a bias and a threshold.
template <NeuronOverflow kOverflow, bool kIsUniform>
__attribute__((always_inline)) inline void step(const Tick& given) {
  const Tick tick = given;  // a copy: what is written below is none of it
  const std::int32_t most = (std::int32_t{1} << (tick.bits - 1)) - 1;
  const std::int32_t least = kOverflow == NeuronOverflow::kSymmetric ? -most : -most - 1;
  const int unused = 32 - tick.bits;
  constexpr int kUnusedBits = 32 - kCurrentBits;
  const auto clip = [&](std::int32_t value) {
    if constexpr (kOverflow == NeuronOverflow::kWrap) {
      return static_cast<std::int32_t>(static_cast<std::uint32_t>(value) << unused) >> unused;
    } else {
      return std::min(std::max(value, least), most);
    }
  };
  constexpr int kLowBits = 12;  // of a membrane; each part times a leak fits int32
  constexpr std::int32_t kLow = (1 << kLowBits) - 1;
  static_assert(1 << kLowBits == kWholeLeak);
  const auto of = [](std::int64_t i) { return kIsUniform ? 0 : i; };
#pragma GCC ivdep  // no two of these arrays are one
  for (std::int64_t i = 0; i < tick.count; ++i) {
    const std::int32_t membrane = tick.membrane[i], left = tick.left[i];
    const std::int32_t leak = tick.leak[of(i)];
    const std::int32_t low = (membrane & kLow) * leak;
    const std::int32_t floor = (membrane >> kLowBits) * leak + (low >> kLowBits);
    const std::int32_t has_rest = mask_of((low & kLow) != 0);
    const std::int32_t is_negative = mask_of(membrane < 0);  // a leak is not
    const std::int32_t is_up = has_rest & ((tick.rounds_to_zero[of(i)] & is_negative) |
                                           (tick.rounds_away[of(i)] & ~is_negative));
    const std::int32_t leaked = membrane - (floor - is_up);
    const std::int32_t current =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(tick.current[i]) << kUnusedBits) >>
        kUnusedBits;
    const std::int32_t charged = clip(leaked + current + tick.bias[i]);
    const std::int32_t is_quiet = mask_of(left > 0);
    const std::int32_t fires =
        tick.is_enabled[of(i)] & ~is_quiet & mask_of(charged >= tick.threshold[i]);
    const std::int32_t fired =
        chosen(tick.is_soft_reset[of(i)], clip(charged - tick.threshold[i]), tick.reset[i]);
    const std::int32_t stands = tick.holds[of(i)] & is_quiet;
    tick.membrane[i] = chosen(stands, membrane, chosen(fires, fired, charged));
    tick.left[i] = chosen(fires, tick.refractory[of(i)], std::max(left - 1, 0));
    tick.spikes[i] = static_cast<std::int8_t>(fires & 1);
  }
}

using Step = void (*)(const Tick&);

TS_MULTIVERSION void wrap(const Tick& tick) { step<NeuronOverflow::kWrap, false>(tick); }
TS_MULTIVERSION void wrap_alike(const Tick& tick) { step<NeuronOverflow::kWrap, true>(tick); }
TS_MULTIVERSION void saturate(const Tick& tick) { step<NeuronOverflow::kSaturate, false>(tick); }
TS_MULTIVERSION void saturate_alike(const Tick& tick) {
  step<NeuronOverflow::kSaturate, true>(tick);
}
TS_MULTIVERSION void symmetric(const Tick& tick) { step<NeuronOverflow::kSymmetric, false>(tick); }
TS_MULTIVERSION void symmetric_alike(const Tick& tick) {
  step<NeuronOverflow::kSymmetric, true>(tick);
}

Step step_of(NeuronOverflow overflow, bool is_uniform) {
  switch (overflow) {
    case NeuronOverflow::kSaturate:
      return is_uniform ? &saturate_alike : &saturate;
    case NeuronOverflow::kSymmetric:
      return is_uniform ? &symmetric_alike : &symmetric;
    default:
      return is_uniform ? &wrap_alike : &wrap;
  }
}

[[noreturn]] void refuse(std::size_t neuron, const char* what, std::int64_t value,
                         const char* range) {
  fail(ErrorCode::kInvalidInput,
       "neuron " + std::to_string(neuron) + ": " + what + " is " + std::to_string(value), {},
       std::string("it must be ") + range);
}

void check(std::size_t number, const NeuronParameters& neuron) {
  const auto in_currents = [&](const char* what, std::int32_t value) {
    if (value < -kMostCurrent - 1 || value > kMostCurrent) {
      refuse(number, what, value, "a signed number of 24 bits");
    }
  };
  in_currents("threshold", neuron.threshold);
  in_currents("bias", neuron.bias);
  in_currents("reset", neuron.reset);
  if (neuron.leak < 0 || neuron.leak >= 1 << kLeakBits) {
    refuse(number, "leak", neuron.leak, "a number of 13 bits; 4096 leaves nothing of a membrane");
  }
  if (neuron.refractory < 0 || neuron.refractory >= 1 << kRefractoryBits) {
    refuse(number, "refractory", neuron.refractory, "0 to 15 ticks");
  }
}

void check(const at::Tensor& currents, const LayerNeurons& neurons) {
  const bool is_of_layer =
      currents.dim() >= 3 && currents.scalar_type() == c10::kInt && currents.is_cpu() &&
      (currents.size(0) == 0 || currents.size(1) == 0 ||
       currents.numel() == currents.size(0) * currents.size(1) * neurons.size());
  if (!is_of_layer) {
    fail(ErrorCode::kInvalidInput, "these currents are not those of the layer's neurons", {},
         "give int32 (ticks, images, neurons...) on the host, of " +
             std::to_string(neurons.size()) + " neurons");
  }
}

at::Tensor state_of(const at::Tensor& given, c10::IntArrayRef sizes) {
  if (!given.defined()) {
    return at::zeros(sizes, c10::kInt);
  }
  TS_CHECK(given.sizes() == sizes && given.scalar_type() == c10::kInt && given.is_cpu(),
           "a state of these neurons");
  return given.clone().contiguous();
}

}  // namespace

LayerNeurons::LayerNeurons(const NeuronFormat& format, const std::vector<NeuronParameters>& neurons)
    : format_(format), neurons_(neurons) {
  if (format.membrane_bits < 2 || format.membrane_bits > kCurrentBits) {
    fail(ErrorCode::kInvalidInput,
         "a membrane of " + std::to_string(format.membrane_bits) + " bits", {},
         "give 2 to 24 bits");
  }
  for (std::size_t i = 0; i < neurons.size(); ++i) {
    const NeuronParameters& neuron = neurons[i];
    check(i, neuron);
    arrays_.threshold.push_back(neuron.threshold);
    arrays_.bias.push_back(neuron.bias);
    arrays_.reset.push_back(sign_extended(neuron.reset, format.membrane_bits));
    arrays_.leak.push_back(neuron.leak);
    arrays_.refractory.push_back(neuron.refractory);
    arrays_.is_enabled.push_back(mask_of(neuron.is_enabled));
    arrays_.is_soft_reset.push_back(mask_of(neuron.is_soft_reset));
    arrays_.rounds_to_zero.push_back(mask_of(neuron.rounding == LeakRounding::kZero));
    arrays_.rounds_away.push_back(mask_of(neuron.rounding == LeakRounding::kAway));
    arrays_.holds.push_back(mask_of(neuron.holds));
  }
  are_alike_ = std::ranges::all_of(neurons, [&](const NeuronParameters& neuron) {
    const auto modes = [](const NeuronParameters& of) {
      return std::tie(of.leak, of.refractory, of.is_enabled, of.is_soft_reset, of.rounding,
                      of.holds);
    };
    return modes(neuron) == modes(neurons.front());
  });
}

Scanned lif_scan(const at::Tensor& currents, const LayerNeurons& neurons, bool wants_membranes,
                 const ScanState& start) {
  check(currents, neurons);
  const c10::InferenceMode no_gradients;
  const at::Tensor in = currents.contiguous();
  const std::int64_t ticks = in.size(0), images = in.size(1), size = neurons.size();
  Scanned scanned;
  scanned.spikes = at::empty(in.sizes(), c10::kChar);
  scanned.membrane = state_of(start.membrane, in.sizes().slice(1));
  scanned.refractory = state_of(start.refractory, in.sizes().slice(1));
  if (wants_membranes) {
    scanned.membranes = at::empty(in.sizes(), c10::kInt);
  }
  const LayerNeurons::Arrays& all = neurons.arrays();
  const auto step = step_of(neurons.format().overflow, neurons.are_alike());
  const std::int32_t* current = in.const_data_ptr<std::int32_t>();
  auto* membrane = scanned.membrane.mutable_data_ptr<std::int32_t>();
  auto* left = scanned.refractory.mutable_data_ptr<std::int32_t>();
  auto* spikes = scanned.spikes.mutable_data_ptr<std::int8_t>();
  for (std::int64_t first = 0; first < size; first += kTogether) {
    const std::int64_t count = std::min(kTogether, size - first);
    for (std::int64_t image = 0; image < images; ++image) {
      const std::int64_t place = image * size + first;
      for (std::int64_t t = 0; t < ticks; ++t) {
        const std::int64_t at = t * images * size + place;
        step({all.threshold.data() + first, all.bias.data() + first, all.reset.data() + first,
              all.leak.data() + first, all.refractory.data() + first, all.is_enabled.data() + first,
              all.is_soft_reset.data() + first, all.rounds_to_zero.data() + first,
              all.rounds_away.data() + first, all.holds.data() + first, current + at,
              membrane + place, left + place, spikes + at, count, neurons.format().membrane_bits});
        if (wants_membranes) {
          std::copy_n(membrane + place, count,
                      scanned.membranes.mutable_data_ptr<std::int32_t>() + at);
        }
      }
    }
  }
  return scanned;
}

}  // namespace tilestrike::dnn

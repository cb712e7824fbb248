// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/spiking/neuron_kernel.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "base/error.h"
#include "dnn/spiking/float_scan.h"
#include "dnn/spiking/neuron_scan.h"
#include "dnn/spiking/scan_element.h"
#include "dnn/stored_number.h"
#ifdef TS_CUDA_ENABLED
#include "dnn/cuda/scan.h"
#endif

namespace tilestrike::dnn {
namespace {

const at::Tensor& constant_of(const Layer& layer, const Values& values, std::string_view name) {
  for (const Argument& argument : layer.arguments) {
    if (argument.name == name) {
      return values[static_cast<std::size_t>(argument.values.front().value)].toTensor();
    }
  }
  TS_CHECK(false, "a layer of neurons has its constants: " + layer.name);
}

class FloatNumbers {
 public:
  using Number = float;
  struct State {
    float membrane = 0.0F;
    int refractory = 0;
    bool operator==(const State& other) const {
      return std::bit_cast<std::uint32_t>(membrane) == std::bit_cast<std::uint32_t>(other.membrane);
    }
  };

  FloatNumbers(const FloatRule& rule, const Layer& layer, const Values& values) {
    const auto numbers = [&](std::string_view name) {
      return constant_of(layer, values, name).const_data_ptr<float>();
    };
    const at::Tensor& r = constant_of(layer, values, "r");
    layer_.size = r.numel();
    layer_.r = r.const_data_ptr<float>();
    layer_.is_leaky = rule.is_leaky;
    layer_.is_soft_reset = rule.reset == ResetKind::kSoft;
    layer_.stored = rule.stored;
    const auto dt = static_cast<float>(rule.dt);
    const auto count = static_cast<std::size_t>(layer_.size);
    gain_.assign(count, rule.spike_as == SpikeAs::kCurrent ? dt : 1.0F);
    if (layer_.is_leaky) {
      const float* tau = numbers("tau");
      std::transform(tau, tau + count, gain_.begin(), [&](float one) { return dt / one; });
      layer_.v_leak = numbers("v_leak");
    }
    if (!rule.fires) {
      never_.assign(count, std::numeric_limits<float>::infinity());
    }
    layer_.threshold = never_.empty() ? numbers("v_threshold") : never_.data();
    layer_.reset = never_.empty() ? numbers("v_reset") : never_.data();
    layer_.gain = gain_.data();
  }
  FloatNumbers(const FloatNumbers&) = delete;
  FloatNumbers& operator=(const FloatNumbers&) = delete;

  const FloatLayer& layer() const { return layer_; }
  std::int64_t size() const { return layer_.size; }
  int refractory(std::int64_t /*neuron*/) const { return 0; }
  bool step(std::int64_t neuron, State& state, float current) const {
    return step_one(layer_, neuron, current, state.membrane);
  }
  static std::int32_t spike(bool fires) { return fires ? std::bit_cast<std::int32_t>(1.0F) : 0; }
  NumberFormat format() const { return layer_.stored; }
  std::uint64_t word(float membrane) const { return stored_word(layer_.stored, membrane); }
  float number(std::uint64_t word) const {
    return stored_value(layer_.stored, static_cast<std::uint32_t>(word));
  }

 private:
  FloatLayer layer_;
  std::vector<float> gain_, never_;
};

class IntegerNumbers {
 public:
  using Number = std::int32_t;
  struct State {
    std::int32_t membrane = 0;
    int refractory = 0;
    bool operator==(const State&) const = default;
  };

  IntegerNumbers(const NeuronFormat& format, const std::vector<NeuronParameters>& neurons)
      : neurons_(format, neurons) {}

  const LayerNeurons& layer() const { return neurons_; }
  std::int64_t size() const { return neurons_.size(); }
  int refractory(std::int64_t neuron) const { return neurons_.at(neuron).refractory; }
  bool step(std::int64_t neuron, State& state, std::int32_t current) const {
    const NeuronStep next =
        step_neuron(neurons_.at(neuron), neurons_.format(), {state.membrane, state.refractory},
                    sign_extended(current, kCurrentBits));
    state = {next.state.membrane, next.state.refractory};
    return next.fires;
  }
  static std::int32_t spike(bool fires) { return fires ? 1 : 0; }
  NumberFormat format() const { return NumberFormat::integer(neurons_.format().membrane_bits); }
  std::uint64_t word(std::int32_t membrane) const {
    return static_cast<std::uint32_t>(membrane) & format().all_bits();
  }
  std::int32_t number(std::uint64_t word) const {
    return sign_extended(static_cast<std::int64_t>(word), neurons_.format().membrane_bits);
  }

 private:
  LayerNeurons neurons_;
};

template <class Neurons>
NeuronSeries series_among(const Neurons& neurons, const at::Tensor& currents, std::int64_t place,
                          std::span<const MembraneStrike> strikes) {
  using Number = typename Neurons::Number;
  const at::Tensor all = currents.cpu().contiguous();
  const std::int64_t ticks = all.size(0), places = all.numel() / ticks;
  std::vector<Number> own;
  for (std::int64_t tick = 0; tick < ticks; ++tick) {
    own.push_back(all.const_data_ptr<Number>()[tick * places + place]);
  }
  return follow_neuron(neurons, place % neurons.size(), std::span<const Number>(own), strikes);
}

void check_currents(const Layer& layer, const at::Tensor& currents, c10::ScalarType type,
                    std::int64_t neurons) {
  TS_CHECK(currents.dim() >= 3 && currents.scalar_type() == type &&
               (currents.is_cpu() || type == c10::kInt) &&  // int32 ones may be on a GPU
               currents.numel() == currents.size(0) * currents.size(1) * neurons,
           "currents (ticks, images, neurons...) of the neurons: " + layer.name);
}

class FloatNeuronKernel final : public NeuronKernel {
 public:
  explicit FloatNeuronKernel(const FloatRule& rule) : rule_(rule) {}

  void run_from(const Layer& layer, Values& values, ScanState& state) const override {
    const FloatNumbers neurons(rule_, layer, values);
    const at::Tensor in = values[currents_of(layer).value].toTensor().contiguous();
    check_currents(layer, in, c10::kFloat, neurons.size());
    const std::int64_t images = in.size(1), places = images * neurons.size();
    at::Tensor membrane =
        state.membrane.defined() ? state.membrane.clone() : at::zeros(in.sizes().slice(1));
    const at::Tensor membranes = at::empty(in.sizes());
    const at::Tensor spikes = at::empty(in.sizes());
    for (std::int64_t tick = 0; tick < in.size(0); ++tick) {
      const std::int64_t first = tick * places;
      auto* now = membrane.mutable_data_ptr<float>();
      step_all(neurons.layer(), images, in.const_data_ptr<float>() + first, now,
               spikes.mutable_data_ptr<float>() + first);
      std::copy_n(now, places, membranes.mutable_data_ptr<float>() + first);
    }
    if (const ValueId id = spikes_of(layer); id.value >= 0) {
      values[id.value] = spikes;
    }
    values[membranes_of(layer).value] = membranes;
    state.membrane = membrane;
  }

  NeuronSeries series_of(const Layer& layer, const Values& values, std::int64_t place,
                         std::span<const MembraneStrike> strikes) const override {
    const FloatNumbers neurons(rule_, layer, values);
    return series_among(neurons, values[currents_of(layer).value].toTensor(), place, strikes);
  }

  std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& /*network*/,
                                    const Tape& golden) const override {
    auto made = std::make_shared<std::unique_ptr<FloatNumbers>>();
    const auto follow = [this, &layer, made](const Tape& tape) -> const FloatNumbers& {
      *made = std::make_unique<FloatNumbers>(rule_, layer, tape.values);
      return **made;
    };
    return std::make_unique<NeuronLists<FloatNumbers>>(follow, layer, golden);
  }

  NumberFormat membrane_format() const override { return rule_.stored; }
  NumberFormat parameter_format(std::string_view /*argument*/) const override { return kFloat32; }
  std::shared_ptr<const NeuronKernel> stored_in(const NumberFormat& format) const override {
    FloatRule rule = rule_;
    rule.stored = format;
    return make_float_neurons(rule);
  }

 private:
  FloatRule rule_;
};

class IntegerNeuronKernel final : public NeuronKernel {
 public:
  explicit IntegerNeuronKernel(const NeuronFormat& format) : format_(format) {}

  void run_from(const Layer& layer, Values& values, ScanState& state) const override {
    const at::Tensor& currents = values[currents_of(layer).value].toTensor();
    if (!currents.is_cpu()) {
      return run_on_device(layer, values, state);
    }
    const IntegerNumbers& neurons = followed(layer, values);
    const Scanned scanned = lif_scan(currents, neurons.layer(), true, state);
    values[spikes_of(layer).value] = scanned.spikes;
    values[membranes_of(layer).value] = scanned.membranes;
    state = {scanned.membrane, scanned.refractory};
  }

  NeuronSeries series_of(const Layer& layer, const Values& values, std::int64_t place,
                         std::span<const MembraneStrike> strikes) const override {
    return series_among(followed(layer, values), values[currents_of(layer).value].toTensor(), place,
                        strikes);
  }

  std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& /*network*/,
                                    const Tape& golden) const override {
    const auto follow = [this, &layer](const Tape& tape) -> const IntegerNumbers& {
      return followed(layer, tape.values);
    };
    return std::make_unique<NeuronLists<IntegerNumbers>>(follow, layer, golden);
  }

  NumberFormat membrane_format() const override {
    return NumberFormat::integer(format_.membrane_bits);
  }
  NumberFormat parameter_format(std::string_view argument) const override {
    return argument == "leak"         ? NumberFormat::unsigned_integer(kLeakBits)
           : argument == "refractory" ? NumberFormat::unsigned_integer(kRefractoryBits)
           : argument == "modes"      ? NumberFormat::unsigned_integer(kModeBits)
                                      : NumberFormat::integer(kCurrentBits);
  }
  std::shared_ptr<const NeuronKernel> stored_in(const NumberFormat& /*format*/) const override {
    return nullptr;
  }

 private:
  static constexpr std::array<const char*, 6> kWords{"threshold", "bias",       "reset",
                                                     "leak",      "refractory", "modes"};

  static NeuronWords words_among(const std::array<const std::int32_t*, kWords.size()>& all) {
    return {all[0], all[1], all[2], all[3], all[4], all[5]};
  }

  void run_on_device(const Layer& layer, Values& values, ScanState& state) const;

  /// The neurons as the constants have them, which a strike may have changed.
  const IntegerNumbers& followed(const Layer& layer, const Values& values) const {
    std::vector<at::Tensor> constants;  // on the host
    for (const char* name : kWords) {
      constants.push_back(constant_of(layer, values, name).cpu());
    }
    if (numbers_ == nullptr || !are_words(constants)) {
      words_.clear();
      for (const at::Tensor& one : constants) {
        const auto* first = one.const_data_ptr<std::int32_t>();
        words_.insert(words_.end(), first, first + one.numel());
      }
      numbers_ = std::make_unique<IntegerNumbers>(format_, neurons_of(words_));
    }
    return *numbers_;
  }

  /// Whether words_ are those of the constants.
  bool are_words(const std::vector<at::Tensor>& constants) const {
    auto word = words_.begin();
    for (const at::Tensor& one : constants) {
      const auto* first = one.const_data_ptr<std::int32_t>();
      if (words_.end() - word < one.numel() || !std::equal(first, first + one.numel(), word)) {
        return false;
      }
      word += one.numel();
    }
    return word == words_.end();
  }

  static std::vector<NeuronParameters> neurons_of(const std::vector<std::int32_t>& words) {
    const std::size_t count = words.size() / kWords.size();
    std::array<const std::int32_t*, kWords.size()> first{};
    for (std::size_t i = 0; i < kWords.size(); ++i) {
      first[i] = words.data() + i * count;
    }
    std::vector<NeuronParameters> neurons;
    for (std::size_t i = 0; i < count; ++i) {
      neurons.push_back(words_among(first).at(static_cast<std::int64_t>(i)));
    }
    return neurons;
  }

  NeuronFormat format_;
  mutable std::vector<std::int32_t> words_;  // that numbers_ was made of
  mutable std::unique_ptr<IntegerNumbers> numbers_;
};

#ifdef TS_CUDA_ENABLED
void IntegerNeuronKernel::run_on_device(const Layer& layer, Values& values,
                                        ScanState& state) const {
  const at::Tensor in = values[currents_of(layer).value].toTensor().contiguous();
  const std::int64_t neurons = constant_of(layer, values, "threshold").numel();
  check_currents(layer, in, c10::kInt, neurons);
  std::array<const std::int32_t*, kWords.size()> words{};
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    words[i] = constant_of(layer, values, kWords[i]).const_data_ptr<std::int32_t>();
  }
  const auto start_of = [&](const at::Tensor& given) {
    TS_CHECK(!given.defined() || given.sizes() == in.sizes().slice(1),
             "a state of these neurons: " + layer.name);
    return given.defined() ? given.clone() : at::zeros(in.sizes().slice(1), in.options());
  };
  const at::Tensor spikes = at::empty(in.sizes(), in.options().dtype(c10::kChar));
  const at::Tensor membranes = at::empty_like(in);
  state = {start_of(state.membrane), start_of(state.refractory)};
  const ScanArrays arrays{in.size(0),
                          in.numel() / std::max<std::int64_t>(in.size(0), 1),
                          neurons,
                          in.const_data_ptr<std::int32_t>(),
                          spikes.mutable_data_ptr<std::int8_t>(),
                          membranes.mutable_data_ptr<std::int32_t>(),
                          state.membrane.mutable_data_ptr<std::int32_t>(),
                          state.refractory.mutable_data_ptr<std::int32_t>()};
  const c10::DeviceGuard guard(in.device());
  const c10::impl::VirtualGuardImpl implementation(in.device().type());
  void* stream = implementation.getStream(in.device()).native_handle();
  const char* trouble = cuda::scan(words_among(words), format_, arrays, stream);
  if (trouble != nullptr) {
    fail(ErrorCode::kMachine, std::string("the CUDA kernel of neurons: ") + trouble, "device",
         "use 'device: cpu', or see to the driver");
  }
  values[spikes_of(layer).value] = spikes;
  values[membranes_of(layer).value] = membranes;
}
#else
void IntegerNeuronKernel::run_on_device(const Layer& /*layer*/, Values& /*values*/,
                                        ScanState& /*state*/) const {
  fail(ErrorCode::kUnsupported, "this build has no CUDA kernels", "device",
       "use 'device: cpu', or build with -DTS_WITH_CUDA=ON");
}
#endif

}  // namespace

void NeuronKernel::run(const Layer& layer, Values& values) const {
  ScanState state;
  run_from(layer, values, state);
}

const NeuronKernel* neuron_kernel(const Layer& layer) {
  return dynamic_cast<const NeuronKernel*>(layer.kernel.get());
}

std::shared_ptr<const NeuronKernel> make_float_neurons(const FloatRule& rule) {
  return std::make_shared<FloatNeuronKernel>(rule);
}

std::shared_ptr<const NeuronKernel> make_integer_neurons(const NeuronFormat& format) {
  return std::make_shared<IntegerNeuronKernel>(format);
}

std::int32_t modes_of(const NeuronParameters& neuron) {
  return (neuron.is_enabled ? 1 : 0) | (neuron.is_soft_reset ? 2 : 0) |
         static_cast<std::int32_t>(neuron.rounding) << 2 | (neuron.holds ? 16 : 0);
}

}  // namespace tilestrike::dnn

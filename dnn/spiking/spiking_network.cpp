// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/spiking/spiking_network.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/error.h"
#include "dnn/fixed_order/fixed_product.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/operator_kernel.h"
#include "dnn/spiking/encoding.h"
#include "dnn/spiking/layer_maker.h"
#include "dnn/spiking/neuron_kernel.h"
#include "dnn/spiking/readout.h"
#include "dnn/spiking/spike_pooling.h"
#include "dnn/spiking/tick_views.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int64_t kMostInt8 = 127;

/// Where the operands of a product do not fit.
class RefusingKernel final : public Kernel {
 public:
  void run(const Layer& layer, Values& /*values*/) const override {
    fail(ErrorCode::kInvalidInput, "layer '" + layer.name + "' is not given what it reads", {},
         "check the shapes of the images and of the model's nodes");
  }
};

/// The fixed order's own kernel, on for good.
void fix_order(Layer& layer, const Network& network) {
  layer.kernel = std::make_shared<RefusingKernel>();
  layer.kernel = FixedProduct::make(layer, network, std::make_shared<const bool>(true));
  TS_CHECK(layer.kernel != nullptr, "a product of float32 numbers: " + layer.name);
}

MatrixShape shape_of(const SynapseStep& step) {
  MatrixShape shape;
  const Sizes& sizes = step.weight_sizes;
  shape.is_convolution = step.kind == SynapseKind::kConv2d;
  TS_CHECK(sizes.size() == (shape.is_convolution ? 4U : 2U), "weights of a step: " + step.name);
  shape.groups = shape.is_convolution ? step.groups : 1;
  shape.out_channels = sizes[0];
  shape.in_channels = sizes[1] * shape.groups;
  if (shape.is_convolution) {
    shape.kernel = {sizes[2], sizes[3]};
    shape.stride = step.stride;
    shape.dilation = step.dilation;
    shape.padding = step.padding_before;
  }
  return shape;
}

bool is_padded_evenly(const SynapseStep& step) { return step.padding_before == step.padding_after; }

/// The layers of a spiking network, one after another.
class SpikingLayers {
 public:
  SpikingLayers(const std::string& name, const Sizes& input_sizes, const SpikingSettings& settings,
                c10::Device device)
      : maker_(name, input_sizes, device), settings_(settings) {
    TS_CHECK(settings.ticks > 0, "a spiking network has ticks");
  }

  /// Images to ticks: spikes, or the numbers as they are, as of one tick.
  void encode(c10::ScalarType spikes) {
    if (settings_.encode == Encoding::kRate) {
      begin_ticks();
      add("encode", "spiking.rate", {}, maker_.sizes(), spikes);
      maker_.last().kernel = make_rate_encoding(settings_.ticks, spikes, maker_.input_sizes());
    } else {
      add("encode", "spiking.one_tick", {}, maker_.sizes(), c10::kFloat);
      maker_.last().kernel = make_one_tick(maker_.input_sizes());
    }
  }

  /// Currents of one tick, in each.
  void hold(std::optional<double> scale) {
    begin_ticks();
    add("constant", "spiking.constant", {}, maker_.sizes(), scale ? c10::kInt : c10::kFloat);
    maker_.last().kernel = make_constant_currents(settings_.ticks, scale);
  }
  bool has_ticks() const { return has_ticks_; }

  void add_float(const SynapseStep& step) {
    if (!step.has_weights()) {
      return add_unweighted(step, c10::kFloat);
    }
    const bool is_even = pad(step, c10::kFloat);
    std::vector<Argument> arguments = {
        maker_.constant("weight", step.name + ".weight", step.weights, step.weight_sizes),
        step.bias.empty() ? LayerMaker::given("bias", c10::IValue())
                          : maker_.constant("bias", step.name + ".bias", step.bias,
                                            {static_cast<std::int64_t>(step.bias.size())})};
    if (step.kind == SynapseKind::kConv2d) {
      const std::array<std::int64_t, 2> none{0, 0};
      for (const auto& [name, pair] : {std::pair("stride", step.stride),
                                       std::pair("padding", is_even ? step.padding_before : none),
                                       std::pair("dilation", step.dilation)}) {
        arguments.push_back(
            LayerMaker::given(name, std::vector<std::int64_t>(pair.begin(), pair.end())));
      }
      arguments.push_back(LayerMaker::given("groups", step.groups));
    }
    add(step.name, target_of(step), std::move(arguments), step.output_sizes, c10::kFloat);
    fix_order(maker_.last(), maker_.network());
  }

  /// int8 weights; `most`: of what comes in.
  void add_integer(const SynapseStep& step, const std::vector<std::int8_t>& weights, int most) {
    const bool is_even = pad(step, c10::kChar);
    MatrixKernel::Parameters parameters;
    parameters.shape = shape_of(step);
    if (!is_even) {
      parameters.shape.padding = {0, 0};
    }
    parameters.weight = maker_.tensor(weights, step.weight_sizes);
    parameters.weight_name = step.name + ".weight";
    parameters.most_input = most;
    add(step.name, target_of(step), {}, step.output_sizes, c10::kInt);
    maker_.last().kernel = MatrixKernel::make(std::move(parameters), step.name);
  }

  void add_unweighted(const SynapseStep& step, c10::ScalarType type) {
    add(step.name, target_of(step), {}, step.output_sizes, type);
    Layer& layer = maker_.last();
    layer.kernel = step.kind == SynapseKind::kFlatten ? make_flatten(step.output_sizes)
                                                      : make_spike_pooling(step);
  }

  void add_neurons(const std::string& name, const std::string& target, const Sizes& sizes,
                   std::vector<Argument> constants, bool fires, c10::ScalarType spikes,
                   c10::ScalarType membranes, std::shared_ptr<const NeuronKernel> kernel) {
    Sizes all = with_ticks(sizes);
    maker_.add(name, target, std::move(constants), all, fires ? spikes : membranes);
    Layer& layer = maker_.last();
    spikes_ = fires ? layer.outputs.front() : ValueId(-1);
    if (fires) {
      maker_.add_output(all, membranes);
    }
    layer.kernel = std::move(kernel);
    membranes_ = layer.outputs.back();
    maker_.set_flow(spikes_);
  }

  LayerMaker& maker() { return maker_; }

  Network finish(double factor, const Sizes& sizes) {
    const Readout readout = settings_.readout;
    const ValueId read = readout == Readout::kMembrane ? membranes_ : spikes_;
    if (read.value < 0) {
      fail(ErrorCode::kInvalidInput,
           "the last neurons of '" + maker_.network().name + "' never fire, and its readout is " +
               (readout == Readout::kCount ? "count" : "first_spike"),
           {}, "set `readout: membrane` in the side file, or in `spiking` of the scenario");
    }
    maker_.set_flow(read);
    Sizes logits = sizes;
    logits.insert(logits.begin(), -1);
    maker_.add("readout", "spiking.readout", {}, logits, c10::kFloat);
    maker_.last().kernel = make_readout(readout, factor, sizes);
    return maker_.finish();
  }

 private:
  static std::string target_of(const SynapseStep& step) {
    switch (step.kind) {
      case SynapseKind::kLinear:
        return "spiking.linear";
      case SynapseKind::kConv2d:
        return "spiking.conv2d";
      case SynapseKind::kSumPool2d:
        return "spiking.sum_pool2d";
      case SynapseKind::kAveragePool2d:
        return "spiking.average_pool2d";
      case SynapseKind::kFlatten:
        break;
    }
    return "spiking.flatten";
  }

  void begin_ticks() {
    has_ticks_ = true;
    ticks_ = settings_.ticks;
  }

  Sizes with_ticks(const Sizes& sizes) const {
    Sizes all = sizes;
    all.insert(all.begin(), {ticks_, -1});
    return all;
  }

  void add(const std::string& name, const std::string& target, std::vector<Argument> arguments,
           const Sizes& sizes, c10::ScalarType type) {
    maker_.add(name, target, std::move(arguments), with_ticks(sizes), type);
  }

  /// Zeros around what a convolution reads, where its own padding is the same before and behind.
  /// Returns whether it is; else a layer pads.
  bool pad(const SynapseStep& step, c10::ScalarType type) {
    if (step.kind != SynapseKind::kConv2d || is_padded_evenly(step)) {
      return true;
    }
    const Sizes sides{step.padding_before[1], step.padding_after[1], step.padding_before[0],
                      step.padding_after[0]};
    Sizes sizes = step.input_sizes;
    sizes[sizes.size() - 2] += sides[2] + sides[3];
    sizes.back() += sides[0] + sides[1];
    add(step.name + ".pad", "aten.constant_pad_nd.default",
        {LayerMaker::given("pad", sides), LayerMaker::given("value", 0.0)}, sizes, type);
    Layer& layer = maker_.last();
    layer.arguments.front().name = "self";
    layer.kernel = make_operator_kernel(layer);
    return false;
  }

  LayerMaker maker_;
  SpikingSettings settings_;
  bool has_ticks_ = false;  // the value at hand; it may be one tick
  std::int64_t ticks_ = 1;  // of the value at hand
  ValueId spikes_{-1}, membranes_{-1};
};

// -- Float

std::string target_of(bool is_leaky, bool fires) {
  return is_leaky ? (fires ? "spiking.lif" : "spiking.li")
                  : (fires ? "spiking.if" : "spiking.integrator");
}

/// `is_read`: of these neurons the membrane is the answer, and so they do not fire.
void add_float_neurons(SpikingLayers& layers, const FloatNeurons& neurons,
                       const SpikingSettings& settings, bool is_read) {
  const std::string its_name = layers.maker().free_name(neurons.name);
  std::vector<Argument> constants;
  const auto add = [&](const char* name, const std::vector<float>& numbers) {
    TS_CHECK(static_cast<std::int64_t>(numbers.size()) == neurons.size(),
             "a number for each neuron: " + its_name + "." + name);
    constants.push_back(
        layers.maker().constant(name, its_name + "." + name, numbers, neurons.sizes));
  };
  const bool is_leaky = neurons.kind != NeuronKind::kIf;
  const bool fires = neurons.kind != NeuronKind::kLi && !is_read;
  if (is_leaky) {
    add("tau", neurons.tau);
  }
  add("r", neurons.r);
  if (is_leaky) {
    add("v_leak", neurons.v_leak);
  }
  if (fires) {
    add("v_threshold", neurons.v_threshold);
    add("v_reset", neurons.v_reset);
  }
  layers.add_neurons(
      its_name, target_of(is_leaky, fires), neurons.sizes, std::move(constants), fires, c10::kFloat,
      c10::kFloat,
      make_float_neurons({is_leaky, fires, settings.reset, settings.spike_as, settings.dt}));
}

// -- Integer

/// The largest sum of spikes that a pooling gives, of such inputs.
std::int64_t pooled(std::int64_t most, const SynapseStep& step, const IntegerLayer& layer) {
  const std::int64_t sum = most * step.window[0] * step.window[1];
  if (sum > kMostInt8) {
    fail(ErrorCode::kUnsupported,
         "layer '" + layer.name + "': the sums of '" + step.name + "' may reach " +
             std::to_string(sum) + " spikes, more than int8 holds",
         {}, "pool in smaller windows, with neurons between them");
  }
  return sum;
}

void add_integer_synapses(SpikingLayers& layers, const IntegerLayer& layer) {
  std::int64_t most = 1;
  bool has_weights = false;
  for (const SynapseStep& step : layer.synapses) {
    if (step.has_weights()) {
      // A struck sum of spikes has all of its eight bits.
      layers.add_integer(step, layer.weights, most > 1 ? 128 : 1);
      has_weights = true;
      continue;
    }
    most = step.kind == SynapseKind::kFlatten ? most : pooled(most, step, layer);
    layers.add_unweighted(step, has_weights ? c10::kInt : c10::kChar);
  }
  if (!has_weights) {
    fail(ErrorCode::kUnsupported, "layer '" + layer.name + "' has no weights before its neurons",
         {}, "put a linear or convolution node before them");
  }
}

void add_integer_neurons(SpikingLayers& layers, const IntegerLayer& layer) {
  const std::string its_name = layers.maker().free_name(layer.name);
  std::vector<Argument> constants;
  const auto add = [&](const char* name, const auto& of) {
    std::vector<std::int32_t> numbers;
    std::ranges::transform(layer.neurons, std::back_inserter(numbers), of);
    constants.push_back(layers.maker().constant(name, its_name + "." + name, numbers, layer.sizes));
  };
  TS_CHECK(count_of(layer.sizes) == layer.size(), "neurons of their sizes: " + layer.name);
  add("threshold", [](const NeuronParameters& one) { return one.threshold; });
  add("bias", [](const NeuronParameters& one) { return one.bias; });
  add("reset", [](const NeuronParameters& one) { return one.reset; });
  add("leak", [](const NeuronParameters& one) { return one.leak; });
  add("refractory", [](const NeuronParameters& one) { return one.refractory; });
  add("modes", [](const NeuronParameters& one) { return modes_of(one); });
  layers.add_neurons(its_name, "spiking.lif", layer.sizes, std::move(constants), true, c10::kChar,
                     c10::kInt, make_integer_neurons(layer.format));
  layers.maker().last().note = layer.note;
}

}  // namespace

Network network_of(const SpikingModel& model, c10::Device device) {
  if (!device.is_cpu()) {
    fail(ErrorCode::kUnsupported,
         "a float spiking network is computed on the CPU, not on " + device.str(), model.name,
         "write `device: cpu`, or take the integer network (--int8, `format: int8`)");
  }
  SpikingLayers layers(model.name, model.input_sizes, model.settings, device);
  layers.encode(c10::kFloat);
  for (const SpikingLayer& layer : model.layers) {
    for (const SynapseStep& step : layer.synapses) {
      layers.add_float(step);
    }
    if (!layers.has_ticks()) {
      layers.hold(std::nullopt);
    }
    const bool is_last = &layer == &model.layers.back();
    add_float_neurons(layers, layer.neurons, model.settings,
                      is_last && model.settings.readout == Readout::kMembrane);
  }
  return layers.finish(1.0 / static_cast<double>(model.settings.ticks), model.output_sizes);
}

Network network_of(const IntegerModel& model, c10::Device device) {
  if (!device.is_cpu() && model.settings.encode == Encoding::kConstant) {
    fail(ErrorCode::kUnsupported,
         "`encode: constant`: the first layer is a float one, computed on the CPU, not on " +
             device.str(),
         model.name, "write `device: cpu`, or `encode: rate`");
  }
  SpikingLayers layers(model.name, model.input_sizes, model.settings, device);
  layers.encode(c10::kChar);
  for (const IntegerLayer& layer : model.layers) {
    TS_CHECK(layer.is_beside_cores == !layers.has_ticks(),
             "constant numbers are computed beside the cores: " + layer.name);
    if (layer.is_beside_cores) {
      for (const SynapseStep& step : layer.float_synapses) {
        layers.add_float(step);
      }
      layers.hold(layer.scale);
    } else {
      add_integer_synapses(layers, layer);
    }
    add_integer_neurons(layers, layer);
  }
  return layers.finish(model.output_factor, model.output_sizes);
}

SpikingPlaces places_of(const Network& network) {
  SpikingPlaces places;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    if (begins_ticks(layer)) {
      places.encoded = layer.outputs.front();
      places.first_tick_layer = i;
      places.ticks = network.info(places.encoded).sizes.front();
    }
    if (neuron_kernel(layer) != nullptr) {
      places.layers.push_back(i);
      places.currents.push_back(NeuronKernel::currents_of(layer));
      places.spikes.push_back(NeuronKernel::spikes_of(layer));
      places.membranes.push_back(NeuronKernel::membranes_of(layer));
    }
  }
  return places;
}

}  // namespace tilestrike::dnn

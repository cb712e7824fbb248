// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/quantise.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "dnn/integer/calibrate.h"
#include "dnn/integer/given_quantisation.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/integer/integer_operators.h"
#include "dnn/integer/integer_weights.h"
#include "dnn/integer/product_layer.h"
#include "dnn/integer/split_attention.h"
#include "dnn/integer/steps.h"
#include "dnn/operator_kernel.h"

namespace tilestrike::dnn {
namespace {

using Kind = Step::Kind;

constexpr double kMostStored = 127.0;  // magnitude of a quantised activation
constexpr ValueId kNoValue{-1};

/// Steps whose output is int8 where their input is, with the same scale.
bool keeps_scale(Kind kind) {
  return kind == Kind::kClamp || kind == Kind::kMaxPool || kind == Kind::kMove ||
         kind == Kind::kConversion;
}

/// A ratio of scales that a shift of 0 to 62 expresses. What lies outside gives the same int8
/// results at the ends: a smaller ratio rounds each int32 to 0, a larger one saturates all but 0.
double in_range(double ratio) {
  return std::clamp(ratio, std::ldexp(1.0, -32),
                    static_cast<double>(std::numeric_limits<std::int32_t>::max()));
}

int stored(double bound, const Quantisation& as) {
  return static_cast<int>(std::clamp(std::nearbyint(bound / as.scale) + as.zero, -128.0, 127.0));
}

Clamp stored(const std::optional<RealClamp>& clamp, const Quantisation& as) {
  return clamp ? Clamp{stored(clamp->low, as), stored(clamp->high, as)} : Clamp{};
}

/// What brings int8 values, or sums that `elements` of them are averaged from, to another scale.
Rescaling rescaling(const Quantisation& from, const Quantisation& to, std::int64_t elements = 1) {
  Rescaling result;
  result.ratio = FixedPoint::of(
      in_range(from.scale / (static_cast<double>(to.scale) * static_cast<double>(elements))));
  result.ratio.zero = to.zero;
  result.input_zero = from.zero;
  return result;
}

Argument value_argument(std::string name, ValueId id) {
  return {std::move(name), Argument::Kind::kValue, {}, {id}};
}

/// Makes the integer network from the steps of the float one.
class Quantiser {
 public:
  Quantiser(const Network& network, std::vector<ValueStatistics> calibration)
      : network_(network),
        statistics_(std::move(calibration)),
        steps_(steps_of(network, statistics_)),
        chooses_scales_(!is_quantised(network)),
        is_wanted_(network.values.size(), false),
        ids_(network.values.size(), kNoValue) {}

  Network quantised() {
    if (chooses_scales_) {
      find_wanted();
    }
    integer_.name = network_.name;
    integer_.device = network_.device;
    std::ranges::for_each(network_.inputs, [this](ValueId id) { add_input(id); });
    for (const Step& step : steps_.steps) {
      add_step(step);
    }
    make_matrices();
    add_output();
    return std::move(integer_);
  }

 private:
  /// Which values an integer step reads, directly or behind steps that keep the scale.
  void find_wanted() {
    for (auto step = steps_.steps.rbegin(); step != steps_.steps.rend(); ++step) {
      if (loses_an_operand(*step)) {
        step->kind = Kind::kFloat;
        step->notes.push_back("one operand would be rounded away beside the other");
      }
      const bool is_passed_on =
          keeps_scale(step->kind) && std::ranges::any_of(step->outputs, [this](ValueId id) {
            return id.value >= 0 && is_wanted_[id.value];
          });
      if (is_passed_on || is_integer_only(step->kind)) {
        for (const ValueId id : step->inputs) {
          is_wanted_[id.value] = statistics_[id.value].is_float;
        }
      }
    }
  }

  /// An addition, read by float layers alone, of numbers that are all less than half a step of its
  /// result: scores under a mask of -10000 would be no scores any more.
  bool loses_an_operand(const Step& step) const {
    if (step.kind != Kind::kAddition || step.clamp || is_wanted_[step.outputs.front().value]) {
      return false;
    }
    const double half_a_step = statistics_[step.outputs.front().value].largest / kMostStored / 2.0;
    return std::ranges::any_of(step.inputs, [&](ValueId id) {
      const double largest = statistics_[id.value].largest;
      return largest > 0.0 && largest < half_a_step;
    });
  }

  void add_input(ValueId id) {
    const ValueId images = integer_.add_value(network_.info(id));
    integer_.inputs.push_back(images);
    ids_[id.value] = images;
    if (!is_wanted_[id.value]) {
      return;
    }
    const bool is_only = network_.inputs.size() == 1;
    Layer layer = named(is_only ? "quantise_input" : "quantise_" + network_.info(id).name,
                        "int8.quantise", "the images as int8");
    layer.arguments.push_back(value_argument("input", images));
    layer.outputs = {add_int8(id, chosen(id), "_int8")};
    layer.kernel = make_quantise(integer_.info(layer.outputs.front()).quantisation);
    add(std::move(layer));
  }

  void add_output() {
    const ValueId output = ids_[network_.output.value];
    if (output == kNoValue) {
      fail(ErrorCode::kUnsupported, "the model's output does not depend on its input", {},
           "export a model that computes something from its images");
    }
    integer_.output = output;
    if (!is_int8(output)) {
      return;
    }
    Layer layer = named("dequantise_output", "int8.dequantise", "the answer as float");
    layer.arguments.push_back(value_argument("input", output));
    ValueInfo info = integer_.info(output);
    info.name += "_float";
    info.type = statistics_[network_.output.value].type;
    layer.kernel = make_dequantise(std::exchange(info.quantisation, {}), info.type);
    integer_.output = integer_.add_value(std::move(info));
    layer.outputs = {integer_.output};
    add(std::move(layer));
  }

  void add_step(const Step& step) {
    switch (step.kind) {
      case Kind::kMatrix:
        return add_matrix(step);
      case Kind::kProduct:
        return add_product(step);
      case Kind::kAddition:
        return add_addition(step);
      case Kind::kAveragePool:
      case Kind::kMean:
        return add_average(step);
      case Kind::kConcatenation:
        return add_concatenation(step);
      case Kind::kClamp:
      case Kind::kMaxPool:
      case Kind::kMove:
        return is_int8(new_id(step.inputs.front())) ? add_same_scale(step) : add_float(step);
      case Kind::kConversion:
        return is_int8(new_id(step.inputs.front())) ? add_alias(step) : add_float(step);
      case Kind::kFloat:
        return add_float(step);
      case Kind::kSize:
        return add_as_it_is(step);
      case Kind::kQuantise:
        return add_quantisation(step);
      case Kind::kDequantise:
        return add_alias(step);
    }
  }

  /// The same int8 under another name.
  void add_alias(const Step& step) {
    ids_[step.outputs.front().value] = new_id(step.inputs.front());
  }

  /// Of a network that brings its scales.
  void add_quantisation(const Step& step) {
    const ValueId input = new_id(step.inputs.front()), output = step.outputs.front();
    const Quantisation from = integer_.info(input).quantisation;
    if (from == step.output) {
      ids_[output.value] = input;
      return;
    }
    Layer layer = layer_of(step, from.is_int8() ? "int8.requantise" : "int8.quantise", {"input"});
    layer.outputs = {add_int8(output, step.output)};
    layer.kernel =
        from.is_int8() ? make_requantise(rescaling(from, step.output)) : make_quantise(step.output);
    add(std::move(layer));
  }

  /// A matrix layer without its kernel.
  struct PendingMatrix {
    MatrixUse use;
    std::size_t layer = 0;  // its place in the integer network
    Quantisation result;    // not int8: float
  };

  /// Its kernel follows, when all uses of its weights are known.
  void add_matrix(const Step& step) {
    const ValueId output = step.outputs.front();
    check_finite(output);
    PendingMatrix pending;
    pending.use = {&step, quantisation_of_new(step.inputs.front())};
    pending.layer = integer_.layers.size();
    Layer layer =
        layer_of(step, step.matrix.shape.is_convolution ? "int8.conv2d" : "int8.linear", {"input"});
    // Read as float only and not clamped: no need of int8.
    if (!step.output.is_int8() && !is_wanted_[output.value] && !step.clamp) {
      layer.outputs = {add_float_value(output)};
      note(layer, "float output");
    } else {
      pending.result = quantisation_of(step);
      layer.outputs = {add_int8(output, pending.result)};
    }
    pending_.push_back(std::move(pending));
    add(std::move(layer));
  }

  void make_matrices() {
    std::vector<MatrixUse> uses;
    for (const PendingMatrix& pending : pending_) {
      uses.push_back(pending.use);
    }
    const std::vector<IntegerWeights> weights = integer_weights(uses, network_.device);
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      make_matrix(pending_[i], weights[i]);
    }
  }

  void make_matrix(const PendingMatrix& pending, const IntegerWeights& weights) {
    const Step& step = *pending.use.step;
    const double input_scale = pending.use.input.scale;
    MatrixKernel::Parameters parameters;
    parameters.shape = step.matrix.shape;
    parameters.weight = weights.weight;
    parameters.bias = weights.bias;
    parameters.input_zero = pending.use.input.zero;
    parameters.weight_name = step.matrix.weight_name;
    parameters.bias_name = step.matrix.bias_name;
    if (!pending.result.is_int8()) {
      std::vector<float> scales;
      for (const double scale : weights.scale) {
        scales.push_back(static_cast<float>(input_scale * scale));
      }
      parameters.scale = at::tensor(scales).to(network_.device);
      parameters.type = integer_.info(integer_.layers[pending.layer].outputs.front()).type;
    } else {
      const Clamp clamp = stored(step.clamp, pending.result);
      parameters.output_zero = pending.result.zero;
      parameters.low = clamp.low;
      parameters.high = clamp.high;
      std::vector<std::int32_t> multipliers, shifts;
      for (const double weight_scale : weights.scale) {
        const FixedPoint ratio =
            FixedPoint::of(in_range(input_scale * weight_scale / pending.result.scale));
        multipliers.push_back(ratio.multiplier);
        shifts.push_back(ratio.shift);
      }
      parameters.multiplier = at::tensor(multipliers).to(network_.device);
      parameters.shift = at::tensor(shifts).to(network_.device);
    }
    Layer& layer = integer_.layers[pending.layer];
    const auto kernel = MatrixKernel::make(std::move(parameters), layer.name);
    if (kernel->path() == ExactPath::kFloat64) {
      note(layer, "sums in float64");
    }
    layer.kernel = kernel;
  }

  void add_product(const Step& step) {
    const ValueId output = step.outputs.front();
    check_finite(output);
    ProductParameters parameters;
    parameters.rows = step.product[0];
    parameters.depth = step.product[1];
    parameters.columns = step.product[2];
    Layer layer = layer_of(step, "int8.matmul", {"left", "right"});
    const double unit = static_cast<double>(quantisation_of_new(step.inputs[0]).scale) *
                        quantisation_of_new(step.inputs[1]).scale;
    if (step.output.is_int8() || is_wanted_[output.value]) {
      const Quantisation result = quantisation_of(step);
      parameters.ratio = in_range(unit / result.scale);
      parameters.output_zero = result.zero;
      layer.outputs = {add_int8(output, result)};
    } else {
      parameters.scale = std::max(static_cast<float>(unit), std::numeric_limits<float>::min());
      parameters.type = statistics_[output.value].type;
      layer.outputs = {add_float_value(output)};
      note(layer, "float output");
    }
    const auto kernel = make_product(parameters, network_.device, layer.name);
    if (kernel->path() == ExactPath::kFloat64) {
      note(layer, "sums in float64");
    }
    layer.kernel = kernel;
    add(std::move(layer));
  }

  void add_addition(const Step& step) {
    const Quantisation result = quantisation_of(step), a = quantisation_of_new(step.inputs[0]),
                       b = quantisation_of_new(step.inputs[1]);
    Layer layer = layer_of(step, "int8.add", {"a", "b"});
    ScaledAddition ratios = ScaledAddition::of(static_cast<double>(a.scale) / result.scale,
                                               static_cast<double>(b.scale) / result.scale);
    ratios.a_zero = static_cast<std::int16_t>(a.zero);
    ratios.b_zero = static_cast<std::int16_t>(b.zero);
    ratios.zero = static_cast<std::int16_t>(result.zero);
    layer.kernel = make_addition(ratios, stored(step.clamp, result));
    layer.outputs = {add_int8(step.outputs.front(), result)};
    add(std::move(layer));
  }

  void add_average(const Step& step) {
    const Quantisation result = quantisation_of(step);
    const bool is_pool = step.kind == Kind::kAveragePool;
    Layer layer = layer_of(step, is_pool ? "int8.average_pool2d" : "int8.mean", {"input"});
    const Rescaling division =
        rescaling(quantisation_of_new(step.inputs.front()), result, step.averaged);
    layer.kernel = is_pool ? make_average_pool2d(step.window, division)
                           : make_mean(step.dimensions, step.keep_dimensions, division);
    layer.outputs = {add_int8(step.outputs.front(), result)};
    add(std::move(layer));
  }

  void add_concatenation(const Step& step) {
    const Quantisation result = quantisation_of(step);
    Layer layer = layer_of(step, "int8.cat", {});
    Argument tensors{"tensors", Argument::Kind::kValueList, {}, {}};
    std::vector<std::optional<Rescaling>> rescalings;
    for (const ValueId id : step.inputs) {
      tensors.values.push_back(new_id(id));
      const Quantisation part = quantisation_of_new(id);
      rescalings.push_back(part == result ? std::nullopt : std::optional(rescaling(part, result)));
    }
    layer.arguments.push_back(std::move(tensors));
    layer.kernel = make_concatenation(step.dimensions.front(), std::move(rescalings));
    layer.outputs = {add_int8(step.outputs.front(), result)};
    add(std::move(layer));
  }

  void add_same_scale(const Step& step) {
    if (step.kind == Kind::kMove) {
      return add_as_it_is(step);
    }
    const Quantisation same = quantisation_of_new(step.inputs.front());
    const bool is_pool = step.kind == Kind::kMaxPool;
    Layer layer = layer_of(step, is_pool ? "int8.max_pool2d" : "int8.clamp", {"input"});
    layer.kernel = is_pool ? make_max_pool2d(step.window) : make_clamp(stored(step.clamp, same));
    layer.outputs = {add_int8(step.outputs.front(), same)};
    add(std::move(layer));
  }

  /// The float layer itself: it moves elements of any type, or reads a shape.
  void add_as_it_is(const Step& step) {
    const Quantisation same = step.kind == Kind::kMove
                                  ? integer_.info(new_id(step.inputs.front())).quantisation
                                  : Quantisation{};
    Layer layer = *step.layer;
    renumber(layer, [this](ValueId id) { return new_id(id); });
    layer.note = join(step.notes, "; ");
    if (same.zero != 0 && layer.target.find("pad") != std::string::npos) {
      pad_with(layer, same.zero);
    }
    for (ValueId& id : layer.outputs) {
      id = id.value < 0 ? id : same.is_int8() ? add_int8(id, same) : add_float_value(id);
    }
    add(std::move(layer));
  }

  /// Padding is a real zero.
  static void pad_with(Layer& layer, std::int32_t zero) {
    const auto value = std::ranges::find(layer.arguments, "value", &Argument::name);
    TS_CHECK(value != layer.arguments.end(), "an importer fills in default arguments");
    *value = Argument{"value", Argument::Kind::kConstant, static_cast<double>(zero), {}};
  }

  void add_float(const Step& step) {
    Layer layer = *step.layer;
    renumber(layer, [this](ValueId id) { return new_id(id); });
    collect_inputs(layer);
    std::vector<IslandInput> inputs;
    for (const ValueId read : step.layer->inputs) {
      const ValueId id = new_id(read);
      const auto found = std::ranges::find(layer.inputs, id);
      inputs.push_back({static_cast<std::size_t>(found - layer.inputs.begin()),
                        integer_.info(id).quantisation, statistics_[read.value].type});
    }
    std::vector<Quantisation> outputs;
    for (ValueId& id : layer.outputs) {
      const bool is_quantised = id.value >= 0 && is_wanted_[id.value];
      outputs.push_back(is_quantised ? chosen(id) : Quantisation{});
      id = id.value < 0 ? id : is_quantised ? add_int8(id, outputs.back()) : add_float_value(id);
    }
    const bool dequantises = std::ranges::any_of(
        inputs, [](const IslandInput& input) { return input.quantisation.is_int8(); });
    const bool quantises = std::ranges::any_of(outputs, &Quantisation::is_int8);
    layer.note = join(step.notes, "; ");
    note(layer, std::string("stays in float") +
                    (dequantises && quantises ? " between a dequantisation and a quantisation"
                     : dequantises            ? " after a dequantisation"
                     : quantises              ? " before a quantisation"
                                              : ""));
    if (dequantises || quantises) {
      layer.kernel =
          make_float_island(inner_of(*step.layer), std::move(inputs), std::move(outputs));
    }
    add(std::move(layer));
  }

  /// The layer with its values numbered by their order: its inputs, then its outputs.
  static Layer inner_of(const Layer& layer) {
    Layer inner = layer;
    renumber(inner, [&](ValueId id) {
      const auto found = std::ranges::find(layer.inputs, id);
      TS_CHECK(found != layer.inputs.end(), "a layer lists what its arguments read");
      return ValueId(static_cast<std::int32_t>(found - layer.inputs.begin()));
    });
    collect_inputs(inner);
    for (std::size_t i = 0; i < inner.outputs.size(); ++i) {
      if (inner.outputs[i].value >= 0) {
        inner.outputs[i] = ValueId(static_cast<std::int32_t>(layer.inputs.size() + i));
      }
    }
    return inner;
  }

  // -- Layers
  // ----------------------------------------------------------------------------------------

  static Layer named(std::string name, std::string target, std::string note) {
    Layer layer;
    layer.name = std::move(name);
    layer.target = std::move(target);
    layer.note = std::move(note);
    return layer;
  }

  /// A layer named after the step's, with its first inputs as arguments.
  Layer layer_of(const Step& step, std::string target, std::vector<std::string> argument_names) {
    Layer layer = named(step.layer->name, std::move(target), join(step.notes, "; "));
    layer.source = step.layer->source;
    for (std::size_t i = 0; i < argument_names.size(); ++i) {
      layer.arguments.push_back(value_argument(argument_names[i], new_id(step.inputs[i])));
    }
    return layer;
  }

  static void note(Layer& layer, const std::string& text) {
    layer.note += (layer.note.empty() ? "" : "; ") + text;
  }

  template <class NewId>
  static void renumber(Layer& layer, const NewId& new_id) {
    for (Argument& argument : layer.arguments) {
      for (ValueId& id : argument.values) {
        if (id.value >= 0) {
          id = new_id(id);
        }
      }
    }
  }

  static void collect_inputs(Layer& layer) {
    layer.inputs.clear();
    for (const Argument& argument : layer.arguments) {
      for (const ValueId id : argument.values) {
        if (id.value >= 0 && std::ranges::find(layer.inputs, id) == layer.inputs.end()) {
          layer.inputs.push_back(id);
        }
      }
    }
  }

  void add(Layer layer) {
    collect_inputs(layer);
    integer_.layers.push_back(std::move(layer));
  }

  // -- Values
  // ----------------------------------------------------------------------------------------

  bool is_int8(ValueId id) const { return integer_.info(id).quantisation.is_int8(); }

  /// The value of the integer network; a constant enters it when it is first read.
  ValueId new_id(ValueId id) {
    ValueId& known = ids_[id.value];
    if (known == kNoValue) {
      TS_CHECK(!steps_.constants[id.value].isNone(),
               "a value is computed before it is read: " + network_.info(id).name);
      ValueInfo info = network_.info(id);
      info.is_constant = true;
      for (const TensorRole role :
           {TensorRole::kWeight, TensorRole::kBias, TensorRole::kNormalisation}) {
        if (info.parameter.empty()) {
          info.parameter = parameter_name(network_, steps_, id, role);
        }
      }
      known = integer_.add_value(std::move(info));
      integer_.constants[known.value] = steps_.constants[id.value];
    }
    return known;
  }

  ValueId add_int8(ValueId id, const Quantisation& quantisation, const std::string& suffix = {}) {
    ValueInfo info = network_.info(id);
    info.name += suffix;
    info.type = c10::kChar;
    info.quantisation = quantisation;
    return ids_[id.value] = integer_.add_value(std::move(info));
  }

  ValueId add_float_value(ValueId id) {
    ValueInfo info = network_.info(id);
    info.type = statistics_[id.value].is_tensor ? statistics_[id.value].type : info.type;
    return ids_[id.value] = integer_.add_value(std::move(info));
  }

  Quantisation quantisation_of_new(ValueId id) {
    const ValueInfo& info = integer_.info(new_id(id));
    TS_CHECK(info.quantisation.is_int8(), "an integer layer reads int8: " + info.name);
    return info.quantisation;
  }

  void check_finite(ValueId id) const {
    if (!statistics_[id.value].is_finite()) {
      fail(ErrorCode::kInvalidInput,
           "value '" + network_.info(id).name + "' is not finite on the calibration images", {},
           "look for NaN or infinity in the images and the weights; run the float network");
    }
  }

  /// Of what a step makes: the network's own, or what the calibration images say.
  Quantisation quantisation_of(const Step& step) const {
    return step.output.is_int8() ? step.output : chosen(step.outputs.front());
  }

  /// Of a float value that becomes int8: its largest magnitude is stored as 127.
  Quantisation chosen(ValueId id) const {
    check_finite(id);
    const double largest = statistics_[id.value].largest;
    return {largest == 0.0 ? 1.0F
                           : std::max(static_cast<float>(largest / kMostStored),
                                      std::numeric_limits<float>::min()),
            0};
  }

  const Network& network_;
  std::vector<ValueStatistics> statistics_;
  Steps steps_;
  const bool chooses_scales_;    // the network brings none
  std::vector<bool> is_wanted_;  // by ValueId of the float network: becomes int8 at a chosen scale
  std::vector<ValueId> ids_;     // by ValueId of the float network: that of the integer network
  Network integer_;
  std::vector<PendingMatrix> pending_;
};

/// Integer layers lay their results out otherwise than the float kernels do, so a view may meet
/// strides that it cannot express: it copies then, as a reshape does.
Network with_views_of_any_layout(Network network) {
  for (Layer& layer : network.layers) {
    if (layer.target == "aten.view.default") {
      Layer reshape = layer;
      reshape.target = "aten.reshape.default";
      layer.kernel = make_operator_kernel(reshape);
    }
  }
  return network;
}

}  // namespace

std::vector<ValueStatistics> calibration(const Network& network, const Inputs& images,
                                         const QuantiseOptions& options) {
  return calibrate(with_views_of_any_layout(split_attention(network)), images, options.batch);
}

Network quantise(const Network& network, std::vector<ValueStatistics> calibration) {
  const Network split = with_views_of_any_layout(split_attention(network));
  return Quantiser(split, std::move(calibration)).quantised();
}

Network quantise(const Network& network, const Inputs& calibration,
                 const QuantiseOptions& options) {
  return quantise(network, dnn::calibration(network, calibration, options));
}

}  // namespace tilestrike::dnn

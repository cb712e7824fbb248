// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/quantise.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "dnn/integer/calibrate.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/integer/integer_operators.h"
#include "dnn/integer/product_layer.h"
#include "dnn/integer/split_attention.h"
#include "dnn/integer/steps.h"

namespace tilestrike::dnn {
namespace {

using Kind = Step::Kind;

constexpr double kMostStored = 127.0;       // magnitude of a quantised weight or activation
constexpr double kMostBias = 1073741824.0;  // 2^30: half of int32 is left to the products
constexpr ValueId kNoValue{-1};

/// Steps that compute on int8 whatever reads them.
bool is_integer_only(Kind kind) {
  return kind == Kind::kMatrix || kind == Kind::kProduct || kind == Kind::kAddition ||
         kind == Kind::kAveragePool || kind == Kind::kMean || kind == Kind::kConcatenation;
}

/// Steps whose output is int8 where their input is, with the same scale.
bool keeps_scale(Kind kind) {
  return kind == Kind::kClamp || kind == Kind::kMaxPool || kind == Kind::kMove;
}

/// A ratio of scales that a shift of 0 to 62 expresses. What lies outside gives the same int8
/// results at the ends: a smaller ratio rounds each int32 to 0, a larger one saturates all but 0.
double in_range(double ratio) {
  return std::clamp(ratio, std::ldexp(1.0, -32),
                    static_cast<double>(std::numeric_limits<std::int32_t>::max()));
}

int stored(double bound, float scale) {
  return static_cast<int>(std::clamp(std::nearbyint(bound / scale), -128.0, 127.0));
}

Clamp stored(const std::optional<RealClamp>& clamp, float scale) {
  return clamp ? Clamp{stored(clamp->low, scale), stored(clamp->high, scale)} : Clamp{};
}

Argument value_argument(std::string name, ValueId id) {
  return {std::move(name), Argument::Kind::kValue, {}, {id}};
}

/// The weights of one matrix layer in integers.
struct IntegerWeights {
  at::Tensor weight, bias;
  std::vector<double> scale;  // (O)
};

/// Per channel: scale = max|w| / 127, but so large that the bias stays within 2^30. A channel of
/// zeros takes the largest scale of its layer.
IntegerWeights integer_weights(const FloatMatrix& matrix, double input_scale) {
  const auto channels = static_cast<std::int64_t>(matrix.factor.size());
  const std::int64_t depth = matrix.shape.depth();
  const float* weights = matrix.weight.const_data_ptr<float>();
  IntegerWeights result;
  result.scale.resize(matrix.factor.size());
  for (std::int64_t o = 0; o < channels; ++o) {
    const float* row = weights + o * depth;
    float largest = 0.0F;
    for (std::int64_t k = 0; k < depth; ++k) {
      largest = std::max(largest, std::abs(row[k]));
    }
    result.scale[o] = std::max(largest * std::abs(matrix.factor[o]) / kMostStored,
                               std::abs(matrix.bias[o]) / (input_scale * kMostBias));
  }
  const double most = *std::ranges::max_element(result.scale);
  std::ranges::replace(result.scale, 0.0, most > 0.0 ? most : 1.0);

  result.weight = at::empty(matrix.weight.sizes(), at::dtype(c10::kChar));
  result.bias = at::empty({channels}, at::dtype(c10::kInt));
  auto* out = result.weight.mutable_data_ptr<std::int8_t>();
  auto* bias = result.bias.mutable_data_ptr<std::int32_t>();
  for (std::int64_t o = 0; o < channels; ++o) {
    const double inverse = matrix.factor[o] / result.scale[o];
    for (std::int64_t k = 0; k < depth; ++k) {
      const double rounded = std::nearbyint(weights[o * depth + k] * inverse);
      out[o * depth + k] = static_cast<std::int8_t>(std::clamp(rounded, -kMostStored, kMostStored));
    }
    const double rounded = std::nearbyint(matrix.bias[o] / (input_scale * result.scale[o]));
    bias[o] = static_cast<std::int32_t>(std::clamp(rounded, -kMostBias, kMostBias));
  }
  return result;
}

/// Makes the integer network from the steps of the float one.
class Quantiser {
 public:
  Quantiser(const Network& network, const Inputs& calibration, std::int64_t batch)
      : network_(network),
        statistics_(calibrate(network, calibration, batch)),
        steps_(steps_of(network, statistics_)),
        is_wanted_(network.values.size(), false),
        ids_(network.values.size(), kNoValue) {}

  Network quantised() {
    find_wanted();
    integer_.name = network_.name;
    integer_.device = network_.device;
    std::ranges::for_each(network_.inputs, [this](ValueId id) { add_input(id); });
    for (const Step& step : steps_.steps) {
      add_step(step);
    }
    add_output();
    return std::move(integer_);
  }

 private:
  /// Which values an integer step reads, directly or behind steps that keep the scale.
  void find_wanted() {
    for (auto step = steps_.steps.rbegin(); step != steps_.steps.rend(); ++step) {
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
    layer.outputs = {add_int8(id, scale_of(id), "_int8")};
    layer.kernel = make_quantise(integer_.info(layer.outputs.front()).scale);
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
    info.type = c10::kFloat;
    layer.kernel = make_dequantise(std::exchange(info.scale, 0.0F));
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
      case Kind::kFloat:
        return add_float(step);
      case Kind::kSize:
        return add_as_it_is(step);
    }
  }

  void add_matrix(const Step& step) {
    const ValueId output = step.outputs.front();
    const double input_scale = scale_of_new(step.inputs.front());
    check_finite(output);
    const IntegerWeights weights = integer_weights(step.matrix, input_scale);
    MatrixKernel::Parameters parameters;
    parameters.shape = step.matrix.shape;
    parameters.weight = weights.weight.to(network_.device);
    parameters.bias = weights.bias.to(network_.device);
    Layer layer =
        layer_of(step, step.matrix.shape.is_convolution ? "int8.conv2d" : "int8.linear", {"input"});
    // Read as float only and not clamped: no need of int8.
    if (!is_wanted_[output.value] && !step.clamp) {
      std::vector<float> scales;
      for (const double scale : weights.scale) {
        scales.push_back(static_cast<float>(input_scale * scale));
      }
      parameters.scale = at::tensor(scales).to(network_.device);
      layer.outputs = {add_float_value(output)};
      note(layer, "float output");
    } else {
      const float scale = scale_of(output);
      const Clamp clamp = stored(step.clamp, scale);
      parameters.low = clamp.low;
      parameters.high = clamp.high;
      std::vector<std::int32_t> multipliers, shifts;
      for (const double weight_scale : weights.scale) {
        const FixedPoint ratio = FixedPoint::of(in_range(input_scale * weight_scale / scale));
        multipliers.push_back(ratio.multiplier);
        shifts.push_back(ratio.shift);
      }
      parameters.multiplier = at::tensor(multipliers).to(network_.device);
      parameters.shift = at::tensor(shifts).to(network_.device);
      layer.outputs = {add_int8(output, scale)};
    }
    const auto kernel = MatrixKernel::make(std::move(parameters), layer.name);
    if (kernel->path() == ExactPath::kFloat64) {
      note(layer, "sums in float64");
    }
    layer.kernel = kernel;
    add(std::move(layer));
  }

  void add_product(const Step& step) {
    const ValueId output = step.outputs.front();
    check_finite(output);
    ProductParameters parameters;
    parameters.rows = step.product[0];
    parameters.depth = step.product[1];
    parameters.columns = step.product[2];
    Layer layer = layer_of(step, "int8.matmul", {"left", "right"});
    const double unit = scale_of_new(step.inputs[0]) * scale_of_new(step.inputs[1]);
    if (is_wanted_[output.value]) {
      const float scale = scale_of(output);
      parameters.ratio = in_range(unit / scale);
      layer.outputs = {add_int8(output, scale)};
    } else {
      parameters.scale = std::max(static_cast<float>(unit), std::numeric_limits<float>::min());
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
    const float scale = scale_of(step.outputs.front());
    Layer layer = layer_of(step, "int8.add", {"a", "b"});
    const auto ratios = ScaledAddition::of(scale_of_new(step.inputs[0]) / scale,
                                           scale_of_new(step.inputs[1]) / scale);
    layer.kernel = make_addition(ratios, stored(step.clamp, scale));
    layer.outputs = {add_int8(step.outputs.front(), scale)};
    add(std::move(layer));
  }

  void add_average(const Step& step) {
    const float scale = scale_of(step.outputs.front());
    const bool is_pool = step.kind == Kind::kAveragePool;
    Layer layer = layer_of(step, is_pool ? "int8.average_pool2d" : "int8.mean", {"input"});
    const auto ratio = FixedPoint::of(
        in_range(scale_of_new(step.inputs.front()) / (static_cast<double>(scale) * step.averaged)));
    layer.kernel = is_pool ? make_average_pool2d(step.window, ratio)
                           : make_mean(step.dimensions, step.keep_dimensions, ratio);
    layer.outputs = {add_int8(step.outputs.front(), scale)};
    add(std::move(layer));
  }

  void add_concatenation(const Step& step) {
    const float scale = scale_of(step.outputs.front());
    Layer layer = layer_of(step, "int8.cat", {});
    Argument tensors{"tensors", Argument::Kind::kValueList, {}, {}};
    std::vector<std::optional<FixedPoint>> ratios;
    for (const ValueId id : step.inputs) {
      tensors.values.push_back(new_id(id));
      const double input_scale = scale_of_new(id);
      ratios.push_back(input_scale == scale
                           ? std::nullopt
                           : std::optional(FixedPoint::of(in_range(input_scale / scale))));
    }
    layer.arguments.push_back(std::move(tensors));
    layer.kernel = make_concatenation(step.dimensions.front(), std::move(ratios));
    layer.outputs = {add_int8(step.outputs.front(), scale)};
    add(std::move(layer));
  }

  void add_same_scale(const Step& step) {
    if (step.kind == Kind::kMove) {
      return add_as_it_is(step);
    }
    const float scale = scale_of_new(step.inputs.front());
    const bool is_pool = step.kind == Kind::kMaxPool;
    Layer layer = layer_of(step, is_pool ? "int8.max_pool2d" : "int8.clamp", {"input"});
    layer.kernel = is_pool ? make_max_pool2d(step.window) : make_clamp(stored(step.clamp, scale));
    layer.outputs = {add_int8(step.outputs.front(), scale)};
    add(std::move(layer));
  }

  /// The float layer itself: it moves elements of any type, or reads a shape.
  void add_as_it_is(const Step& step) {
    const float scale =
        step.kind == Kind::kMove ? integer_.info(new_id(step.inputs.front())).scale : 0.0F;
    Layer layer = *step.layer;
    renumber(layer, [this](ValueId id) { return new_id(id); });
    layer.note = join(step.notes, "; ");
    for (ValueId& id : layer.outputs) {
      id = id.value < 0 ? id : scale > 0.0F ? add_int8(id, scale) : add_float_value(id);
    }
    add(std::move(layer));
  }

  void add_float(const Step& step) {
    Layer layer = *step.layer;
    renumber(layer, [this](ValueId id) { return new_id(id); });
    collect_inputs(layer);
    std::vector<float> input_scales, output_scales;
    for (const ValueId id : layer.inputs) {
      input_scales.push_back(integer_.info(id).scale);
    }
    for (ValueId& id : layer.outputs) {
      const bool is_quantised = id.value >= 0 && is_wanted_[id.value];
      output_scales.push_back(is_quantised ? scale_of(id) : 0.0F);
      id = id.value < 0   ? id
           : is_quantised ? add_int8(id, output_scales.back())
                          : add_float_value(id);
    }
    const auto is_given = [](float scale) { return scale > 0.0F; };
    const bool dequantises = std::ranges::any_of(input_scales, is_given);
    const bool quantises = std::ranges::any_of(output_scales, is_given);
    layer.note = join(step.notes, "; ");
    note(layer, std::string("stays in float") +
                    (dequantises && quantises ? " between a dequantisation and a quantisation"
                     : dequantises            ? " after a dequantisation"
                     : quantises              ? " before a quantisation"
                                              : ""));
    if (dequantises || quantises) {
      layer.kernel =
          make_float_island(inner_of(layer), std::move(input_scales), std::move(output_scales));
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

  bool is_int8(ValueId id) const { return integer_.info(id).type == c10::kChar; }

  /// The value of the integer network; a constant enters it when it is first read.
  ValueId new_id(ValueId id) {
    ValueId& known = ids_[id.value];
    if (known == kNoValue) {
      TS_CHECK(!steps_.constants[id.value].isNone(),
               "a value is computed before it is read: " + network_.info(id).name);
      ValueInfo info = network_.info(id);
      info.is_constant = true;
      known = integer_.add_value(std::move(info));
      integer_.constants[known.value] = steps_.constants[id.value];
    }
    return known;
  }

  ValueId add_int8(ValueId id, float scale, const std::string& suffix = {}) {
    ValueInfo info = network_.info(id);
    info.name += suffix;
    info.type = c10::kChar;
    info.scale = scale;
    return ids_[id.value] = integer_.add_value(std::move(info));
  }

  ValueId add_float_value(ValueId id) {
    return ids_[id.value] = integer_.add_value(network_.info(id));
  }

  double scale_of_new(ValueId id) {
    const ValueInfo& info = integer_.info(new_id(id));
    TS_CHECK(info.scale > 0.0F, "an integer layer reads int8: " + info.name);
    return info.scale;
  }

  void check_finite(ValueId id) const {
    if (!std::isfinite(statistics_[id.value].largest)) {
      fail(ErrorCode::kInvalidInput,
           "value '" + network_.info(id).name + "' is not finite on the calibration images", {},
           "look for NaN or infinity in the images and the weights; run the float network");
    }
  }

  /// Of a float value that becomes int8: its largest magnitude is stored as 127.
  float scale_of(ValueId id) const {
    check_finite(id);
    const double largest = statistics_[id.value].largest;
    return largest == 0.0 ? 1.0F
                          : std::max(static_cast<float>(largest / kMostStored),
                                     std::numeric_limits<float>::min());
  }

  const Network& network_;
  std::vector<ValueStatistics> statistics_;
  Steps steps_;
  std::vector<bool> is_wanted_;  // by ValueId of the float network: read as int8
  std::vector<ValueId> ids_;     // by ValueId of the float network: that of the integer network
  Network integer_;
};

}  // namespace

Network quantise(const Network& network, const Inputs& calibration,
                 const QuantiseOptions& options) {
  for (const Layer& layer : network.layers) {
    if (layer.target.starts_with("quantized_decomposed.")) {
      fail(ErrorCode::kUnsupported,
           "layer '" + layer.name + "' (" + layer.target +
               "): the network is quantised already, and other scales would be another network",
           layer.source, "export the float network, or run this one without int8");
    }
  }
  const Network split = split_attention(network);
  return Quantiser(split, calibration, options.batch).quantised();
}

}  // namespace tilestrike::dnn

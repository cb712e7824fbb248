// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/steps.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>

#include "base/error.h"
#include "dnn/integer/given_quantisation.h"
#include "dnn/layer_arguments.h"
#include "dnn/operators.h"
#include "dnn/stored_number.h"

namespace tilestrike::dnn {
namespace {

using Kind = Step::Kind;

/// Operators that move elements, whatever their type.
const std::set<std::string_view> kMoves{
    "aten.flatten.using_ints", "aten.reshape.default", "aten.view.default",
    "aten.permute.default",    "aten.transpose.int",   "aten.t.default",
    "aten.unsqueeze.default",  "aten.squeeze.default", "aten.squeeze.dim",
    "aten.squeeze.dims",       "aten.expand.default",  "aten.contiguous.default",
};

/// Operators that give their operand another element type.
const std::set<std::string_view> kConversions{
    "aten.to.dtype",         "aten.to.dtype_layout", "aten.to.other",
    "aten._to_copy.default", "aten.type_as.default",
};

std::vector<double> doubles(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.cpu().to(c10::kDouble).contiguous();
  const double* data = flat.const_data_ptr<double>();
  return {data, data + flat.numel()};
}

bool is_weight(const at::Tensor& tensor, std::int64_t dimensions) {
  return tensor.defined() && is_real(tensor.scalar_type()) && tensor.dim() == dimensions &&
         tensor.numel() > 0;
}

at::Tensor stored_weight(const at::Tensor& tensor) {
  return tensor.cpu().to(c10::kFloat).contiguous();
}

/// "same" as padding on both sides, if it is the same on both.
std::optional<std::array<std::int64_t, 2>> padding_of(const LayerArguments& arguments,
                                                      const MatrixShape& shape) {
  const std::string_view text = arguments.text("padding");
  if (text.empty()) {
    return arguments.pair("padding");
  }
  std::array<std::int64_t, 2> padding{0, 0};
  for (int i = 0; i < 2 && text == "same"; ++i) {
    const std::int64_t total = shape.dilation[i] * (shape.kernel[i] - 1);
    if (total % 2 != 0) {
      return std::nullopt;
    }
    padding[i] = total / 2;
  }
  return padding;
}

class StepReader {
 public:
  StepReader(const Network& network, const std::vector<ValueStatistics>& statistics)
      : network_(network),
        statistics_(statistics),
        is_quantised_(is_quantised(network)),
        made_by_(network.values.size()),
        stored_(network.values.size()) {}

  Steps read() {
    result_.constants = network_.constants;
    result_.uses = uses_of_constants(network_);
    const c10::InferenceMode no_gradients;
    for (const Layer& layer : network_.layers) {
      if (computed_inputs(layer).empty() && !layer.inputs.empty()) {
        layer.kernel->run(layer, result_.constants);
        continue;
      }
      Step step = step_of(layer);
      if (!fold_batch_norm(step) && !fuse_clamp(step) && !fuse_quantisation(step) &&
          !fuse_conversion(step)) {
        add(std::move(step));
      }
    }
    return std::move(result_);
  }

 private:
  std::vector<ValueId> computed_inputs(const Layer& layer) const {
    std::vector<ValueId> computed;
    std::ranges::copy_if(layer.inputs, std::back_inserter(computed),
                         [this](ValueId id) { return result_.constants[id.value].isNone(); });
    return computed;
  }

  void add(Step step) {
    for (const ValueId id : step.outputs) {
      if (id.value >= 0) {
        made_by_[id.value] = result_.steps.size();
      }
    }
    result_.steps.push_back(std::move(step));
  }

  /// The step that makes a value which nothing else reads.
  Step* only_source_of(ValueId id) {
    if (id == network_.output || network_.readers(id).size() != 1 || !made_by_[id.value]) {
      return nullptr;
    }
    return &result_.steps[*made_by_[id.value]];
  }

  const std::vector<std::int64_t>& sizes(ValueId id) const { return statistics_[id.value].sizes; }

  bool is_computed_float(const std::vector<ValueId>& ids) const {
    return std::ranges::all_of(ids, [this](ValueId id) {
      return result_.constants[id.value].isNone() && statistics_[id.value].is_float;
    });
  }

  Step step_of(const Layer& layer) {
    Step step;
    step.layer = &layer;
    step.outputs = layer.outputs;
    if (layer.target == "aten.sym_size.int" || layer.target.starts_with("_operator.")) {
      step.kind = Kind::kSize;
      step.inputs = computed_inputs(layer);
      return step;
    }
    if (layer.target == kQuantisePair || layer.target == kDequantisePair) {
      read_pair(layer, step);
      return step;
    }
    const LayerArguments arguments(layer, result_.constants);
    std::string obstacle = read_integer_form(layer, arguments, step);
    if (obstacle.empty() && is_quantised_) {
      obstacle = read_given(layer, arguments, step);
    }
    if (obstacle.empty() && !is_finite(step)) {
      obstacle = "values that are not finite on the calibration images";
    }
    if (obstacle.empty() && is_computed_float(step.inputs) && is_computed_float(made(step))) {
      if (step.kind == Kind::kMove) {
        step.inputs = computed_inputs(layer);  // with symbolic sizes
      }
      return step;
    }
    step = Step{};
    step.layer = &layer;
    step.inputs = computed_inputs(layer);
    step.outputs = layer.outputs;
    if (!obstacle.empty()) {
      step.notes.push_back(obstacle);
    }
    return step;
  }

  /// A mask of minus infinity is added in float. A matrix layer on such values is refused later,
  /// for then the network computes nothing.
  bool is_finite(const Step& step) const {
    const auto is_known = [this](ValueId id) { return statistics_[id.value].is_finite(); };
    return !is_integer_only(step.kind) || step.kind == Kind::kMatrix ||
           (std::ranges::all_of(step.inputs, is_known) &&
            std::ranges::all_of(made(step), is_known));
  }

  /// Half of a pair that is no int8 pair is called as it is.
  void read_pair(const Layer& layer, Step& step) {
    step.inputs = computed_inputs(layer);
    const Quantisation given = quantisation_of(layer, result_.constants);
    const bool is_first = layer.target == kQuantisePair;
    const Quantisation before = stored_[step.inputs.front().value];
    if (!is_first && before.is_int8() && before != given) {
      fail(ErrorCode::kUnsupported,
           "layer '" + layer.name + "' dequantises otherwise than its input was quantised",
           layer.source, "export a network whose pairs share scale and zero point");
    }
    if (given.is_int8() && (is_first || before.is_int8())) {
      step.kind = is_first ? Kind::kQuantise : Kind::kDequantise;
      step.output = given;
      stored_[layer.outputs.front().value] = given;
    }
  }

  /// What the pairs around a layer say of its integer form, or why it has none.
  std::string read_given(const Layer& layer, const LayerArguments& arguments, Step& step) {
    const auto is_int8 = [this](ValueId id) { return stored_[id.value].is_int8(); };
    const bool reads_int8 = std::ranges::all_of(step.inputs, is_int8);
    const ValueId output = layer.outputs.front();
    if (step.kind == Kind::kClamp || step.kind == Kind::kMaxPool || step.kind == Kind::kMove ||
        step.kind == Kind::kConversion) {
      if (reads_int8 && step.clamp && (step.clamp->low != 0.0 || std::isfinite(step.clamp->high))) {
        return "bounds between two stored values";
      }
      stored_[output.value] = stored_[step.inputs.front().value];
      return {};
    }
    if (!reads_int8) {
      return "reads values that are not quantised";
    }
    if (step.kind == Kind::kMatrix && !read_given_weights(arguments, step)) {
      return "its weights are not quantised symmetrically";
    }
    const bool has_zeros = std::ranges::any_of(
        step.inputs, [this](ValueId id) { return stored_[id.value].zero != 0; });
    if (step.kind == Kind::kProduct && has_zeros) {
      return "a product of values with zero points";
    }
    const bool may_clamp = step.kind == Kind::kMatrix || step.kind == Kind::kAddition;
    step.output = quantisation_behind(network_, output, may_clamp);
    const bool may_be_float = step.kind == Kind::kMatrix || step.kind == Kind::kProduct;
    return step.output.is_int8() || may_be_float ? "" : "its result is not quantised";
  }

  bool read_given_weights(const LayerArguments& arguments, Step& step) const {
    for (const std::string_view name : {"weight", "mat2", "other"}) {
      const std::vector<ValueId> id = arguments.values(name);
      if (id.size() == 1) {
        if (auto given = given_weights(network_, id.front(), step.matrix.weight)) {
          step.matrix.stored = std::move(given->weight);
          step.matrix.stored_scale = std::move(given->scale);
          return true;
        }
      }
    }
    return false;
  }

  static std::vector<ValueId> made(const Step& step) {
    std::vector<ValueId> ids;
    std::ranges::copy_if(step.outputs, std::back_inserter(ids),
                         [](ValueId id) { return id.value >= 0; });
    return ids;
  }

  /// Fills in `step`, or returns why the layer has no integer form.
  std::string read_integer_form(const Layer& layer, const LayerArguments& arguments, Step& step) {
    const std::string_view target = layer.target;
    if (target == "aten.conv2d.default" || target == "aten.conv2d.padding") {
      return read_convolution(arguments, step);
    }
    if (target == "aten.linear.default" || target == "aten.addmm.default" ||
        target == "aten.mm.default") {
      return read_linear(target, arguments, step);
    }
    if (target == "aten.matmul.default" || target == "aten.bmm.default") {
      const std::string_view right = target == "aten.bmm.default" ? "mat2" : "other";
      return is_weight(arguments.tensor(right), 2) ? read_linear(target, arguments, step)
                                                   : read_product(right, arguments, step);
    }
    if (target == "aten.add.Tensor") {
      return read_addition(arguments, step);
    }
    if (target == "aten.relu.default" || target == "aten.relu6.default" ||
        target == "aten.hardtanh.default" || target == "aten.clamp.default") {
      return read_clamp(target, arguments, step);
    }
    if (target == "aten.max_pool2d.default") {
      return read_max_pool(arguments, step);
    }
    if (target == "aten.avg_pool2d.default") {
      return read_average_pool(arguments, step);
    }
    if (target == "aten.adaptive_avg_pool2d.default") {
      return read_adaptive_pool(arguments, step);
    }
    if (target == "aten.mean.dim") {
      return read_mean(arguments, step);
    }
    if (target == "aten.cat.default") {
      step.kind = Kind::kConcatenation;
      step.inputs = arguments.values("tensors");
      step.dimensions = arguments.integers("dim").value_or(std::vector<std::int64_t>{0});
      return step.inputs.empty() || !is_computed_float(step.inputs) ? "joins constants" : "";
    }
    const std::string_view mode = arguments.text("mode");
    const bool pads_zeros =
        (target == "aten.constant_pad_nd.default" ||
         (target == "aten.pad.default" && (mode.empty() || mode == "constant"))) &&
        arguments.real("value").value_or(0.0) == 0.0;
    if (kConversions.contains(target)) {
      step.kind = Kind::kConversion;
      step.inputs = arguments.values("self");
      return step.inputs.empty() ? arguments_unknown() : "";
    }
    if (kMoves.contains(target) || pads_zeros) {
      step.kind = Kind::kMove;
      step.inputs = arguments.values("self");
      return step.inputs.empty() ? arguments_unknown() : "";
    }
    return target == "aten.batch_norm.default" ? "batch norm without a layer to fold it into"
                                               : "no integer form";
  }

  /// Which stored tensors the weights and the bias of a matrix layer are computed from.
  void find_origin(const LayerArguments& arguments, std::string_view weight, std::string_view bias,
                   FloatMatrix& matrix) const {
    for (const ValueId id : arguments.values(weight)) {
      matrix.origin = stored_behind(network_, result_.uses, id, TensorRole::kWeight);
      matrix.weight_name = parameter_name(network_, result_, id, TensorRole::kWeight);
    }
    for (const ValueId id : arguments.values(bias)) {
      matrix.bias_origin = stored_behind(network_, result_.uses, id, TensorRole::kBias);
      matrix.bias_name = parameter_name(network_, result_, id, TensorRole::kBias);
    }
  }

  static std::string arguments_unknown() { return "arguments that are computed"; }

  static std::string read_bias(const LayerArguments& arguments, std::string_view name, Step& step) {
    FloatMatrix& matrix = step.matrix;
    const auto channels = static_cast<std::size_t>(matrix.shape.out_channels);
    matrix.factor.assign(channels, 1.0);
    matrix.bias.assign(channels, 0.0);
    if (arguments.is_none(name)) {
      return {};
    }
    const at::Tensor bias = arguments.tensor(name);
    if (!bias.defined() || bias.numel() != matrix.shape.out_channels) {
      return "a bias that is computed";
    }
    matrix.bias = doubles(bias);
    return {};
  }

  std::string read_convolution(const LayerArguments& arguments, Step& step) {
    step.kind = Kind::kMatrix;
    step.inputs = arguments.values("input");
    const at::Tensor weight = arguments.tensor("weight");
    if (step.inputs.empty() || !is_weight(weight, 4)) {
      return "weights that are computed";
    }
    if (sizes(step.inputs.front()).size() != 4) {
      return "an input without a batch dimension";
    }
    MatrixShape& shape = step.matrix.shape;
    shape.kernel = {weight.size(2), weight.size(3)};
    const auto groups = arguments.integers("groups");
    const auto stride = arguments.pair("stride"), dilation = arguments.pair("dilation");
    if (!groups || !stride || !dilation) {
      return arguments_unknown();
    }
    shape.groups = groups->front();
    shape.stride = *stride;
    shape.dilation = *dilation;
    const auto padding = padding_of(arguments, shape);
    if (!padding) {
      return "padding that differs between two sides";
    }
    shape.padding = *padding;
    shape.in_channels = weight.size(1) * shape.groups;
    shape.out_channels = weight.size(0);
    step.matrix.weight = stored_weight(weight);
    find_origin(arguments, "weight", "bias", step.matrix);
    return read_bias(arguments, "bias", step);
  }

  std::string read_linear(std::string_view target, const LayerArguments& arguments, Step& step) {
    step.kind = Kind::kMatrix;
    const bool is_linear = target == "aten.linear.default";
    const bool is_matmul = target == "aten.matmul.default";
    const bool has_bias = target != "aten.mm.default" && !is_matmul;
    step.inputs = arguments.values(is_linear ? "input" : has_bias ? "mat1" : "self");
    const std::string_view weight_argument = is_linear ? "weight" : is_matmul ? "other" : "mat2";
    at::Tensor weight = arguments.tensor(weight_argument);
    if (step.inputs.empty() || !is_weight(weight, 2)) {
      return "weights that are computed";
    }
    if (!is_linear) {
      weight = weight.t();
    }
    if (target == "aten.addmm.default" && (arguments.real("alpha").value_or(1.0) != 1.0 ||
                                           arguments.real("beta").value_or(1.0) != 1.0)) {
      return "scaled by alpha or beta";
    }
    step.matrix.shape.is_convolution = false;
    step.matrix.shape.in_channels = weight.size(1);
    step.matrix.shape.out_channels = weight.size(0);
    step.matrix.weight = stored_weight(weight);
    const std::string_view bias_argument = !has_bias ? "" : is_linear ? "bias" : "self";
    find_origin(arguments, weight_argument, bias_argument, step.matrix);
    return read_bias(arguments, bias_argument, step);
  }

  std::string read_product(std::string_view right, const LayerArguments& arguments,
                           Step& step) const {
    step.kind = Kind::kProduct;
    const std::vector<ValueId> a = arguments.values("self"), b = arguments.values(right);
    if (a.empty() || b.empty() || !is_computed_float({a.front(), b.front()})) {
      return "a product with a constant that is no matrix";
    }
    const std::vector<std::int64_t>& left_sizes = sizes(a.front());
    const std::vector<std::int64_t>& right_sizes = sizes(b.front());
    const std::size_t rank = left_sizes.size();
    if (rank < 3 || right_sizes.size() != rank ||
        !std::equal(left_sizes.begin(), left_sizes.end() - 2, right_sizes.begin())) {
      return "a product of two shapes";
    }
    step.inputs = {a.front(), b.front()};
    step.product = {left_sizes[rank - 2], left_sizes[rank - 1], right_sizes[rank - 1]};
    return "";
  }

  std::string read_addition(const LayerArguments& arguments, Step& step) {
    step.kind = Kind::kAddition;
    const std::vector<ValueId> a = arguments.values("self"), b = arguments.values("other");
    if (a.empty() || b.empty() || !is_computed_float({a.front(), b.front()})) {
      return "adds a constant";
    }
    if (sizes(a.front()) != sizes(b.front())) {
      return "adds tensors of two shapes";
    }
    step.inputs = {a.front(), b.front()};
    return arguments.real("alpha").value_or(1.0) == 1.0 ? "" : "scaled by alpha";
  }

  static std::string read_clamp(std::string_view target, const LayerArguments& arguments,
                                Step& step) {
    step.kind = Kind::kClamp;
    step.inputs = arguments.values("self");
    step.clamp = RealClamp{};
    if (target == "aten.relu.default" || target == "aten.relu6.default") {
      step.clamp->low = 0.0;
      if (target == "aten.relu6.default") {
        step.clamp->high = 6.0;
      }
      return {};
    }
    const bool is_hardtanh = target == "aten.hardtanh.default";
    const std::string_view low = is_hardtanh ? "min_val" : "min";
    const std::string_view high = is_hardtanh ? "max_val" : "max";
    const auto read = [&](std::string_view name, double& bound) {
      const auto number = arguments.real(name);
      bound = number.value_or(bound);
      return number.has_value() || arguments.is_none(name);
    };
    const bool is_known = read(low, step.clamp->low) && read(high, step.clamp->high);
    return is_known && step.clamp->low <= step.clamp->high ? "" : arguments_unknown();
  }

  /// Kernel, stride and padding; false if one is not known.
  static bool read_window(const LayerArguments& arguments, PoolWindow& window) {
    const auto kernel = arguments.pair("kernel_size"), padding = arguments.pair("padding");
    if (!kernel || !padding) {
      return false;
    }
    window.kernel = *kernel;
    window.stride = arguments.pair("stride").value_or(*kernel);  // an empty list: the kernel's
    window.padding = *padding;
    window.ceil_mode = arguments.boolean("ceil_mode");
    return true;
  }

  static std::string read_max_pool(const LayerArguments& arguments, Step& step) {
    step.kind = Kind::kMaxPool;
    step.inputs = arguments.values("self");
    const auto dilation = arguments.pair("dilation");
    if (!read_window(arguments, step.window) || !dilation) {
      return arguments_unknown();
    }
    step.window.dilation = *dilation;
    return {};
  }

  static std::string read_average_pool(const LayerArguments& arguments, Step& step) {
    step.kind = Kind::kAveragePool;
    step.inputs = arguments.values("self");
    PoolWindow& window = step.window;
    if (!read_window(arguments, window)) {
      return arguments_unknown();
    }
    const bool has_padding = window.padding[0] != 0 || window.padding[1] != 0;
    const auto divisor = arguments.real("divisor_override");
    const bool counts_all = arguments.boolean("count_include_pad") || divisor || !has_padding;
    if (window.ceil_mode || !counts_all) {
      return "averages over windows of different sizes";
    }
    const std::int64_t elements = window.kernel[0] * window.kernel[1];
    step.averaged = divisor ? static_cast<std::int64_t>(*divisor) : elements;
    return elements <= kMostPooled && step.averaged > 0 ? "" : "averages over a very large window";
  }

  std::string read_adaptive_pool(const LayerArguments& arguments, Step& step) const {
    step.kind = Kind::kAveragePool;
    step.inputs = arguments.values("self");
    const auto size = arguments.pair("output_size");
    if (!size || step.inputs.empty()) {
      return arguments_unknown();
    }
    const std::vector<std::int64_t>& input = sizes(step.inputs.front());
    if (input.size() != 4) {
      return "an input without a batch dimension";
    }
    for (int i = 0; i < 2; ++i) {
      if ((*size)[i] < 1 || input[i + 2] % (*size)[i] != 0) {
        return "averages over windows of different sizes";
      }
      step.window.kernel[i] = step.window.stride[i] = input[i + 2] / (*size)[i];
    }
    step.averaged = step.window.kernel[0] * step.window.kernel[1];
    return step.averaged <= kMostPooled ? "" : "averages over a very large window";
  }

  std::string read_mean(const LayerArguments& arguments, Step& step) const {
    step.kind = Kind::kMean;
    step.inputs = arguments.values("self");
    const auto dimensions = arguments.integers("dim");
    if (!dimensions || dimensions->empty() || step.inputs.empty()) {
      return "a mean over all dimensions";
    }
    const std::vector<std::int64_t>& input = sizes(step.inputs.front());
    const auto rank = static_cast<std::int64_t>(input.size());
    for (const std::int64_t given : *dimensions) {
      const std::int64_t dimension = given < 0 ? given + rank : given;
      if (dimension < 0 || dimension >= rank) {
        return "a mean of a number";
      }
      if (dimension == 0) {
        return "a mean over the batch";
      }
      step.averaged *= input[dimension];
    }
    step.dimensions = *dimensions;
    step.keep_dimensions = arguments.boolean("keepdim");
    return step.averaged <= kMostAveraged ? "" : "averages over a very large window";
  }

  /// Folds a batch norm into the matrix layer before it; true if it did.
  bool fold_batch_norm(const Step& step) {
    if (step.layer->target != "aten.batch_norm.default" || step.inputs.size() != 1) {
      return false;
    }
    Step* source = only_source_of(step.inputs.front());
    if (source == nullptr || source->kind != Kind::kMatrix || source->clamp ||
        source->matrix.stored.defined()) {
      return false;
    }
    const LayerArguments arguments(*step.layer, result_.constants);
    const at::Tensor mean = arguments.tensor("running_mean");
    const at::Tensor variance = arguments.tensor("running_var");
    const auto epsilon = arguments.real("eps");
    FloatMatrix& matrix = source->matrix;
    const bool is_along_channels =
        matrix.shape.is_convolution || sizes(step.inputs.front()).size() == 2;
    if (arguments.boolean("training") || !mean.defined() || !variance.defined() || !epsilon ||
        mean.numel() != matrix.shape.out_channels || !is_along_channels) {
      return false;
    }
    const at::Tensor gamma = arguments.tensor("weight"), beta = arguments.tensor("bias");
    if ((!gamma.defined() && !arguments.is_none("weight")) ||
        (!beta.defined() && !arguments.is_none("bias"))) {
      return false;
    }
    const std::vector<double> means = doubles(mean), variances = doubles(variance);
    const std::vector<double> scales = gamma.defined() ? doubles(gamma) : std::vector<double>();
    const std::vector<double> shifts = beta.defined() ? doubles(beta) : std::vector<double>();
    for (std::size_t o = 0; o < means.size(); ++o) {
      const double factor = (scales.empty() ? 1.0 : scales[o]) / std::sqrt(variances[o] + *epsilon);
      matrix.factor[o] *= factor;
      matrix.bias[o] = (matrix.bias[o] - means[o]) * factor + (shifts.empty() ? 0.0 : shifts[o]);
    }
    take_over(*source, step, "batch norm '" + step.layer->name + "' folded");
    return true;
  }

  /// Fuses an activation into the clamp of the layer before it; true if it did.
  bool fuse_clamp(const Step& step) {
    if (step.kind != Kind::kClamp) {
      return false;
    }
    Step* source = only_source_of(step.inputs.front());
    if (source == nullptr || source->clamp ||
        (source->kind != Kind::kMatrix && source->kind != Kind::kAddition) ||
        (is_quantised_ && !source->output.is_int8())) {
      return false;
    }
    source->clamp = step.clamp;
    take_over(*source, step, short_name(step.layer->target) + " '" + step.layer->name + "' fused");
    return true;
  }

  /// The layer before a quantisation makes int8 itself; true if it does.
  bool fuse_quantisation(const Step& step) {
    Step* source = step.kind == Kind::kQuantise ? only_source_of(step.inputs.front()) : nullptr;
    if (source == nullptr || !is_integer_only(source->kind) || !source->output.is_int8()) {
      return false;
    }
    take_over(*source, step, "");
    return true;
  }

  /// A matrix layer gives its sums in any type; true if it makes what `step` converts to.
  bool fuse_conversion(const Step& step) {
    Step* source = step.kind == Kind::kConversion ? only_source_of(step.inputs.front()) : nullptr;
    if (source == nullptr || is_quantised_ ||
        (source->kind != Kind::kMatrix && source->kind != Kind::kProduct)) {
      return false;
    }
    take_over(*source, step, "");
    return true;
  }

  /// `source` now makes what `step` made.
  void take_over(Step& source, const Step& step, std::string note) {
    source.outputs = step.outputs;
    if (!note.empty()) {
      source.notes.push_back(std::move(note));
    }
    made_by_[step.outputs.front().value] = made_by_[step.inputs.front().value];
  }

  const Network& network_;
  const std::vector<ValueStatistics>& statistics_;
  const bool is_quantised_;                          // brings its scales
  std::vector<std::optional<std::size_t>> made_by_;  // by ValueId: index of a step
  std::vector<Quantisation> stored_;                 // by ValueId, where the network brings it
  Steps result_;
};

}  // namespace

bool is_integer_only(Step::Kind kind) {
  return kind == Kind::kMatrix || kind == Kind::kProduct || kind == Kind::kAddition ||
         kind == Kind::kAveragePool || kind == Kind::kMean || kind == Kind::kConcatenation;
}

std::string parameter_name(const Network& network, const Steps& steps, ValueId constant,
                           TensorRole role) {
  const std::vector<ValueId> stored = stored_behind(network, steps.uses, constant, role);
  if (stored.size() != 1) {
    return {};
  }
  const c10::IValue& whole = network.constants[static_cast<std::size_t>(stored.front().value)];
  const c10::IValue& used = steps.constants[static_cast<std::size_t>(constant.value)];
  const ValueInfo& info = network.info(stored.front());
  const bool is_whole =
      whole.isTensor() && used.isTensor() && whole.toTensor().numel() == used.toTensor().numel();
  return is_whole && info.stored_as == StoredAs::kParameter ? info.parameter : std::string();
}

Steps steps_of(const Network& network, const std::vector<ValueStatistics>& statistics) {
  return StepReader(network, statistics).read();
}

}  // namespace tilestrike::dnn

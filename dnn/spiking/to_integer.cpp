// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Of a layer with v' = v + a (v_leak - v + r I), a = dt/tau, the integer membrane is V = S v:
//
//     V' = V - round(V d/4096) + sum of W + B     d = round(4096 a)
//     W = round(S a r w)                           B = round(S (a r b + a v_leak))
//
// so that v_leak is a bias, V starts at 0 as v does, and a soft reset subtracts what a float one
// does. Neurons without a leak have a r -> r (or r dt), v_leak and d zero. v > v_th is
// V >= floor(S v_th) + 1. docs/spiking.md, "Float to integer".
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/error.h"
#include "base/spiking_neuron.h"
#include "dnn/spiking/check_model.h"
#include "dnn/spiking/integer_model.h"
#include "dnn/spiking/taps.h"

namespace tilestrike::dnn {
namespace {

constexpr double kMostWeight = 127;
constexpr double kLittleLess = 1 - 1e-9;       // what is lowered to a bound lies below it
constexpr double kLeastStep = 1 - 1.0 / 1024;  // by which a scale is lowered, where sums decide
constexpr double kLittleErrorOfTau = 1e-6;     // is not told

/// A layer in reals, everything folded; lists have one number per neuron.
struct FoldedLayer {
  std::vector<SynapseStep> steps;  // sums for averages; without weights and bias
  std::vector<double> weights;     // of the step that has them: gains and divisors are in
  std::vector<double> bias;
  std::vector<double> threshold, reset;  // empty: it never fires
  std::vector<std::int32_t> leak;
};

std::string text(const char* format, double a, double b = 0) {
  char buffer[128];
  std::snprintf(buffer, sizeof buffer, format, a, b);
  return buffer;
}

class LayerConverter {
 public:
  LayerConverter(const SpikingModel& model, const SpikingLayer& layer,
                 const ConversionOptions& options)
      : model_(model), layer_(layer), options_(options) {
    is_last_ = &layer == &model.layers.back();
    is_first_ = &layer == &model.layers.front();
  }

  IntegerLayer convert();

 private:
  [[noreturn]] void refuse(const std::string& what, const std::string& cure) const {
    fail(ErrorCode::kUnsupported, "layer '" + layer_.neurons.name + "': " + what, model_.name,
         cure);
  }
  bool is_membrane_read() const {
    return is_last_ && model_.settings.readout == Readout::kMembrane;
  }
  bool fires() const { return !is_membrane_read() && layer_.neurons.kind != NeuronKind::kLi; }
  bool is_beside() const { return is_first_ && model_.settings.encode == Encoding::kConstant; }
  double most_membrane() const { return std::ldexp(1.0, options_.membrane_bits - 1) - 1; }
  double leak_at(std::size_t neuron) const;
  double gain_at(std::size_t neuron) const;
  double divisor() const;

  void fold_steps();
  void fold_weights();
  void fold_neurons();
  void note(const std::string& more) {
    integer_.note += (integer_.note.empty() ? "" : "; ") + more;
  }
  void note_taus();
  double highest_scale();
  void lower(double to, const std::string& reason);
  void quantise();
  double most_folded_weight() const;
  double most_current() const;
  void fit_scale();
  void set_neurons();

  const SpikingModel& model_;
  const SpikingLayer& layer_;
  const ConversionOptions& options_;
  bool is_last_ = false, is_first_ = false;
  FoldedLayer folded_;
  IntegerLayer integer_;
  std::string reason_;  // why the scale is lower than the weights allow
};

double LayerConverter::leak_at(std::size_t neuron) const {
  const FloatNeurons& neurons = layer_.neurons;
  return neurons.kind == NeuronKind::kIf
             ? 0.0
             : std::min(1.0, model_.settings.dt / static_cast<double>(neurons.tau[neuron]));
}

/// What a current of 1 adds to a float membrane in one time step.
double LayerConverter::gain_at(std::size_t neuron) const {
  const double r = layer_.neurons.r[neuron];
  if (layer_.neurons.kind != NeuronKind::kIf) {
    return r * leak_at(neuron);
  }
  return model_.settings.spike_as == SpikeAs::kCurrent ? r * model_.settings.dt : r;
}

/// What all averages before the weights divide by.
double LayerConverter::divisor() const {
  double all = 1;
  for (const SynapseStep& step : layer_.synapses) {
    if (step.kind == SynapseKind::kAveragePool2d) {
      all *= static_cast<double>(step.window[0] * step.window[1]);
    }
  }
  return all;
}

void LayerConverter::fold_steps() {
  for (SynapseStep step : layer_.synapses) {
    if (step.kind == SynapseKind::kAveragePool2d) {
      step.kind = SynapseKind::kSumPool2d;
    }
    step.weights.clear();
    step.bias.clear();
    folded_.steps.push_back(std::move(step));
  }
}

void LayerConverter::fold_weights() {
  const SynapseStep& product = product_of(layer_.synapses);
  std::vector<double> gains(static_cast<std::size_t>(product.weight_sizes[0]),
                            std::numeric_limits<double>::quiet_NaN());
  for (std::int64_t neuron = 0; neuron < layer_.neurons.size(); ++neuron) {
    const double gain = gain_at(static_cast<std::size_t>(neuron));
    double& shared = gains[static_cast<std::size_t>(output_of(product, neuron))];
    if (!std::isnan(shared) && shared != gain) {
      refuse("neurons that share the weights of '" + product.name +
                 "' have different r or tau, and so different gains: " +
                 text("%.6g and %.6g", shared, gain),
             "give all neurons of a channel one r and one tau");
    }
    shared = gain;
  }
  const std::size_t depth = product.weights.size() / gains.size();
  const double divide = divisor();
  for (std::size_t i = 0; i < product.weights.size(); ++i) {
    folded_.weights.push_back(product.weights[i] * gains[i / depth] / divide);
  }
}

void LayerConverter::fold_neurons() {
  const FloatNeurons& neurons = layer_.neurons;
  const SynapseStep& product = product_of(layer_.synapses);
  for (std::size_t i = 0; i < static_cast<std::size_t>(neurons.size()); ++i) {
    const double bias =
        product.bias.empty()
            ? 0.0
            : product
                  .bias[static_cast<std::size_t>(output_of(product, static_cast<std::int64_t>(i)))];
    const double leak = leak_at(i);
    const double pull = neurons.v_leak.empty() ? 0.0 : leak * neurons.v_leak[i];
    folded_.bias.push_back(gain_at(i) * bias + pull);
    folded_.leak.push_back(static_cast<std::int32_t>(std::nearbyint(kWholeLeak * leak)));
    if (fires()) {
      if (neurons.v_threshold[i] < 0) {
        refuse("the threshold of neuron " + std::to_string(i) + " is " +
                   text("%.6g, so that it fires without any input", neurons.v_threshold[i]),
               "a threshold must be 0 or more");
      }
      folded_.threshold.push_back(neurons.v_threshold[i]);
      const bool is_hard = model_.settings.reset == ResetKind::kHard;
      folded_.reset.push_back(is_hard ? neurons.v_reset[i] : 0.0);
    }
  }
}

void LayerConverter::note_taus() {
  double worst = 0;
  bool is_lost = false;
  for (std::size_t i = 0; i < folded_.leak.size(); ++i) {
    const double leak = kWholeLeak * leak_at(i);
    if (folded_.leak[i] == 0) {
      is_lost = is_lost || leak > 0;
    } else {
      const double error = leak / folded_.leak[i] - 1;  // of tau: it goes with 1 / leak
      worst = std::abs(error) > std::abs(worst) ? error : worst;
    }
  }
  if (is_lost) {
    note("some neurons do not leak: their dt/tau is below 1/8192");
  }
  if (std::abs(worst) > kLittleErrorOfTau) {
    note(text("leaks in steps of 1/4096 change tau by up to %+.2g %%", 100 * worst));
  }
}

/// The highest scale at which weights, thresholds, biases and resets fit; sets the reason where
/// it is not the weights.
double LayerConverter::highest_scale() {
  double most = 0;
  for (const double weight : folded_.weights) {
    most = std::max(most, std::abs(weight));
  }
  if (!(most > 0) || !std::isfinite(kMostWeight / most)) {
    refuse("all its weights are zero, or so small that they cannot be scaled",
           "train it, or take it out");
  }
  integer_.scale = kMostWeight / most;
  const auto bound = [&](const std::vector<double>& numbers, double limit, const char* what) {
    for (const double number : numbers) {
      lower(limit / std::abs(number) * kLittleLess, what);
    }
  };
  bound(folded_.bias, kMostCurrent, "a bias fits");
  bound(folded_.threshold, most_membrane(), "a threshold fits");
  bound(folded_.reset, most_membrane(), "a reset fits");
  return kMostWeight / most;
}

void LayerConverter::lower(double to, const std::string& reason) {
  if (to < integer_.scale) {
    integer_.scale = to;
    reason_ = reason;
  }
}

void LayerConverter::quantise() {
  integer_.weights.clear();
  for (const double weight : folded_.weights) {
    integer_.weights.push_back(static_cast<std::int8_t>(std::nearbyint(integer_.scale * weight)));
  }
  if (std::ranges::all_of(integer_.weights, [](std::int8_t w) { return w == 0; })) {
    refuse("at a scale at which " + reason_ + ", all its weights are zero",
           "make thresholds, biases and resets smaller beside the weights, or ticks fewer");
  }
}

double LayerConverter::most_folded_weight() const {
  double most = 0;
  for (std::int64_t neuron = 0; neuron < layer_.neurons.size(); ++neuron) {
    for (const Synapse& synapse : synapses_of(integer_, neuron)) {
      most = std::max(most, std::abs(static_cast<double>(synapse.weight)));
    }
  }
  return most;
}

/// What can come to a neuron in one time step: the sum of its weights, and its bias.
double LayerConverter::most_current() const {
  double most = 0;
  for (std::int64_t neuron = 0; neuron < layer_.neurons.size(); ++neuron) {
    const double bias =
        std::abs(std::nearbyint(integer_.scale * folded_.bias[static_cast<std::size_t>(neuron)]));
    double sum = 0;
    visit_taps(folded_.steps, neuron, [&](std::int64_t, std::int64_t weight) {
      const auto i = static_cast<std::size_t>(weight);
      sum += is_beside() ? integer_.scale * std::abs(folded_.weights[i])
                         : std::abs(static_cast<double>(integer_.weights[i]));
    });
    most = std::max(most, std::ceil(sum) + bias);
  }
  return most;
}

void LayerConverter::fit_scale() {
  const double highest = highest_scale();
  quantise();
  const auto fit = [&](auto most, double limit, const std::string& reason) {
    for (double now = most(); now > limit; now = most()) {
      lower(integer_.scale * std::min(limit / now, kLeastStep), reason);
      quantise();
    }
  };
  if (!is_beside() && has_overlap(integer_.synapses)) {
    fit([&] { return most_folded_weight(); }, kMostWeight,
        "weights of overlapping sums fit 8 bits");
  }
  if (is_membrane_read()) {
    fit([&] { return most_current() * static_cast<double>(model_.settings.ticks); },
        most_membrane(), "ticks (sum of weights + bias) fits the membrane");
  } else if (is_beside()) {
    fit([&] { return most_current(); }, kMostCurrent, "currents fit 24 bits");
  }
  if (integer_.scale < highest) {
    note(text("scale lowered from %.6g to %.6g, so that ", highest, integer_.scale) + reason_);
  }
}

void LayerConverter::set_neurons() {
  const double scale = integer_.scale;
  for (std::size_t i = 0; i < folded_.bias.size(); ++i) {
    NeuronParameters neuron;
    neuron.bias = static_cast<std::int32_t>(std::nearbyint(scale * folded_.bias[i]));
    neuron.leak = folded_.leak[i];
    neuron.is_enabled = fires();
    neuron.threshold = static_cast<std::int32_t>(most_membrane());
    if (fires()) {
      neuron.threshold = static_cast<std::int32_t>(std::floor(scale * folded_.threshold[i])) + 1;
      neuron.reset = static_cast<std::int32_t>(std::nearbyint(scale * folded_.reset[i]));
      neuron.is_soft_reset = model_.settings.reset == ResetKind::kSoft;
    }
    integer_.neurons.push_back(neuron);
  }
}

IntegerLayer LayerConverter::convert() {
  integer_.name = layer_.neurons.name;
  integer_.sizes = layer_.neurons.sizes;
  integer_.format = {options_.membrane_bits, options_.overflow};
  integer_.is_beside_cores = is_beside();
  fold_steps();
  fold_weights();
  fold_neurons();
  if (!is_beside()) {
    integer_.synapses = folded_.steps;
  }
  fit_scale();
  set_neurons();
  note_taus();
  if (is_membrane_read() && layer_.neurons.kind == NeuronKind::kIf &&
      !never_fires(layer_.neurons)) {
    note("its threshold is not used: the membrane is read");
  }
  if (is_beside()) {
    integer_.weights.clear();
    integer_.float_synapses = folded_.steps;
    const auto product = std::ranges::find_if(integer_.float_synapses, &SynapseStep::has_weights);
    product->weights.assign(folded_.weights.begin(), folded_.weights.end());
    note("computed beside the cores: its currents are constant numbers");
  }
  return std::move(integer_);
}

}  // namespace

IntegerModel to_integer(const SpikingModel& model, const ConversionOptions& options) {
  if (options.membrane_bits < 2 || options.membrane_bits > kCurrentBits) {
    fail(ErrorCode::kInvalidInput,
         "membranes of " + std::to_string(options.membrane_bits) + " bits", model.name,
         "2 to 24 bits are supported");
  }
  check_spiking_model(model, model.name);
  IntegerModel integer;
  integer.name = model.name;
  integer.input_sizes = model.input_sizes;
  integer.output_sizes = model.output_sizes;
  integer.settings = model.settings;
  for (const SpikingLayer& layer : model.layers) {
    integer.layers.push_back(LayerConverter(model, layer, options).convert());
  }
  const double ticks = static_cast<double>(model.settings.ticks);
  integer.output_factor = model.settings.readout == Readout::kMembrane
                              ? 1 / (integer.layers.back().scale * ticks)
                              : 1 / ticks;
  return integer;
}

}  // namespace tilestrike::dnn

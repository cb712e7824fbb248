// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/spiking/check_model.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/error.h"

namespace tilestrike::dnn {
namespace {

/// Rounding tau to a float must not make a time step of the same length too long.
constexpr double kRoundingOfTau = 1e-6;
/// Of one layer, those that pooling folds in counted, too: they are visited one by one.
constexpr double kMostSynapses = 1e10;

std::string number_text(double number) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", number);
  return buffer;
}

class ModelChecker {
 public:
  ModelChecker(const SpikingModel& model, std::string where)
      : model_(model), where_(std::move(where)) {}

  void check() {
    if (model_.layers.empty()) {
      unsupported("the network has no layer of neurons, and no weights",
                  "it needs at least a Linear, Affine or Conv2d");
    }
    if (model_.settings.ticks < 1 || !(model_.settings.dt > 0) ||
        !std::isfinite(model_.settings.dt)) {
      wrong("ticks and dt must be above 0", "set them in the side file");
    }
    for (const SpikingLayer& layer : model_.layers) {
      check_steps(layer);
      check_synapses(layer);
      check_neurons(layer.neurons, &layer == &model_.layers.back());
    }
    if (!model_.layers.empty()) {
      check_readout(model_.layers.back().neurons);
    }
    errors_.throw_if_any();
  }

 private:
  void wrong(const std::string& what, const std::string& cure) {
    errors_.add(ErrorCode::kInvalidInput, what, where_, cure);
  }
  void unsupported(const std::string& what, const std::string& cure) {
    errors_.add(ErrorCode::kUnsupported, what, where_, cure);
  }
  void check_steps(const SpikingLayer& layer);
  void check_synapses(const SpikingLayer& layer);
  void check_neurons(const FloatNeurons& neurons, bool is_last);
  void check_readout(const FloatNeurons& last);
  /// Whether all are; says which is not.
  bool are_finite(const std::vector<float>& numbers, const std::string& node,
                  const std::string& key);
  void check_tau(const FloatNeurons& neurons);

  const SpikingModel& model_;
  std::string where_;
  ErrorList errors_;
};

bool ModelChecker::are_finite(const std::vector<float>& numbers, const std::string& node,
                              const std::string& key) {
  const auto odd = std::ranges::find_if(numbers, [](float x) { return !std::isfinite(x); });
  if (odd == numbers.end()) {
    return true;
  }
  wrong("node '" + node + "': " + key + " has " + (std::isnan(*odd) ? "a NaN" : "an infinity") +
            " at place " + std::to_string(odd - numbers.begin()),
        "all numbers must be finite, as float32 too");
  return false;
}

void ModelChecker::check_steps(const SpikingLayer& layer) {
  const SynapseStep* product = nullptr;
  const SynapseStep* pooling = nullptr;
  for (const SynapseStep& step : layer.synapses) {
    if (step.has_weights()) {
      are_finite(step.weights, step.name, "weight");
      are_finite(step.bias, step.name, "bias");
      if (product != nullptr) {
        unsupported("nodes '" + product->name + "' and '" + step.name +
                        "' are two products in a row, without neurons between them",
                    "multiply them into one, or put neurons between them");
      }
      product = &step;
    } else if (step.kind != SynapseKind::kFlatten) {
      pooling = &step;
      if (product != nullptr) {
        unsupported(
            "node '" + step.name + "' pools what '" + product->name + "' gives, before any neurons",
            "pool spikes: put the neurons before it");
      }
    }
  }
  if (product == nullptr && pooling != nullptr) {
    unsupported("node '" + pooling->name +
                    "' pools, and nothing linear follows before the neurons '" +
                    layer.neurons.name + "'",
                "put a Linear, Affine or Conv2d behind it, into which it is folded");
  } else if (product == nullptr) {
    unsupported("the neurons '" + layer.neurons.name + "' have no weights before them",
                "put a Linear, Affine or Conv2d before them");
  }
}

void ModelChecker::check_synapses(const SpikingLayer& layer) {
  double synapses = static_cast<double>(layer.neurons.size());
  for (const SynapseStep& step : layer.synapses) {
    if (step.has_weights()) {
      synapses *= static_cast<double>(step.weights.size()) /
                  static_cast<double>(std::max<std::int64_t>(step.weight_sizes[0], 1));
    } else {
      synapses *= static_cast<double>(step.window[0]) * static_cast<double>(step.window[1]);
    }
  }
  if (synapses > kMostSynapses) {
    unsupported("layer '" + layer.neurons.name + "' has " + number_text(synapses) + " synapses",
                "at most " + number_text(kMostSynapses) + " are supported");
  }
}

void ModelChecker::check_tau(const FloatNeurons& neurons) {
  const double dt = model_.settings.dt;
  for (std::size_t i = 0; i < neurons.tau.size(); ++i) {
    const std::string which = "node '" + neurons.name + "': tau of neuron " + std::to_string(i) +
                              " is " + number_text(neurons.tau[i]);
    if (!(neurons.tau[i] > 0)) {
      wrong(which, "it must be above 0");
      return;
    }
    if (dt > neurons.tau[i] * (1 + kRoundingOfTau)) {
      wrong(which + " s, and a time step is longer: dt is " + number_text(dt) + " s",
            "set a dt of at most tau in the side file");
      return;
    }
  }
}

void ModelChecker::check_neurons(const FloatNeurons& neurons, bool is_last) {
  const auto count = static_cast<std::size_t>(neurons.size());
  const bool is_if = neurons.kind == NeuronKind::kIf, is_li = neurons.kind == NeuronKind::kLi;
  TS_CHECK(neurons.r.size() == count && neurons.tau.size() == (is_if ? 0 : count) &&
               neurons.v_leak.size() == neurons.tau.size() &&
               neurons.v_threshold.size() == (is_li ? 0 : count) &&
               neurons.v_reset.size() == neurons.v_threshold.size(),
           "one number per neuron");
  are_finite(neurons.r, neurons.name, "r");
  are_finite(neurons.v_leak, neurons.name, "v_leak");
  are_finite(neurons.v_reset, neurons.name, "v_reset");
  if (!(is_last && never_fires(neurons))) {
    are_finite(neurons.v_threshold, neurons.name, "v_threshold");
  }
  if (are_finite(neurons.tau, neurons.name, "tau")) {
    check_tau(neurons);
  }
  if (neurons.kind == NeuronKind::kLi && !is_last) {
    unsupported("node '" + neurons.name + "' (LI) never fires, so that it hands on its membrane",
                "only spikes are handed on: use a LIF there; an LI may be the last");
  }
}

void ModelChecker::check_readout(const FloatNeurons& last) {
  if (model_.settings.readout == Readout::kMembrane) {
    if (last.kind == NeuronKind::kLif) {
      unsupported("readout: membrane, but the last neurons, '" + last.name + "' (LIF), fire",
                  "say readout: count or first_spike, or end the network with an LI, an IF "
                  "(whose threshold is then not used), or with weights alone");
    }
    return;
  }
  if (last.kind == NeuronKind::kLi || never_fires(last)) {
    unsupported("the readout takes spikes, but the last neurons, '" + last.name + "', never fire",
                "say readout: membrane, or end the network with a LIF or IF");
  }
}

}  // namespace

void check_spiking_model(const SpikingModel& model, const std::string& where) {
  ModelChecker(model, where).check();
}

bool never_fires(const FloatNeurons& neurons) {
  return neurons.kind == NeuronKind::kIf && !neurons.v_threshold.empty() &&
         std::ranges::all_of(neurons.v_threshold, [](float v) { return std::isinf(v) && v > 0; });
}

std::string sizes_text(const Sizes& sizes) {
  std::string text;
  for (const std::int64_t size : sizes) {
    text += (text.empty() ? "" : ", ") + std::to_string(size);
  }
  return "(" + text + ")";
}

}  // namespace tilestrike::dnn

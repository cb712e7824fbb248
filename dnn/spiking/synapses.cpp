// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.h"
#include "dnn/spiking/integer_model.h"
#include "dnn/spiking/taps.h"

namespace tilestrike::dnn {
namespace {

/// Goes from an element that step `last` gives back to the layer's input.
class TapVisitor {
 public:
  TapVisitor(const std::vector<SynapseStep>& steps, const VisitTap& visit)
      : steps_(steps), visit_(visit) {}

  /// `behind`: how many of the steps lie before the element.
  void back(std::size_t behind, std::int64_t element, std::int64_t weight) const {
    if (behind == 0) {
      visit_(element, weight);
      return;
    }
    const SynapseStep& step = steps_[behind - 1];
    if (step.kind == SynapseKind::kFlatten) {
      back(behind - 1, element, weight);
      return;
    }
    TS_CHECK(step.kind == SynapseKind::kSumPool2d, "sums and flatten stand before the weights");
    const std::int64_t channel = element / (step.output_sizes[1] * step.output_sizes[2]);
    window(step, element, [&](std::int64_t place, std::int64_t) {
      back(behind - 1, channel * step.input_sizes[1] * step.input_sizes[2] + place, weight);
    });
  }

  void linear(std::size_t at, std::int64_t neuron) const {
    const SynapseStep& step = steps_[at];
    const std::int64_t outputs = step.weight_sizes[0], inputs = step.weight_sizes[1];
    const std::int64_t first = neuron / outputs * inputs, row = neuron % outputs * inputs;
    for (std::int64_t i = 0; i < inputs; ++i) {
      back(at, first + i, row + i);
    }
  }

  void conv2d(std::size_t at, std::int64_t neuron) const {
    const SynapseStep& step = steps_[at];
    const std::int64_t output = output_of(step, neuron);
    const std::int64_t depth = step.weight_sizes[1], taps = step.window[0] * step.window[1];
    const std::int64_t first = output / (step.weight_sizes[0] / step.groups) * depth;
    const std::int64_t area = step.input_sizes[1] * step.input_sizes[2];
    for (std::int64_t channel = 0; channel < depth; ++channel) {
      window(step, neuron, [&](std::int64_t place, std::int64_t tap) {
        back(at, (first + channel) * area + place, (output * depth + channel) * taps + tap);
      });
    }
  }

 private:
  /// Places in a channel of the input that the window of one output covers, and their taps.
  template <class Visit>
  static void window(const SynapseStep& step, std::int64_t element, const Visit& visit) {
    const std::int64_t row = element / step.output_sizes[2] % step.output_sizes[1];
    const std::int64_t column = element % step.output_sizes[2];
    for (std::int64_t i = 0; i < step.window[0]; ++i) {
      const std::int64_t y = row * step.stride[0] + i * step.dilation[0] - step.padding_before[0];
      for (std::int64_t j = 0; j < step.window[1]; ++j) {
        const std::int64_t x =
            column * step.stride[1] + j * step.dilation[1] - step.padding_before[1];
        if (y >= 0 && y < step.input_sizes[1] && x >= 0 && x < step.input_sizes[2]) {
          visit(y * step.input_sizes[2] + x, i * step.window[1] + j);
        }
      }
    }
  }

  const std::vector<SynapseStep>& steps_;
  const VisitTap& visit_;
};

std::size_t place_of_product(const std::vector<SynapseStep>& steps) {
  const auto found = std::ranges::find_if(steps, &SynapseStep::has_weights);
  TS_CHECK(found != steps.end(), "a step with weights");
  return static_cast<std::size_t>(found - steps.begin());
}

}  // namespace

const SynapseStep& product_of(const std::vector<SynapseStep>& steps) {
  return steps[place_of_product(steps)];
}

std::int64_t output_of(const SynapseStep& product, std::int64_t neuron) {
  return product.kind == SynapseKind::kLinear
             ? neuron % product.weight_sizes[0]
             : neuron / (product.output_sizes[1] * product.output_sizes[2]);
}

bool has_overlap(const std::vector<SynapseStep>& steps) {
  return std::ranges::any_of(steps, [](const SynapseStep& step) {
    return step.kind == SynapseKind::kSumPool2d &&
           (step.window[0] > step.stride[0] || step.window[1] > step.stride[1]);
  });
}

void visit_taps(const std::vector<SynapseStep>& steps, std::int64_t neuron, const VisitTap& visit) {
  const std::size_t at = place_of_product(steps);
  const TapVisitor visitor(steps, visit);
  if (steps[at].kind == SynapseKind::kLinear) {
    visitor.linear(at, neuron);
  } else {
    visitor.conv2d(at, neuron);
  }
}

std::vector<Synapse> synapses_of(const IntegerLayer& layer, std::int64_t neuron) {
  TS_CHECK(!layer.is_beside_cores, "a layer that is on the cores");
  std::vector<Synapse> all;
  visit_taps(layer.synapses, neuron, [&](std::int64_t input, std::int64_t weight) {
    all.push_back({input, layer.weights[static_cast<std::size_t>(weight)]});
  });
  std::ranges::sort(all, {}, &Synapse::input);
  std::vector<Synapse> merged;
  for (const Synapse& one : all) {
    if (!merged.empty() && merged.back().input == one.input) {
      merged.back().weight += one.weight;
    } else {
      merged.push_back(one);
    }
  }
  std::erase_if(merged, [](const Synapse& one) { return one.weight == 0; });
  return merged;
}

}  // namespace tilestrike::dnn

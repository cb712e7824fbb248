// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/executor.h"

#include <ATen/ops/cat.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "base/error.h"
#include "dnn/fixed_batch.h"
#include "dnn/integer/integer_layers.h"

namespace tilestrike::dnn {
namespace {

bool is_given(ValueId id) { return id.value >= 0; }

}  // namespace

bool is_view_of_input(const Layer& layer, const Values& values, const at::Tensor& output) {
  return std::ranges::any_of(layer.inputs, [&](ValueId input) {
    const c10::IValue& read = values[input.value];
    return read.isTensor() && read.toTensor().is_alias_of(output);
  });
}

Executor::Executor(const Network& network)
    : network_(network), last_use_(network.last_use()), released_after_(network.layers.size()) {
  for (std::size_t layer = 0; layer < network.layers.size(); ++layer) {
    for (const ValueId id : network.layers[layer].inputs) {
      if (last_use_[id.value] == static_cast<std::int32_t>(layer)) {
        released_after_[layer].push_back(id);
      }
    }
    for (const ValueId id : network.layers[layer].outputs) {
      if (is_given(id) && last_use_[id.value] < 0) {
        released_after_[layer].push_back(id);
      }
    }
  }
}

Values Executor::start(const Inputs& images) const {
  TS_CHECK(images.tensors().size() == network_.inputs.size(), "a tensor for each input");
  Values values = network_.constants;
  const Inputs here = images.to(network_.device);
  for (std::size_t i = 0; i < network_.inputs.size(); ++i) {
    values[network_.inputs[i].value] = here.tensors()[i];
  }
  return values;
}

at::Tensor Executor::finish(Values values, std::size_t first, const Hook& hook) const {
  for (std::size_t layer = first; layer < network_.layers.size(); ++layer) {
    network_.layers[layer].kernel->run(network_.layers[layer], values);
    if (hook) {
      hook(layer, values);
    }
    for (const ValueId id : released_after_[layer]) {
      values[id.value] = c10::IValue();
    }
  }
  return values[network_.output.value].toTensor();
}

at::Tensor Executor::run(const Inputs& images, const Hook& hook) const {
  const c10::InferenceMode no_gradients;
  const std::int64_t group = fixed_batch(network_), rows = images.rows();
  if (group == 0 || group == rows) {
    return finish(start(images), 0, hook);
  }
  std::vector<at::Tensor> answers;
  for (std::int64_t first = 0; first < rows; first += group) {
    const std::int64_t count = std::min(group, rows - first);
    const Inputs part = filled_up(images.narrow(first, count), group);
    answers.push_back(finish(start(part), 0, hook).narrow(0, 0, count));
  }
  return at::cat(answers);
}

at::Tensor Executor::resume(const Tape& golden, std::size_t first, const Hook& hook) const {
  const c10::InferenceMode no_gradients;
  Values values = network_.constants;
  for (std::size_t id = 0; id < values.size(); ++id) {
    if (values[id].isNone() && last_use_[id] >= static_cast<std::int32_t>(first)) {
      values[id] = golden.values[id];
    }
  }
  return finish(std::move(values), first, hook);
}

Tape Executor::record(const Inputs& images) const {
  const c10::InferenceMode no_gradients;
  const std::int64_t group = fixed_batch(network_);
  TS_CHECK(group == 0 || images.rows() <= group, "a tape is of one inference");
  Tape tape(start(filled_up(images, group)), network_.layers.size());
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const Layer& layer = network_.layers[i];
    if (const MatrixKernel* kernel = matrix_kernel(layer)) {
      tape.accumulators[i] = kernel->accumulators_of(layer, tape.values);
      tape.values[layer.outputs.front().value] = kernel->requantise(tape.accumulators[i]);
    } else {
      layer.kernel->run(layer, tape.values);
    }
  }
  return tape;
}

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/executor.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/ne.h>
#include <ATen/ops/view_as_real.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "dnn/fixed_batch.h"
#include "dnn/integer/integer_layers.h"

namespace tilestrike::dnn {
namespace {

template <class Word>
std::int64_t count_words(const void* a, const void* b, std::int64_t count) {
  const auto* x = static_cast<const unsigned char*>(a);
  const auto* y = static_cast<const unsigned char*>(b);
  std::int64_t different = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    Word u, v;
    std::memcpy(&u, x + i * sizeof(Word), sizeof(Word));
    std::memcpy(&v, y + i * sizeof(Word), sizeof(Word));
    different += u != v ? 1 : 0;
  }
  return different;
}

/// The integer type that shows an element's bits.
c10::ScalarType bits_of(std::size_t bytes) {
  switch (bytes) {
    case 1:
      return c10::kByte;
    case 2:
      return c10::kShort;
    case 4:
      return c10::kInt;
    default:
      TS_CHECK(bytes == 8, "an element has 1, 2, 4 or 8 bytes");
      return c10::kLong;
  }
}

std::int64_t count_on_cpu(const at::Tensor& a, const at::Tensor& b) {
  const void* x = a.const_data_ptr();
  const void* y = b.const_data_ptr();
  const std::int64_t count = a.numel();
  if (std::memcmp(x, y, a.nbytes()) == 0) {
    return 0;
  }
  switch (bits_of(a.element_size())) {
    case c10::kByte:
      return count_words<std::uint8_t>(x, y, count);
    case c10::kShort:
      return count_words<std::uint16_t>(x, y, count);
    case c10::kInt:
      return count_words<std::uint32_t>(x, y, count);
    default:
      return count_words<std::uint64_t>(x, y, count);
  }
}

/// `tensor` with the strides of `like`: a kernel may choose its algorithm, and with it the last
/// bits, by the layout of its input.
at::Tensor laid_out_as(const at::Tensor& tensor, const at::Tensor& like) {
  if (tensor.device() == like.device() && tensor.strides() == like.strides()) {
    return tensor;
  }
  at::Tensor copy = at::empty_strided(like.sizes(), like.strides(), like.options());
  copy.copy_(tensor);
  return copy;
}

bool is_given(ValueId id) { return id.value >= 0; }

}  // namespace

std::int64_t count_different(const at::Tensor& a, const at::Tensor& b) {
  if (a.is_same(b)) {
    return 0;
  }
  if (a.scalar_type() != b.scalar_type() || a.sizes() != b.sizes()) {
    return std::max(a.numel(), b.numel());
  }
  if (a.numel() == 0) {
    return 0;
  }
  const c10::InferenceMode no_gradients;
  if (a.is_complex()) {  // their parts: of 16 bytes there is no word
    return count_different(at::view_as_real(a.resolve_conj()), at::view_as_real(b.resolve_conj()));
  }
  if (a.is_neg() || b.is_neg()) {
    return count_different(a.resolve_neg(), b.resolve_neg());
  }
  const at::Tensor there = b.to(a.device());
  if (!a.is_cpu()) {
    const auto bits = bits_of(a.element_size());
    return at::ne(a.contiguous().view(bits), there.contiguous().view(bits))
        .sum()
        .item<std::int64_t>();
  }
  const bool same_layout = a.strides() == there.strides() && a.is_non_overlapping_and_dense();
  return same_layout ? count_on_cpu(a, there) : count_on_cpu(a.contiguous(), there.contiguous());
}

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
  Tape tape{start(filled_up(images, group)), std::vector<at::Tensor>(network_.layers.size())};
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

Divergence::Divergence(const Network& network, const Tape& golden)
    : network_(network),
      golden_(golden),
      last_use_(network.last_use()),
      changed_(network.values.size()) {
  TS_CHECK(golden.values.size() == network.values.size(), "the tape is of this network");
}

const c10::IValue& Divergence::value(ValueId id) const {
  const c10::IValue& changed = changed_[id.value];
  return changed.isNone() ? golden_.values[id.value] : changed;
}

bool Divergence::is_changed(ValueId id) const { return !changed_[id.value].isNone(); }

std::int64_t Divergence::set(ValueId id, const at::Tensor& tensor) {
  const at::Tensor& golden = golden_.values[id.value].toTensor();
  TS_CHECK(tensor.sizes() == golden.sizes() && tensor.scalar_type() == golden.scalar_type(),
           "a value keeps its shape and type: " + network_.info(id).name);
  const std::int64_t different = count_different(golden, tensor);
  if (different == 0) {
    changed_[id.value] = c10::IValue();
    std::erase(changed_ids_, id);
    return 0;
  }
  if (!is_changed(id)) {
    changed_ids_.push_back(id);
  }
  const c10::InferenceMode no_gradients;
  changed_[id.value] = laid_out_as(tensor, golden);
  return different;
}

bool Divergence::reads_changed(std::size_t layer) const {
  return std::ranges::any_of(network_.layers[layer].inputs,
                             [this](ValueId id) { return is_changed(id); });
}

void Divergence::run(std::size_t index) {
  const Layer& layer = network_.layers[index];
  if (!reads_changed(index)) {
    for (const ValueId id : layer.outputs) {
      if (is_given(id) && is_changed(id)) {
        changed_[id.value] = c10::IValue();
        std::erase(changed_ids_, id);
      }
    }
    return;
  }
  run_reading(index, {});
}

std::int64_t Divergence::run_reading(std::size_t index,
                                     std::span<const std::pair<ValueId, at::Tensor>> replaced) {
  const Layer& layer = network_.layers[index];
  const c10::InferenceMode no_gradients;
  Values values(network_.values.size());
  for (const ValueId id : layer.inputs) {
    values[id.value] = value(id);
  }
  for (const auto& [id, tensor] : replaced) {
    values[id.value] = laid_out_as(tensor, value(id).toTensor());
  }
  layer.kernel->run(layer, values);
  std::int64_t different = 0;
  for (const ValueId id : layer.outputs) {
    if (is_given(id) && values[id.value].isTensor()) {  // a symbolic size depends on no element
      different += set(id, values[id.value].toTensor());
    }
  }
  return different;
}

bool Divergence::is_alive_after(std::size_t layer) const {
  return std::ranges::any_of(changed_ids_, [&](ValueId id) {
    return last_use_[id.value] > static_cast<std::int32_t>(layer);
  });
}

}  // namespace tilestrike::dnn

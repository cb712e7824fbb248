// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/differential/divergence.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty_strided.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "dnn/count_different.h"
#include "dnn/fixed_batch.h"

namespace tilestrike::dnn {
namespace {

/// `tensor` with the strides of `like`: a kernel may choose its algorithm, and with it the last
/// bits, by the layout of its input. Where elements of `like` share memory, those of a run may
/// differ: it stays as it is then.
at::Tensor laid_out_as(const at::Tensor& tensor, const at::Tensor& like) {
  if (tensor.device() == like.device() &&
      (tensor.strides() == like.strides() || shares_elements(like))) {
    return tensor;
  }
  at::Tensor copy = at::empty_strided(like.sizes(), like.strides(), like.options());
  copy.copy_(tensor);
  return copy;
}

template <class Word>
void write(const Changes& changes, Word* elements) {
  for (const Change& change : changes) {
    elements[change.index] = static_cast<Word>(change.now);
  }
}

void write(const Changes& changes, const at::Tensor& elements) {
  if (elements.element_size() == 4) {
    write(changes, static_cast<std::int32_t*>(elements.mutable_data_ptr()));
  } else {
    write(changes, elements.mutable_data_ptr<std::int8_t>());
  }
}

template <class Word>
void list_differences(const Word* golden, const Word* now, std::int64_t count, Changes& found) {
  constexpr std::int64_t kTogether = 64 / sizeof(Word);
  const auto are_equal = [&](std::int64_t i) {
    std::array<std::uint64_t, 8> a{}, b{};
    std::memcpy(a.data(), golden + i, 64);
    std::memcpy(b.data(), now + i, 64);
    std::uint64_t bits = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
      bits |= a[k] ^ b[k];
    }
    return bits == 0;
  };
  const auto look = [&](std::int64_t i) {
    if (golden[i] != now[i]) {
      found.push_back({static_cast<std::uint32_t>(i), now[i]});
    }
  };
  std::int64_t i = 0;
  for (; i + kTogether <= count; i += kTogether) {
    if (!are_equal(i)) {
      for (std::int64_t k = i; k < i + kTogether; ++k) {
        look(k);
      }
    }
  }
  for (; i < count; ++i) {
    look(i);
  }
}

/// All elements that differ; both are row-major.
Changes list_differences(const at::Tensor& golden, const at::Tensor& now, std::int64_t different) {
  Changes found;
  found.reserve(static_cast<std::size_t>(different));
  const auto of_words = [&]<class Word>(Word) {
    list_differences(static_cast<const Word*>(golden.const_data_ptr()),
                     static_cast<const Word*>(now.const_data_ptr()), golden.numel(), found);
  };
  golden.element_size() == 4 ? of_words(std::int32_t{}) : of_words(std::int8_t{});
  return found;
}

}  // namespace

Divergence::Divergence(const Network& network, const Tape& golden, Differential* differential)
    : network_(network),
      golden_(golden),
      differential_(differential),
      last_use_(network.last_use()),
      changed_(network.values.size()) {
  TS_CHECK(golden.values.size() == network.values.size(), "the tape is of this network");
}

const c10::IValue& Divergence::value(ValueId id) const {
  const Changed& changed = changed_[static_cast<std::size_t>(id.value)];
  const c10::IValue& golden = golden_.values[static_cast<std::size_t>(id.value)];
  if (!changed.is) {
    return golden;
  }
  if (changed.tensor.isNone()) {
    const c10::InferenceMode no_gradients;
    const at::Tensor elements = golden_.row_major(id).clone();
    write(changed.list, elements);
    changed.tensor = laid_out_as(elements, golden.toTensor());
  }
  return changed.tensor;
}

void Divergence::set_golden(ValueId id) {
  Changed& changed = changed_[static_cast<std::size_t>(id.value)];
  if (changed.is) {
    changed = Changed();
    std::erase(changed_ids_, id);
  }
}

void Divergence::set_changed(ValueId id, Changed changed) {
  if (!is_changed(id)) {
    changed_ids_.push_back(id);
  }
  changed.is = true;
  changed_[static_cast<std::size_t>(id.value)] = std::move(changed);
}

void Divergence::set_list(ValueId id, Changes list) {
  if (list.empty()) {
    return set_golden(id);
  }
  Changed changed;
  changed.is_list = true;
  changed.list = std::move(list);
  set_changed(id, std::move(changed));
}

std::int64_t Divergence::set(ValueId id, const at::Tensor& tensor) {
  const at::Tensor& golden = golden_.values[static_cast<std::size_t>(id.value)].toTensor();
  TS_CHECK(tensor.sizes() == golden.sizes() && tensor.scalar_type() == golden.scalar_type(),
           "a value keeps its shape and type: " + network_.info(id).name);
  const c10::InferenceMode no_gradients;
  const std::int64_t different = count_different(golden, tensor);
  if (different == 0) {
    set_golden(id);
    return 0;
  }
  Changed changed;
  if (differential_ != nullptr && Elements::suit(golden) && tensor.is_cpu() &&
      static_cast<double>(different) <=
          differential_->limits().listed * static_cast<double>(tensor.numel())) {
    changed.is_list = true;
    changed.list = list_differences(golden_.row_major(id), tensor.contiguous(), different);
  }
  changed.tensor = laid_out_as(tensor, golden);
  set_changed(id, std::move(changed));
  return different;
}

std::int32_t Divergence::element(ValueId id, std::uint32_t index) const {
  const Changed& changed = changed_[static_cast<std::size_t>(id.value)];
  if (changed.is && !changed.is_list) {
    return Elements(changed.tensor.toTensor().contiguous()).at(index);
  }
  const auto found = std::ranges::find(changed.list, index, &Change::index);
  return found == changed.list.end() ? Elements(golden_.row_major(id)).at(index) : found->now;
}

void Divergence::put(ValueId id, std::span<const Change> elements) {
  const Changed& changed = changed_[static_cast<std::size_t>(id.value)];
  const c10::InferenceMode no_gradients;
  if (changed.is && !changed.is_list) {
    const at::Tensor now = changed.tensor.toTensor().clone(at::MemoryFormat::Contiguous);
    write({elements.begin(), elements.end()}, now);
    set(id, now);
    return;
  }
  Changes list = changed.list;
  const Elements golden(golden_.row_major(id));
  for (const Change& change : elements) {
    std::erase_if(list, [&](const Change& other) { return other.index == change.index; });
    if (change.now != golden.at(change.index)) {
      list.push_back(change);
    }
  }
  set_list(id, std::move(list));
}

bool Divergence::reads_changed(std::size_t layer) const {
  return std::ranges::any_of(network_.layers[layer].inputs,
                             [this](ValueId id) { return is_changed(id); });
}

void Divergence::run(std::size_t index) {
  if (!reads_changed(index)) {
    for (const ValueId id : network_.layers[index].outputs) {
      if (id.value >= 0) {
        set_golden(id);
      }
    }
    return;
  }
  if (!splice(index, {})) {
    run_reading(index, {});
  }
}

std::optional<Divergence::Spliced> Divergence::splice(std::size_t index,
                                                      std::span<const AccumulatorDelta> deltas) {
  return run_lists(index, deltas, {});
}

std::optional<Divergence::Spliced> Divergence::splice_channels(
    std::size_t index, std::span<const std::int64_t> channels) {
  return run_lists(index, {}, channels);
}

std::optional<Divergence::Spliced> Divergence::run_lists(std::size_t index,
                                                         std::span<const AccumulatorDelta> deltas,
                                                         std::span<const std::int64_t> channels) {
  const ListKernel* kernel = differential_ == nullptr ? nullptr : differential_->of(index, golden_);
  if (kernel == nullptr) {
    return std::nullopt;
  }
  const Layer& layer = network_.layers[index];
  std::vector<const Changes*> inputs;
  inputs.reserve(layer.inputs.size());
  for (const ValueId id : layer.inputs) {
    const Changed& changed = changed_[static_cast<std::size_t>(id.value)];
    if (changed.is && !changed.is_list) {
      return std::nullopt;
    }
    inputs.push_back(changed.is ? &changed.list : nullptr);
  }
  std::vector<Changes> outputs(layer.outputs.size());
  ListRun run{.layer = layer,
              .layer_index = index,
              .golden = golden_,
              .inputs = inputs,
              .struck = deltas,
              .channels = channels,
              .outputs = outputs,
              .scratch = differential_->scratch()};
  const double share = kernel->cost(run);
  const std::optional<double> limit = differential_->limits().cost;
  MeasuredCost& measured = differential_->measured(index);
  if (limit ? share > *limit : !measured.prefers_lists(share)) {
    return std::nullopt;
  }
  const c10::InferenceMode no_gradients;
  const Stopwatch watch;
  kernel->run(run);
  Spliced spliced{run.changed_accumulators, 0};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    spliced.outputs += static_cast<std::int64_t>(outputs[i].size());
    if (layer.outputs[i].value >= 0) {
      set_list(layer.outputs[i], std::move(outputs[i]));
    }
  }
  measured.took_lists(share, watch.seconds());
  return spliced;
}

std::int64_t Divergence::run_reading(std::size_t index,
                                     std::span<const std::pair<ValueId, at::Tensor>> replaced) {
  const Layer& layer = network_.layers[index];
  const c10::InferenceMode no_gradients;
  const Stopwatch watch;
  Values values(network_.values.size());
  for (const ValueId id : layer.inputs) {
    values[static_cast<std::size_t>(id.value)] = value(id);
  }
  for (const auto& [id, tensor] : replaced) {
    values[static_cast<std::size_t>(id.value)] = laid_out_as(tensor, value(id).toTensor());
  }
  layer.kernel->run(layer, values);
  std::int64_t different = 0;
  for (const ValueId id : layer.outputs) {
    if (id.value >= 0 && values[static_cast<std::size_t>(id.value)].isTensor()) {
      // a symbolic size depends on no element
      different += set(id, values[static_cast<std::size_t>(id.value)].toTensor());
    }
  }
  if (differential_ != nullptr) {
    differential_->measured(index).took_whole(watch.seconds());
  }
  return different;
}

bool Divergence::suits_batches(std::size_t index) const {
  const auto is_one_part = [&](ValueId id) {
    const c10::IValue& value = golden_.values[static_cast<std::size_t>(id.value)];
    return value.isTensor() && value.toTensor().dim() > 0 &&
           value.toTensor().size(batch_dimension(network_.info(id))) == 1;
  };
  const Layer& layer = network_.layers[index];
  return std::ranges::all_of(
             layer.inputs,
             [&](ValueId id) { return network_.info(id).is_constant || is_one_part(id); }) &&
         std::ranges::all_of(layer.outputs,
                             [&](ValueId id) { return id.value < 0 || is_one_part(id); });
}

void Divergence::run_together(std::size_t index, std::span<Divergence* const> runs) {
  const Network& network = runs.front()->network_;
  const Layer& layer = network.layers[index];
  const c10::InferenceMode no_gradients;
  const Stopwatch watch;
  Values values(network.values.size());
  for (const ValueId id : layer.inputs) {
    c10::IValue& value = values[static_cast<std::size_t>(id.value)];
    if (network.info(id).is_constant) {
      value = runs.front()->value(id);
      continue;
    }
    std::vector<at::Tensor> parts;
    for (const Divergence* run : runs) {
      parts.push_back(run->value(id).toTensor());
    }
    value = at::cat(parts, batch_dimension(network.info(id)));
  }
  layer.kernel->run(layer, values);
  for (const ValueId id : layer.outputs) {
    if (id.value >= 0) {
      const at::Tensor all = values[static_cast<std::size_t>(id.value)].toTensor();
      for (std::size_t i = 0; i < runs.size(); ++i) {
        runs[i]->set(
            id, all.narrow(batch_dimension(network.info(id)), static_cast<std::int64_t>(i), 1));
      }
    }
  }
  if (Differential* differential = runs.front()->differential_) {
    differential->measured(index).took_whole(watch.seconds() / static_cast<double>(runs.size()));
  }
}

bool Divergence::is_alive_after(std::size_t layer) const {
  return std::ranges::any_of(changed_ids_, [&](ValueId id) {
    return last_use_[static_cast<std::size_t>(id.value)] > static_cast<std::int32_t>(layer);
  });
}

}  // namespace tilestrike::dnn

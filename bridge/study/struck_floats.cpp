// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/struck_floats.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "dnn/fixed_order/fixed_product.h"

namespace tilestrike::bridge {
namespace {

/// A struck weight soon touches each pixel of each image: whole layers are better from few changes
/// on. Measured on ResNet-8: at 0.1 of the elements a trial takes 1.1 times as long, at 0.25 1.3.
constexpr dnn::ListLimits kLimits{0.5, 0.03};

/// What layers read of a store.
const at::Tensor& memory_of(const dnn::StoreBacking& backing) {
  return backing.values.defined() ? backing.values : backing.words;
}

bool shows(const c10::IValue& value, const at::Tensor& memory) {
  return value.isTensor() && value.toTensor().defined() &&
         value.toTensor().storage().data() == memory.storage().data();
}

/// Whether a value's elements are those of a memory, in the same order.
bool is_all_of(const at::Tensor& value, const at::Tensor& memory) {
  return value.is_contiguous() && value.numel() == memory.numel() &&
         value.const_data_ptr() == memory.const_data_ptr();
}

}  // namespace

StruckFloats::StruckFloats(const dnn::Executor& executor, const dnn::TensorStores& stores,
                           bool has_fixed_order)
    : executor_(executor), stores_(stores), has_fixed_order_(has_fixed_order) {}

bool StruckFloats::takes(std::span<const WordFault> faults) const {
  const auto end = static_cast<std::ptrdiff_t>(executor_.network().layers.size());
  return std::ranges::all_of(faults, [&](const WordFault& fault) {
    const dnn::StoreBacking& backing = stores_.backing(fault.store);
    return backing.is_constant() && backing.kernels.empty() && backing.first_reader >= 0 &&
           backing.last_reader < end;
  });
}

void StruckFloats::choose(std::span<const WordFault> faults, const dnn::Tape& golden) {
  const dnn::Network& network = executor_.network();
  struck_.assign(network.layers.size(), {});
  first_ = network.layers.size();
  for (const WordFault& fault : faults) {
    const dnn::StoreBacking& backing = stores_.backing(fault.store);
    first_ = std::min(first_, static_cast<std::size_t>(backing.first_reader));
    if (!has_fixed_order_) {
      continue;
    }
    const at::Tensor& memory = memory_of(backing);
    for (std::size_t layer = first_; layer < network.layers.size(); ++layer) {
      if (std::ranges::any_of(network.layers[layer].inputs, [&](dnn::ValueId id) {
            return shows(golden.values[static_cast<std::size_t>(id.value)], memory);
          })) {
        add_word(layer, memory, static_cast<std::int64_t>(fault.word), golden);
      }
    }
  }
}

/// A word of a product's weights, or of its bias, changes one output channel.
void StruckFloats::add_word(std::size_t layer, const at::Tensor& memory, std::int64_t word,
                            const dnn::Tape& golden) {
  const dnn::Layer& its = executor_.network().layers[layer];
  const dnn::FixedProduct* product = dnn::fixed_product(its);
  StruckLayer& struck = struck_[layer];
  std::int64_t channel = -1, reads = 0;
  for (const dnn::ValueId id : its.inputs) {
    if (!shows(golden.values[static_cast<std::size_t>(id.value)], memory)) {
      continue;
    }
    ++reads;
    if (product == nullptr || product->form().is_batched || !is_all_of(golden.tensor(id), memory)) {
      continue;
    }
    const dnn::MatrixShape& shape = product->form().shape;
    if (id == product->weight_of(its)) {
      channel = product->form().is_transposed ? word % shape.out_channels : word / shape.depth();
    } else if (id == product->bias_of(its)) {
      channel = word;
    }
  }
  if (channel < 0 || reads > 1) {
    struck.is_whole = true;
  } else if (std::ranges::find(struck.channels, channel) == struck.channels.end()) {
    struck.channels.push_back(channel);
  }
}

void StruckFloats::compute(std::size_t layer, dnn::Divergence& run) const {
  const StruckLayer& struck = struck_[layer];
  if (!struck.is_struck()) {
    if (run.reads_changed(layer)) {
      run.run(layer);
    }
  } else if (struck.is_whole || !run.splice_channels(layer, struck.channels)) {
    run.run_reading(layer, {});
  }
}

at::Tensor StruckFloats::answer(const dnn::Tape& golden, const dnn::Hook& after) {
  const c10::InferenceMode no_gradients;
  dnn::Values none;
  if (after && first_ > 0) {
    after(first_ - 1, none);
  }
  if (!has_fixed_order_) {
    return executor_.resume(golden, first_, after);
  }
  const dnn::Network& network = executor_.network();
  const std::int64_t images = golden.tensor(network.inputs.front()).size(0);
  dnn::Differential& lists = differentials_.try_emplace(images, network, kLimits).first->second;
  dnn::Divergence run(network, golden, &lists);
  for (std::size_t layer = first_; layer < struck_.size(); ++layer) {
    compute(layer, run);
    if (after) {
      after(layer, none);
    }
  }
  return run.output();
}

}  // namespace tilestrike::bridge

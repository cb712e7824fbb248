// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/struck_weights.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "bridge/effects/splice.h"
#include "dnn/word_faults.h"

namespace tilestrike::bridge {
namespace {

/// Words of 1 or 4 bytes as the signed number that they are.
std::int32_t number_of(std::uint64_t word, bool is_bias) {
  return is_bias ? static_cast<std::int32_t>(static_cast<std::uint32_t>(word))
                 : static_cast<std::int8_t>(static_cast<std::uint8_t>(word));
}

bool shows(const at::Tensor& words, const at::Tensor& parameter) {
  return parameter.defined() && words.numel() == parameter.numel() &&
         words.const_data_ptr() == parameter.const_data_ptr();
}

}  // namespace

StruckWeights::StruckWeights(const dnn::Network& network, const dnn::TensorStores& stores)
    : network_(network), stores_(stores), differential_(network), uses_(stores.all().size()) {
  if (!network.device.is_cpu()) {
    return;
  }
  for (std::size_t store = 0; store < uses_.size(); ++store) {
    const dnn::StoreBacking& backing = stores.backing(StoreId(store));
    if (!backing.is_constant() || backing.values.defined() || backing.value.value >= 0) {
      continue;  // other layers may read it
    }
    for (std::size_t layer = 0; layer < network.layers.size(); ++layer) {
      const dnn::MatrixKernel* kernel = dnn::matrix_kernel(network.layers[layer]);
      if (kernel == nullptr || kernel->parameters().shape.is_product) {
        continue;
      }
      if (shows(backing.words, kernel->parameters().weight)) {
        uses_[store].push_back({layer, kernel, false});
      } else if (shows(backing.words, kernel->parameters().bias)) {
        uses_[store].push_back({layer, kernel, true});
      }
    }
  }
}

bool StruckWeights::takes(std::span<const WordFault> faults) const {
  return std::ranges::all_of(
      faults, [this](const WordFault& fault) { return !uses_[fault.store.value].empty(); });
}

StruckWeights::Words StruckWeights::strike(std::span<const WordFault> faults) {
  std::map<std::size_t, StruckLayer> layers;
  Words words;
  for (const WordFault& fault : faults) {
    const dnn::StoreBacking& backing = stores_.backing(fault.store);
    const std::uint64_t all_bits = stores_.all()[fault.store.value].format.all_bits();
    const std::uint64_t before = dnn::word_of(backing.words, fault.word);
    const std::uint64_t after = fault.applied_to(before) & all_bits;
    if (&fault == &faults.front()) {
      words.before = before;
      words.after = after;
    }
    if (after == before) {
      continue;
    }
    ++words.changed;
    for (const Use& use : uses_[fault.store.value]) {
      StruckLayer& struck = layers[use.layer];
      struck.layer = use.layer;
      struck.kernel = use.kernel;
      const auto delta =
          static_cast<std::int32_t>(static_cast<std::uint32_t>(number_of(after, use.is_bias)) -
                                    static_cast<std::uint32_t>(number_of(before, use.is_bias)));
      (use.is_bias ? struck.biases : struck.weights)
          .push_back({static_cast<std::int64_t>(fault.word), delta});
    }
  }
  struck_.clear();
  for (auto& [layer, struck] : layers) {
    struck_.push_back(std::move(struck));
  }
  return words;
}

void StruckWeights::compute(const StruckLayer& struck, const dnn::Tape& golden,
                            dnn::Divergence& run) const {
  const dnn::Layer& layer = network_.layers[struck.layer];
  const at::Tensor input = run.value(struck.kernel->input_of(layer)).toTensor();
  const dnn::ValueId output = layer.outputs.front();
  const std::vector<AccumulatorDelta> deltas =
      dnn::deltas_of_weights(struck.kernel->parameters(), struck.weights, struck.biases, input,
                             golden.values[static_cast<std::size_t>(output.value)].toTensor());
  if (!run.splice(struck.layer, deltas)) {
    const at::Tensor sums = run.reads_changed(struck.layer) ? struck.kernel->accumulate(input)
                                                            : golden.accumulators[struck.layer];
    run.set(output, struck.kernel->requantise(spliced(sums, deltas)));
  }
}

at::Tensor StruckWeights::answer(const dnn::Tape& golden) {
  const c10::InferenceMode no_gradients;
  dnn::Divergence run(network_, golden, &differential_);
  auto next = struck_.begin();
  const std::size_t first = next == struck_.end() ? network_.layers.size() : next->layer;
  for (std::size_t layer = first; layer < network_.layers.size(); ++layer) {
    if (next != struck_.end() && next->layer == layer) {
      compute(*next++, golden, run);
    } else if (run.reads_changed(layer)) {
      run.run(layer);
    }
    if (next == struck_.end() && !run.is_alive_after(layer)) {
      break;
    }
  }
  return run.output();
}

}  // namespace tilestrike::bridge

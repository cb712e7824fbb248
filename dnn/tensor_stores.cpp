// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/tensor_stores.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "base/error.h"
#include "dnn/spiking/struck_neurons.h"
#include "dnn/stored_number.h"
#include "dnn/word_faults.h"

namespace tilestrike::dnn {
namespace {

/// Where element `word` of one image lies in a tensor of a batch whose dimensions have these
/// strides.
std::int64_t offset_of(const at::Tensor& tensor, at::IntArrayRef strides,
                       const StoreBacking& backing, std::int64_t batch, std::int64_t row,
                       std::int64_t word) {
  std::int64_t offset = 0;
  for (std::int64_t d = tensor.dim() - 1; d >= 0; --d) {
    const bool is_batch = d == backing.batch_dimension;
    const std::int64_t size = is_batch ? tensor.size(d) / batch : tensor.size(d);
    const std::int64_t index = word % size + (is_batch ? row * size : 0);
    offset += index * strides[static_cast<std::size_t>(d)];
    word /= size;
  }
  return offset;
}

}  // namespace

std::int64_t element_of_word(const at::Tensor& activation, const StoreBacking& backing,
                             std::int64_t batch, std::int64_t row, std::int64_t word) {
  std::vector<std::int64_t> strides(static_cast<std::size_t>(activation.dim()), 1);
  for (std::size_t d = strides.size(); d > 1; --d) {
    strides[d - 2] = strides[d - 1] * activation.size(static_cast<std::int64_t>(d) - 1);
  }
  return offset_of(activation, strides, backing, batch, row, word);
}

std::span<const WordFault> of_first_store(std::span<const WordFault> faults) {
  const auto end = std::ranges::upper_bound(faults, faults.front().store, {}, &WordFault::store);
  return faults.first(static_cast<std::size_t>(end - faults.begin()));
}

TensorStores::TensorStores(Network& network, const Inputs& images, const NumberFormat& format)
    : network_(network), found_(find_stores(network, images, format)) {}

void TensorStores::strike_output(const at::Tensor& tensor, StoreId store, std::int64_t batch,
                                 std::int64_t row, std::span<const WordFault> faults,
                                 ImageStrike& struck) const {
  const StoreBacking& backing = found_.backings[store.value];
  const NumberFormat& format = found_.stores[store.value].format;
  const bool is_dense = backing.batch_dimension == 0 && tensor.is_contiguous();
  const std::int64_t words = found_.stores[store.value].words;
  TS_CHECK(tensor.numel() == words * batch,
           "an activation of this batch: " + found_.stores[store.value].name);
  std::vector<WordFault> moved(faults.begin(), faults.end());
  for (WordFault& fault : moved) {
    const auto word = static_cast<std::int64_t>(fault.word);
    fault.word = static_cast<std::uint64_t>(
        is_dense ? row * words + word
                 : offset_of(tensor, tensor.strides(), backing, batch, row, word));
  }
  // A spike of an integer network is the low bit of its element.
  const bool is_raw =
      format == format_of(tensor.scalar_type()) || c10::isIntegralType(tensor.scalar_type(), true);
  const StruckWords result = is_raw ? apply_faults(memory_of(tensor), moved)
                                    : apply_faults_to_values(format, memory_of(tensor), moved);
  if (struck.before == struck.after) {
    struck.before = result.first;
    struck.after = faults.front().applied_to(result.first) & format.all_bits();
  }
  struck.changed += result.changed;
}

/// Writes into the layer's outputs, which are this run's own, what its struck neurons do.
void TensorStores::strike_neurons(const Layer& layer, const Values& values, std::int64_t row,
                                  std::span<const WordFault> faults, ImageStrike& struck) const {
  const auto write = [&](ValueId id, std::int64_t index, std::int32_t now) {
    const at::Tensor& tensor = values[static_cast<std::size_t>(id.value)].toTensor();
    TS_CHECK(tensor.is_contiguous(), "spikes and membranes lie row by row");
    if (!tensor.is_cpu()) {
      tensor.view(-1).narrow(0, index, 1).fill_(now);  // int8 or int32: a GPU has no others
    } else if (tensor.element_size() == 1) {
      tensor.mutable_data_ptr<std::int8_t>()[index] = static_cast<std::int8_t>(now);
    } else {
      static_cast<std::int32_t*>(tensor.mutable_data_ptr())[index] = now;
    }
  };
  for (const StruckNeuron& neuron : strike_membranes(layer, values, row, faults)) {
    for (std::size_t tick = 0; tick < neuron.series.membranes.size(); ++tick) {
      const std::int64_t index = static_cast<std::int64_t>(tick) * neuron.places + neuron.place;
      write(NeuronKernel::membranes_of(layer), index, neuron.series.membranes[tick]);
      if (NeuronKernel::spikes_of(layer).value >= 0) {
        write(NeuronKernel::spikes_of(layer), index, neuron.series.spikes[tick]);
      }
    }
    if (struck.before == struck.after) {
      struck.before = neuron.series.before;
      struck.after = neuron.series.after;
    }
    struck.changed += neuron.series.changed;
  }
}

at::Tensor TensorStores::run(const Executor& executor, const Inputs& images, const Tape* golden,
                             std::span<const ImageFaults> strikes, std::vector<ImageStrike>* struck,
                             const Hook& after) const {
  struct Part {
    std::size_t strike;
    StoreId store;
    std::span<const WordFault> faults;
  };
  const c10::InferenceMode no_gradients;
  std::vector<ImageStrike> seen(strikes.size());
  std::vector<std::vector<Part>> parts(network_.layers.size() + 1);  // by layer + 1
  std::size_t first = network_.layers.size();
  for (std::size_t i = 0; i < strikes.size(); ++i) {
    for (auto faults = strikes[i].faults; !faults.empty();) {
      const auto here = of_first_store(faults);
      faults = faults.subspan(here.size());
      const StoreBacking& backing = found_.backings[here.front().store.value];
      TS_CHECK(!backing.is_constant(), "a strike on activations");
      const auto at_layer = static_cast<std::size_t>(backing.layer + 1);
      // Membranes first: what they make of spikes may be struck, too.
      const bool is_first = found_.stores[here.front().store.value].role == TensorRole::kMembrane;
      parts[at_layer].insert(is_first ? parts[at_layer].begin() : parts[at_layer].end(),
                             {i, here.front().store, here});
      first = std::min(first, at_layer == 0 ? 0 : at_layer - 1);
    }
  }
  const std::int64_t batch = images.rows();
  const auto strike_part = [&](const at::Tensor& tensor, const Part& part) {
    strike_output(tensor, part.store, batch, strikes[part.strike].row, part.faults,
                  seen[part.strike]);
  };
  const Hook hook = [&](std::size_t layer, Values& values) {
    for (const Part& part : parts[layer + 1]) {
      if (found_.stores[part.store.value].role == TensorRole::kMembrane) {
        strike_neurons(network_.layers[layer], values, strikes[part.strike].row, part.faults,
                       seen[part.strike]);
        continue;
      }
      c10::IValue& value = values[found_.backings[part.store.value].value.value];
      if (is_view_of_input(network_.layers[layer], values, value.toTensor())) {
        // A copy, for what is read is not to be written.
        value = value.toTensor().clone();
      }
      strike_part(value.toTensor(), part);
    }
    if (after) {
      after(layer, values);
    }
  };
  Inputs own = images;
  if (!parts.front().empty()) {
    own = images.each([this](const at::Tensor& tensor) {
      return tensor.to(network_.device, tensor.scalar_type(), false, /*copy=*/true);
    });
    for (const Part& part : parts.front()) {
      const auto input =
          std::ranges::find(network_.inputs, found_.backings[part.store.value].value);
      strike_part(own.tensors()[static_cast<std::size_t>(input - network_.inputs.begin())], part);
    }
  }
  at::Tensor output = golden != nullptr && parts.front().empty() && !strikes.empty()
                          ? executor.resume(*golden, first, hook)
                          : executor.run(own, hook);
  if (struck != nullptr) {
    *struck = std::move(seen);
  }
  return output;
}

}  // namespace tilestrike::dnn

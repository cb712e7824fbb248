// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/struck_activations.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "dnn/spiking/struck_neurons.h"
#include "dnn/stored_number.h"

namespace tilestrike::bridge {
namespace {

/// Of a batch of which one image differs all over, that image is a list; of which many do, the
/// value is taken whole.
constexpr dnn::ListLimits kLimits{1.0, 0.05};

bool is_spike(const NumberFormat& format) { return format == NumberFormat::unsigned_integer(1); }

/// What an element of int8 or float32 stores, and the element that stores a word; `one`: a spike.
std::uint64_t word_of(std::int32_t element, const NumberFormat& format) {
  if (is_spike(format)) {
    return element != 0 ? 1 : 0;
  }
  return static_cast<std::uint32_t>(element) & format.all_bits();
}
std::int32_t element_of(std::uint64_t word, const NumberFormat& format, std::int32_t one) {
  if (is_spike(format)) {
    return word != 0 ? one : 0;
  }
  return format.bits == 8 ? static_cast<std::int8_t>(static_cast<std::uint8_t>(word))
                          : static_cast<std::int32_t>(static_cast<std::uint32_t>(word));
}

}  // namespace

bool StruckActivations::takes(std::span<const WordFault> faults) const {
  return network_.device.is_cpu() && std::ranges::all_of(faults, [&](const WordFault& fault) {
           const dnn::ValueId value = stores_.backing(fault.store).value;
           const c10::ScalarType type = network_.info(value).type;
           const TensorStore& store = stores_.all()[fault.store.value];
           return !stores_.backing(fault.store).is_constant() &&
                  (store.role == TensorRole::kMembrane ||
                   ((type == c10::kFloat || type == c10::kChar) &&
                    (is_spike(store.format) || store.format == dnn::format_of(type))));
         });
}

/// The struck neurons follow their currents, as this run has them.
void StruckActivations::strike_neurons(const Part& part, dnn::Divergence& run,
                                       dnn::TensorStores::ImageStrike& struck) const {
  const auto index = static_cast<std::size_t>(stores_.backing(part.faults.front().store).layer);
  const dnn::Layer& layer = network_.layers[index];
  dnn::Values values(network_.values.size());
  for (const dnn::ValueId id : layer.inputs) {
    values[static_cast<std::size_t>(id.value)] = run.value(id);
  }
  std::vector<dnn::Change> spikes, membranes;
  for (const dnn::StruckNeuron& neuron :
       dnn::strike_membranes(layer, values, part.row, part.faults)) {
    for (std::size_t tick = 0; tick < neuron.series.membranes.size(); ++tick) {
      const auto at = static_cast<std::uint32_t>(static_cast<std::int64_t>(tick) * neuron.places +
                                                 neuron.place);
      spikes.push_back({at, neuron.series.spikes[tick]});
      membranes.push_back({at, neuron.series.membranes[tick]});
    }
    if (struck.before == struck.after) {
      struck.before = neuron.series.before;
      struck.after = neuron.series.after;
    }
    struck.changed += neuron.series.changed;
  }
  run.put(dnn::NeuronKernel::membranes_of(layer), membranes);
  if (const dnn::ValueId id = dnn::NeuronKernel::spikes_of(layer); id.value >= 0) {
    run.put(id, spikes);
  }
}

void StruckActivations::strike(const Part& part, const dnn::Tape& golden, dnn::Divergence& run,
                               dnn::TensorStores::ImageStrike& struck) const {
  const StoreId store = part.faults.front().store;
  if (stores_.all()[store.value].role == TensorRole::kMembrane) {
    return strike_neurons(part, run, struck);
  }
  const dnn::StoreBacking& backing = stores_.backing(store);
  const NumberFormat& format = stores_.all()[store.value].format;
  const at::Tensor& tensor = golden.tensor(backing.value);
  const std::int64_t batch = tensor.numel() / stores_.all()[store.value].words;
  const std::int32_t one =
      tensor.scalar_type() == c10::kFloat ? std::bit_cast<std::int32_t>(1.0F) : 1;
  std::vector<dnn::Change> changes;
  for (const WordFault& fault : part.faults) {
    const auto index = static_cast<std::uint32_t>(dnn::element_of_word(
        tensor, backing, batch, part.row, static_cast<std::int64_t>(fault.word)));
    const std::uint64_t before = word_of(run.element(backing.value, index), format);
    const std::uint64_t after = fault.applied_to(before) & format.all_bits();
    if (struck.before == struck.after && &fault == &part.faults.front()) {
      struck.before = before;
      struck.after = after;
    }
    struck.changed += after != before ? 1 : 0;
    changes.push_back({index, element_of(after, format, one)});
  }
  run.put(backing.value, changes);
}

at::Tensor StruckActivations::answer(const dnn::Tape& golden,
                                     std::span<const dnn::TensorStores::ImageFaults> strikes,
                                     std::vector<dnn::TensorStores::ImageStrike>& struck) {
  const c10::InferenceMode no_gradients;
  struck.assign(strikes.size(), {});
  std::map<std::ptrdiff_t, std::vector<Part>> parts;  // by layer; -1: the images
  for (std::size_t i = 0; i < strikes.size(); ++i) {
    for (auto faults = strikes[i].faults; !faults.empty();) {
      const auto here = dnn::of_first_store(faults);
      faults = faults.subspan(here.size());
      std::vector<Part>& of_layer = parts[stores_.backing(here.front().store).layer];
      // Membranes first: what they make of spikes may be struck, too.
      const bool is_first = stores_.all()[here.front().store.value].role == TensorRole::kMembrane;
      of_layer.insert(is_first ? of_layer.begin() : of_layer.end(), {i, strikes[i].row, here});
    }
  }
  const std::int64_t images = golden.tensor(network_.inputs.front()).size(0);
  dnn::Differential& lists = differentials_.try_emplace(images, network_, kLimits).first->second;
  dnn::Divergence run(network_, golden, &lists);
  const auto layers = static_cast<std::ptrdiff_t>(network_.layers.size());
  for (std::ptrdiff_t at = parts.empty() ? layers : parts.begin()->first; at < layers; ++at) {
    if (at >= 0 && run.reads_changed(static_cast<std::size_t>(at))) {
      run.run(static_cast<std::size_t>(at));
    }
    for (const Part& part : parts[at]) {
      strike(part, golden, run, struck[part.strike]);
    }
    parts.erase(at);
    if (parts.empty() && at >= 0 && !run.is_alive_after(static_cast<std::size_t>(at))) {
      break;
    }
  }
  return run.output();
}

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which tensors a network stores, in which format, and under which name.
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/view_as_real.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "dnn/fixed_batch.h"
#include "dnn/roles.h"
#include "dnn/shared_memory.h"
#include "dnn/spiking/encoding.h"
#include "dnn/spiking/neuron_kernel.h"
#include "dnn/spiking/spiking_network.h"
#include "dnn/stored_format.h"
#include "dnn/stored_number.h"
#include "dnn/tensor_stores.h"
#include "dnn/word_faults.h"

namespace tilestrike::dnn {
namespace {

/// The words of a constant: of complex numbers both parts.
at::Tensor words_of(const at::Tensor& whole) {
  return memory_of(whole.is_complex() ? at::view_as_real(whole) : whole);
}

std::string type_name(c10::ScalarType type) {
  return type == c10::kBool ? "bool" : format_of(type).name();
}

std::string shape_text(c10::IntArrayRef sizes) {
  std::vector<std::string> numbers;
  for (const std::int64_t size : sizes) {
    numbers.push_back(std::to_string(size));
  }
  return numbers.empty() ? "1" : join(numbers, "x");
}

/// What of a spiking layer an output is.
enum class SpikingKind { kNone, kSpikes, kMembranes };

class StoreFinder {
 public:
  StoreFinder(Network& network, const NumberFormat& format, FoundStores& found)
      : network_(network),
        format_(format),
        stores_(found.stores),
        backings_(found.backings),
        unstruck_(found.unstruck) {}

  void find_constants() {
    find_parameters();
    for (const Layer& layer : network_.constant_layers) {
      add_parameters(layer);
    }
    for (const Layer& layer : network_.layers) {
      if (const MatrixKernel* kernel = matrix_kernel(layer)) {
        add_integer(layer, *kernel);
      }
      add_parameters(layer);
    }
    tell_copies_apart();
    store_constants();
  }

  void find_activations(const Inputs& images) {
    ticks_ = places_of(network_).ticks;
    store_activations();
    const Executor executor(network_);
    const auto row = [](const at::Tensor& tensor, std::int64_t i) {
      return tensor.narrow(0, std::min(i, tensor.size(0) - 1), 1);
    };
    const std::int64_t fixed = fixed_batch(network_);
    rows_ = fixed > 0 ? fixed : 2;
    const auto batch_of = [&](const at::Tensor& tensor, const at::Tensor& others) {
      std::vector<at::Tensor> batch(static_cast<std::size_t>(rows_), others);
      batch.front() = row(tensor, 0);
      return at::cat(batch);
    };
    const Tape tape = executor.record(
        images.each([&](const at::Tensor& tensor) { return batch_of(tensor, row(tensor, 1)); }));
    const Tape again = executor.record(images.each([&](const at::Tensor& tensor) {
      return batch_of(tensor, at::zeros_like(row(tensor, 0)));
    }));
    for (const ValueId id : network_.inputs) {
      const bool is_only = network_.inputs.size() == 1;
      add_activation(id, -1, SpikingKind::kNone,
                     is_only ? "input" : "input." + network_.info(id).name, tape, again);
    }
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      const Layer& layer = network_.layers[i];
      for (std::size_t k = 0; k < layer.outputs.size(); ++k) {
        const SpikingKind kind = spiking_kind(layer, layer.outputs[k]);
        const std::string name = kind == SpikingKind::kSpikes      ? layer.name + ".spikes"
                                 : kind == SpikingKind::kMembranes ? layer.name + ".membranes"
                                 : layer.outputs.size() == 1       ? layer.name
                                                             : layer.name + "." + std::to_string(k);
        add_activation(layer.outputs[k], static_cast<std::ptrdiff_t>(i), kind, name, tape, again);
      }
    }
    find_readers(tape);
  }

 private:
  /// Between which layers a fault on each constant has to be there. On a GPU all faults are there
  /// for the whole inference: each strike waits for its device, and one between two layers would
  /// stop the layers' flow.
  void find_readers(const Tape& tape) {
    const auto end = static_cast<std::ptrdiff_t>(network_.layers.size());
    const auto shows = [](const c10::IValue& value, const void* memory) {
      return value.isTensor() && value.toTensor().defined() &&
             value.toTensor().storage().data() == memory;
    };
    for (StoreBacking& backing : backings_) {
      if (!backing.is_constant()) {
        continue;
      }
      const void* memory =
          (backing.values.defined() ? backing.values : backing.words).storage().data();
      const auto is_read = [&](ValueId id) { return shows(tape.values[id.value], memory); };
      std::vector<std::ptrdiff_t> readers;
      for (std::ptrdiff_t i = 0; i < end; ++i) {
        const Layer& layer = network_.layers[static_cast<std::size_t>(i)];
        const MatrixKernel* kernel = matrix_kernel(layer);
        const bool is_own = kernel != nullptr && (shows(kernel->parameters().weight, memory) ||
                                                  shows(kernel->parameters().bias, memory));
        if (is_own || std::ranges::any_of(layer.inputs, is_read)) {
          readers.push_back(i);
        }
      }
      const bool is_derived_from = std::ranges::any_of(
          network_.constant_layers,
          [&](const Layer& layer) { return std::ranges::any_of(layer.inputs, is_read); });
      const bool is_early = is_derived_from || readers.empty() || !network_.device.is_cpu();
      backing.first_reader = is_early ? -1 : readers.front();
      backing.last_reader = is_early || is_read(network_.output) ? end : readers.back();
    }
  }

  void add(TensorStore store, StoreBacking backing) {
    stores_.push_back(std::move(store));
    backings_.push_back(std::move(backing));
  }

  /// What several layers share is one store.
  void add_integer(const Layer& layer, const MatrixKernel& kernel) {
    const MatrixKernel::Parameters& parameters = kernel.parameters();
    const auto add_one = [&](const at::Tensor& tensor, TensorRole role, const std::string& name,
                             const char* otherwise) {
      if (!tensor.defined()) {
        return;
      }
      const auto [known, is_new] = store_of_memory_.try_emplace(tensor.data_ptr(), stores_.size());
      if (is_new) {
        StoreBacking backing;
        backing.words = tensor.view(-1);
        add({name.empty() ? layer.name + otherwise : name, layer.name, role,
             format_of(tensor.scalar_type()), tensor.numel(), shape_text(tensor.sizes())},
            std::move(backing));
      }
      stores_[known->second].layers.push_back(layer.name);
      if (role == TensorRole::kWeight) {
        backings_[known->second].kernels.push_back(&kernel);
      }
    };
    add_one(parameters.weight, TensorRole::kWeight, parameters.weight_name, ".weight");
    add_one(parameters.bias, TensorRole::kBias, parameters.bias_name, ".bias");
  }

  /// What layers read of the constants that are stored, and not computed from others.
  void find_parameters() {
    uses_ = uses_of_constants(network_);
    std::vector<ValueId> parameters;  // in the order in which they are read
    std::set<ValueId> seen;
    const auto look_at = [&](const Layer& layer) {
      for (const ValueId id : layer.inputs) {
        if (uses_.contains(id) && seen.insert(id).second) {
          parameters.push_back(id);
        }
      }
    };
    std::ranges::for_each(network_.constant_layers, look_at);
    std::ranges::for_each(network_.layers, look_at);
    memories_ = shared_memories(network_, parameters);
    for (std::size_t i = 0; i < memories_.size(); ++i) {
      for (const ValueId id : memories_[i].members) {
        memory_of_parameter_[id] = i;
      }
    }
  }

  void add_parameters(const Layer& layer) {
    for (const ValueId id : layer.inputs) {
      const auto memory = memory_of_parameter_.find(id);
      if (memory != memory_of_parameter_.end() && stored_.insert(memory->second).second) {
        add_parameter(layer, memory->second);
      }
    }
  }

  /// The use of a memory, of all that show it: that of the heaviest role.
  ConstantUse use_of(const SharedMemory& shared) const {
    ConstantUse use = uses_.at(shared.members.front());
    std::set<std::size_t> readers;
    for (const ValueId id : shared.members) {
      const ConstantUse& other = uses_.at(id);
      readers.insert(other.readers.begin(), other.readers.end());
      if (other.role < use.role) {
        use = other;
      }
    }
    use.readers.assign(readers.begin(), readers.end());
    return use;
  }

  void add_parameter(const Layer& first, std::size_t memory) {
    const SharedMemory& shared = memories_[memory];
    const ConstantUse use = use_of(shared);
    const ValueInfo& info = network_.info(shared.name);
    const bool is_of_product = use.role == TensorRole::kWeight || use.role == TensorRole::kBias;
    TensorStore store;
    for (const std::size_t reader : use.readers) {
      store.layers.push_back(network_.layers[reader].name);
    }
    store.layer = store.layers.empty() ? first.name : store.layers.front();
    const std::string& using_layer = use.layer == nullptr ? store.layer : use.layer->name;
    store.name = !info.parameter.empty() ? info.parameter
                 : is_of_product         ? using_layer + "." + std::string(name_of(use.role))
                 : use.role == TensorRole::kNormalisation ? using_layer + "." + use.argument->name
                                                          : info.name;
    store.role = use.role;
    const c10::ScalarType type = shared.whole.scalar_type();
    const NeuronKernel* neurons = use.layer == nullptr ? nullptr : neuron_kernel(*use.layer);
    if (c10::isIntegralType(type, true) && neurons == nullptr &&
        (type == c10::kBool || use.role != TensorRole::kWeight)) {
      unstruck_.push_back(
          {store.name, type_name(type), shared.whole.numel(),
           type == c10::kBool ? "truth values" : "whole numbers that are no weights"});
      return;
    }
    StoreBacking backing;
    backing.words = words_of(shared.whole);
    backing.value = shared.name;
    store.format = c10::isIntegralType(type, true) && neurons != nullptr
                       ? neurons->parameter_format(use.argument->name)
                       : format_of(type);
    store.words = backing.words.numel();
    store.shape = shape_text(shared.whole.sizes()) + (shared.whole.is_complex() ? "x2" : "");
    memory_of_store_[stores_.size()] = memory;
    add(std::move(store), std::move(backing));
  }

  /// A parameter that is stored more than once, in other formats or with other scales: each copy
  /// has a name of its own, after the layer that reads it, and says so.
  void tell_copies_apart() {
    std::map<std::string, std::vector<std::size_t>> by_name;
    for (std::size_t i = 0; i < stores_.size(); ++i) {
      by_name[stores_[i].name].push_back(i);
    }
    std::set<std::string> taken;
    for (const auto& [name, copies] : by_name) {
      if (copies.size() == 1) {
        taken.insert(name);
      }
    }
    for (const auto& [name, copies] : by_name) {
      for (std::size_t k = 0; copies.size() > 1 && k < copies.size(); ++k) {
        TensorStore& store = stores_[copies[k]];
        const std::string base = store.layer + "." + std::string(name_of(store.role));
        store.name = base;
        for (int number = 1; !taken.insert(store.name).second; ++number) {
          store.name = base + "_" + std::to_string(number);
        }
        store.note = "one of " + std::to_string(copies.size()) + " stored copies of '" + name +
                     "': " + (store.format.is_float() ? "left in float" : "scales of its own");
      }
    }
  }

  /// Brings constants of real numbers into the format: words of their own, and the values that
  /// these stand for, in the type that layers read, where the constants were.
  void store_constants() {
    if (format_ == kFloat32 || format_ == NumberFormat::integer(8)) {
      return;
    }
    for (std::size_t i = 0; i < stores_.size(); ++i) {
      const auto memory = memory_of_store_.find(i);
      if (memory != memory_of_store_.end() &&
          is_real(memories_[memory->second].whole.scalar_type()) && stores_[i].format != format_ &&
          is_stored_in(format_, stores_[i].role)) {
        store_constant(i);
      }
    }
    for (const Layer& layer : network_.constant_layers) {
      layer.kernel->run(layer, network_.constants);
    }
  }

  void store_constant(std::size_t index) {
    StoreBacking& backing = backings_[index];
    const SharedMemory& shared = memories_[memory_of_store_.at(index)];
    store_in(format_, shared.whole, stores_[index].role, network_.device, backing);
    stores_[index].format = format_;
    for (const ValueId id : shared.members) {
      const at::Tensor part = network_.constants[id.value].toTensor();
      network_.constants[id.value] = backing.values.as_strided(
          part.sizes(), part.strides(), part.storage_offset() - shared.whole.storage_offset());
    }
  }

  void store_activations() {
    if (format_ == kFloat32 || !is_stored_in(format_, TensorRole::kActivation)) {
      return;
    }
    for (Layer& layer : network_.layers) {
      if (const NeuronKernel* neurons = neuron_kernel(layer)) {
        layer.kernel = neurons->stored_in(format_);
      } else if (!begins_ticks(layer)) {  // which gives bits, or what has been rounded
        layer.kernel = storing_kernel(layer.kernel, format_);
      }
    }
  }

  void add_activation(ValueId id, std::ptrdiff_t layer, SpikingKind kind, const std::string& name,
                      const Tape& tape, const Tape& again) {
    const auto value = [&](ValueId which) -> const c10::IValue& {
      return tape.values[static_cast<std::size_t>(which.value)];
    };
    if (id.value < 0 || !value(id).isTensor()) {
      return;
    }
    const at::Tensor& tensor = value(id).toTensor();
    const std::optional<NumberFormat> own = spiking_format(kind, layer);
    const bool is_stored =
        own || tensor.is_floating_point() || (layer >= 0 && tensor.scalar_type() == c10::kChar);
    const bool is_view =
        layer >= 0 &&
        is_view_of_input(network_.layers[static_cast<std::size_t>(layer)], tape.values, tensor);
    std::vector<std::int64_t> sizes = network_.info(id).sizes;
    if (fixed_batch(network_) > 0 && !sizes.empty() && std::ranges::count(sizes, -1) == 0) {
      sizes.front() = -1;  // of a batch that is always the same the file does not say where it is
    }
    if (!is_stored || is_view || std::ranges::count(sizes, -1) != 1 ||
        sizes.size() != static_cast<std::size_t>(tensor.dim())) {
      return;
    }
    StoreBacking backing;
    backing.value = id;
    backing.layer = layer;
    backing.batch_dimension = std::ranges::find(sizes, -1) - sizes.begin();
    const std::int64_t size = tensor.size(backing.batch_dimension);
    const auto part = [&](const at::Tensor& of) {
      return of.narrow(backing.batch_dimension, 0, size / rows_);
    };
    // The first image's part must not depend on the others.
    if (size % rows_ != 0 ||
        !at::equal(
            part(tensor).nan_to_num(),
            part(again.values[static_cast<std::size_t>(id.value)].toTensor()).nan_to_num())) {
      return;
    }
    // As store_activations() has it.
    const bool is_narrow = is_real(tensor.scalar_type()) && layer >= 0 && format_ != kFloat32 &&
                           format_ != NumberFormat::integer(8) &&
                           is_stored_in(format_, TensorRole::kActivation);
    at::IntArrayRef shape = tensor.sizes();
    std::vector<std::int64_t> of_image(shape.begin(), shape.end());
    of_image[backing.batch_dimension] /= rows_;
    const bool has_ticks = backing.batch_dimension == 1 && sizes.front() == ticks_;
    if (backing.batch_dimension <= (has_ticks ? 1 : 0) && of_image[backing.batch_dimension] == 1 &&
        of_image.size() > 1) {
      of_image.erase(of_image.begin() + backing.batch_dimension);
    }
    add({name, layer < 0 ? "input" : network_.layers[static_cast<std::size_t>(layer)].name,
         kind == SpikingKind::kMembranes ? TensorRole::kMembrane : TensorRole::kActivation,
         own         ? *own
         : is_narrow ? format_
                     : format_of(tensor.scalar_type()),
         tensor.numel() / rows_, shape_text(of_image), has_ticks ? ticks_ : 0},
        std::move(backing));
  }

  // -- Of spiking networks

  static SpikingKind spiking_kind(const Layer& layer, ValueId id) {
    const bool has_neurons = neuron_kernel(layer) != nullptr;
    return encodes_spikes(layer) || (has_neurons && id == NeuronKernel::spikes_of(layer))
               ? SpikingKind::kSpikes
           : has_neurons ? SpikingKind::kMembranes
                         : SpikingKind::kNone;
  }

  /// The format of spikes, a bit each, and of membranes.
  std::optional<NumberFormat> spiking_format(SpikingKind kind, std::ptrdiff_t layer) const {
    if (kind == SpikingKind::kNone) {
      return std::nullopt;
    }
    return kind == SpikingKind::kSpikes
               ? NumberFormat::unsigned_integer(1)
               : neuron_kernel(network_.layers[static_cast<std::size_t>(layer)])->membrane_format();
  }

  Network& network_;
  NumberFormat format_;
  std::int64_t ticks_ = 0;  // of a spiking network
  std::int64_t rows_ = 2;   // of the runs that tell one image's part from the others'
  std::vector<TensorStore>& stores_;
  std::vector<StoreBacking>& backings_;
  std::vector<UnstruckTensor>& unstruck_;
  std::map<ValueId, ConstantUse> uses_;
  std::vector<SharedMemory> memories_;
  std::map<ValueId, std::size_t> memory_of_parameter_;
  std::map<std::size_t, std::size_t> memory_of_store_;
  std::map<const void*, std::size_t> store_of_memory_;  // of integer layers
  std::set<std::size_t> stored_;                        // memories that are a store by now
};

}  // namespace

float scale_of_word(const StoreBacking& backing, std::uint64_t word) {
  if (!backing.scale.defined()) {
    return 1.0F;
  }
  const auto channel =
      static_cast<std::int64_t>(word) / backing.channel_stride % backing.scale.numel();
  return backing.scale.const_data_ptr<float>()[channel];
}

FoundStores find_stores(Network& network, const Inputs& images, const NumberFormat& format) {
  TS_CHECK(images.rows() >= 1, "stores are found with at least one image");
  const c10::InferenceMode no_gradients;
  FoundStores found;
  StoreFinder finder(network, format, found);
  finder.find_constants();
  finder.find_activations(images);
  return found;
}

}  // namespace tilestrike::dnn

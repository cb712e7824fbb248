// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which tensors a network stores, in which format, and under which name.
#include <ATen/ops/abs.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "dnn/fixed_batch.h"
#include "dnn/operators.h"
#include "dnn/shared_memory.h"
#include "dnn/stored_number.h"
#include "dnn/tensor_stores.h"
#include "dnn/word_faults.h"

namespace tilestrike::dnn {
namespace {

bool is_float(const c10::IValue& value) {
  return value.isTensor() && value.toTensor().is_floating_point();
}

/// A layer that stores what it computes in a format narrower than float32.
class StoringKernel final : public Kernel {
 public:
  StoringKernel(std::shared_ptr<const Kernel> inner, NumberFormat format)
      : inner_(std::move(inner)), format_(format) {}

  void run(const Layer& layer, Values& values) const override {
    inner_->run(layer, values);
    for (const ValueId id : layer.outputs) {
      if (id.value < 0 || !values[id.value].isTensor()) {
        continue;
      }
      const at::Tensor& computed = values[id.value].toTensor();
      if (computed.scalar_type() == c10::kFloat && !is_view_of_input(layer, values, computed)) {
        values[id.value] = rounded_to(format_, computed);
      }
    }
  }

 private:
  std::shared_ptr<const Kernel> inner_;
  NumberFormat format_;
};

/// What a format stores besides weights (docs/number_formats.md).
struct Reach {
  bool biases = false, normalisation = false, activations = false;
};

Reach reach_of(const NumberFormat& format) {
  switch (format.kind) {
    case NumberFormat::Kind::kFloat:
      return format.bits == 8 ? Reach{false, false, true} : Reach{true, true, true};
    case NumberFormat::Kind::kFixed:
      return {true, false, true};
    case NumberFormat::Kind::kInteger:
      break;
  }
  return {};
}

bool is_stored_in(const NumberFormat& format, TensorRole role) {
  const Reach reach = reach_of(format);
  switch (role) {
    case TensorRole::kWeight:
      return true;
    case TensorRole::kBias:
    case TensorRole::kParameter:
      return reach.biases;
    case TensorRole::kNormalisation:
      return reach.normalisation;
    case TensorRole::kActivation:
      return reach.activations;
  }
  return false;
}

TensorRole role_of(const Layer& layer, const std::string& argument) {
  static const std::set<std::string> norms{
      "batch_norm",        "layer_norm",    "group_norm", "native_layer_norm",
      "native_group_norm", "instance_norm", "rms_norm"};
  if (norms.contains(short_name(layer.target))) {
    return TensorRole::kNormalisation;
  }
  return argument == "weight" ? TensorRole::kWeight
         : argument == "bias" ? TensorRole::kBias
                              : TensorRole::kParameter;
}

std::string shape_text(c10::IntArrayRef sizes) {
  std::vector<std::string> numbers;
  for (const std::int64_t size : sizes) {
    numbers.push_back(std::to_string(size));
  }
  return numbers.empty() ? "1" : join(numbers, "x");
}

class StoreFinder {
 public:
  StoreFinder(Network& network, const NumberFormat& format, std::vector<TensorStore>& stores,
              std::vector<StoreBacking>& backings)
      : network_(network), format_(format), stores_(stores), backings_(backings) {}

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
    store_constants();
  }

  void find_activations(const Inputs& images) {
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
      add_activation(id, -1, is_only ? "input" : "input." + network_.info(id).name, tape, again);
    }
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      const Layer& layer = network_.layers[i];
      for (std::size_t k = 0; k < layer.outputs.size(); ++k) {
        const std::string name =
            layer.outputs.size() == 1 ? layer.name : layer.name + "." + std::to_string(k);
        add_activation(layer.outputs[k], static_cast<std::ptrdiff_t>(i), name, tape, again);
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

  void add_integer(const Layer& layer, const MatrixKernel& kernel) {
    const auto add_one = [&](const at::Tensor& tensor, TensorRole role, const char* name) {
      if (!tensor.defined()) {
        return;
      }
      StoreBacking backing;
      backing.words = tensor.view(-1);
      backing.kernel = role == TensorRole::kWeight ? &kernel : nullptr;
      add({layer.name + "." + name, layer.name, role, format_of(tensor.scalar_type()),
           tensor.numel(), shape_text(tensor.sizes())},
          std::move(backing));
    };
    add_one(kernel.parameters().weight, TensorRole::kWeight, "weight");
    add_one(kernel.parameters().bias, TensorRole::kBias, "bias");
  }

  /// What layers read of the constants that are stored, and not computed from others.
  void find_parameters() {
    std::set<ValueId> results;  // of constant layers
    std::vector<ValueId> parameters;
    const auto look_at = [&](const Layer& layer) {
      for (const Argument& argument : layer.arguments) {
        for (const ValueId id : argument.values) {
          if (id.value >= 0 && !results.contains(id) && is_float(network_.constants[id.value]) &&
              uses_.try_emplace(id, Use{&layer, &argument}).second) {
            parameters.push_back(id);
          }
        }
      }
    };
    for (const Layer& layer : network_.constant_layers) {
      results.insert(layer.outputs.begin(), layer.outputs.end());
      look_at(layer);
    }
    std::ranges::for_each(network_.layers, look_at);
    memories_ = shared_memories(network_, parameters);
    for (std::size_t i = 0; i < memories_.size(); ++i) {
      for (const ValueId id : memories_[i].members) {
        memory_of_parameter_[id] = i;
      }
    }
  }

  void add_parameters(const Layer& layer) {
    for (const Argument& argument : layer.arguments) {
      for (const ValueId id : argument.values) {
        const auto memory = memory_of_parameter_.find(id);
        if (memory != memory_of_parameter_.end() && stored_.insert(memory->second).second) {
          add_parameter(memory->second);
        }
      }
    }
  }

  void add_parameter(std::size_t memory) {
    const SharedMemory& shared = memories_[memory];
    const Use& use = uses_.at(shared.name);
    const TensorRole role = role_of(*use.layer, use.argument->name);
    StoreBacking backing;
    backing.words = memory_of(shared.whole);
    backing.value = shared.name;
    const ValueInfo& info = network_.info(shared.name);
    const std::string name = !info.parameter.empty() ? info.parameter
                             : role == TensorRole::kParameter
                                 ? info.name
                                 : use.layer->name + "." + use.argument->name;
    memory_of_store_[stores_.size()] = memory;
    add({name, use.layer->name, role, format_of(shared.whole.scalar_type()), shared.whole.numel(),
         shape_text(shared.whole.sizes())},
        std::move(backing));
  }

  /// Brings float32 constants into the format: words of their own, and the values that these stand
  /// for where the constants were.
  void store_constants() {
    if (format_ == kFloat32 || format_ == NumberFormat::integer(8)) {
      return;
    }
    for (std::size_t i = 0; i < stores_.size(); ++i) {
      if (stores_[i].format == kFloat32 && backings_[i].kernel == nullptr &&
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
    choose_scale(shared.whole, stores_[index].role, backing);
    const at::Tensor host = backing.words.cpu();
    const auto count = host.numel();
    at::Tensor words = at::empty({count}, at::dtype(format_.bits <= 8    ? c10::kByte
                                                    : format_.bits <= 16 ? c10::kShort
                                                                         : c10::kInt));
    at::Tensor values = at::empty({count}, at::dtype(c10::kFloat));
    const float* in = host.const_data_ptr<float>();
    float* out = values.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < count; ++i) {
      const float scale = scale_of_word(backing, static_cast<std::uint64_t>(i));
      const std::uint32_t word = stored_word(format_, in[i], scale);
      switch (words.element_size()) {
        case 1:
          words.mutable_data_ptr<std::uint8_t>()[i] = static_cast<std::uint8_t>(word);
          break;
        case 2:
          words.mutable_data_ptr<std::int16_t>()[i] = static_cast<std::int16_t>(word);
          break;
        default:
          words.mutable_data_ptr<std::int32_t>()[i] = static_cast<std::int32_t>(word);
      }
      out[i] = stored_value(format_, word, scale);
    }
    backing.words = words.to(network_.device);
    backing.values = values.to(network_.device);
    stores_[index].format = format_;
    for (const ValueId id : shared.members) {
      const at::Tensor part = network_.constants[id.value].toTensor();
      network_.constants[id.value] = backing.values.as_strided(
          part.sizes(), part.strides(), part.storage_offset() - shared.whole.storage_offset());
    }
  }

  /// int4: one scale per output channel; float8: one per tensor; the others have none.
  void choose_scale(const at::Tensor& tensor, TensorRole role, StoreBacking& backing) const {
    const bool is_integer = format_.kind == NumberFormat::Kind::kInteger;
    if (role != TensorRole::kWeight || !(is_integer || (format_.is_float() && format_.bits == 8))) {
      return;
    }
    const bool has_channels = is_integer && tensor.dim() >= 2;
    const at::Tensor magnitude = at::abs(tensor).cpu();
    backing.scale =
        (has_channels ? magnitude.flatten(1).amax(1) : magnitude.max().reshape({1})).contiguous();
    float* scale = backing.scale.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < backing.scale.numel(); ++i) {
      scale[i] = scale[i] > 0.0F ? static_cast<float>(scale[i] / largest_stored(format_)) : 1.0F;
    }
    backing.channel_stride = has_channels ? tensor.stride(0) : 1;
  }

  void store_activations() {
    if (format_ == kFloat32 || !is_stored_in(format_, TensorRole::kActivation)) {
      return;
    }
    for (Layer& layer : network_.layers) {
      layer.kernel = std::make_shared<StoringKernel>(layer.kernel, format_);
    }
  }

  void add_activation(ValueId id, std::ptrdiff_t layer, const std::string& name, const Tape& tape,
                      const Tape& again) {
    const auto value = [&](ValueId which) -> const c10::IValue& {
      return tape.values[static_cast<std::size_t>(which.value)];
    };
    if (id.value < 0 || !value(id).isTensor()) {
      return;
    }
    const at::Tensor& tensor = value(id).toTensor();
    const bool is_stored =
        tensor.is_floating_point() || (layer >= 0 && tensor.scalar_type() == c10::kChar);
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
    const bool is_narrow = tensor.scalar_type() == c10::kFloat && layer >= 0 &&
                           format_ != NumberFormat::integer(8) &&
                           is_stored_in(format_, TensorRole::kActivation);
    at::IntArrayRef shape = tensor.sizes();
    std::vector<std::int64_t> of_image(shape.begin(), shape.end());
    of_image[backing.batch_dimension] /= rows_;
    if (backing.batch_dimension == 0 && of_image.front() == 1 && of_image.size() > 1) {
      of_image.erase(of_image.begin());
    }
    add({name, layer < 0 ? "input" : network_.layers[static_cast<std::size_t>(layer)].name,
         TensorRole::kActivation, is_narrow ? format_ : format_of(tensor.scalar_type()),
         tensor.numel() / rows_, shape_text(of_image)},
        std::move(backing));
  }

  Network& network_;
  NumberFormat format_;
  std::int64_t rows_ = 2;  // of the runs that tell one image's part from the others'
  std::vector<TensorStore>& stores_;
  std::vector<StoreBacking>& backings_;
  struct Use {
    const Layer* layer;
    const Argument* argument;
  };
  std::map<ValueId, Use> uses_;  // the first of each parameter
  std::vector<SharedMemory> memories_;
  std::map<ValueId, std::size_t> memory_of_parameter_;
  std::map<std::size_t, std::size_t> memory_of_store_;
  std::set<std::size_t> stored_;  // memories that are a store by now
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

void find_stores(Network& network, const Inputs& images, const NumberFormat& format,
                 std::vector<TensorStore>& stores, std::vector<StoreBacking>& backings) {
  TS_CHECK(images.rows() >= 1, "stores are found with at least one image");
  const c10::InferenceMode no_gradients;
  StoreFinder finder(network, format, stores, backings);
  finder.find_constants();
  finder.find_activations(images);
}

}  // namespace tilestrike::dnn

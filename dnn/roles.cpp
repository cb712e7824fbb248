// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/roles.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "base/error.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/operand_use.h"
#include "dnn/operators.h"

namespace tilestrike::dnn {
namespace {

class FlowReader {
 public:
  explicit FlowReader(const Network& network)
      : network_(network), traits_(network.values.size()), needs_(network.values.size()) {}

  std::map<ValueId, ConstantUse> uses() {
    for (const ValueId id : network_.inputs) {
      traits(id).of = Traits::Of::kImages;
    }
    for (std::size_t i = 0; i < network_.constants.size(); ++i) {
      add_constant(ValueId(static_cast<std::int32_t>(i)));
    }
    for (const Layer& layer : network_.constant_layers) {
      look_forward(layer);
    }
    for (const Layer& layer : network_.layers) {
      look_forward(layer);
    }
    for (std::size_t i = network_.layers.size(); i-- > 0;) {
      look_back(network_.layers[i], i);
    }
    for (std::size_t i = network_.constant_layers.size(); i-- > 0;) {
      look_back(network_.constant_layers[i], std::nullopt);
    }
    return stored();
  }

 private:
  /// What is known of a value from those that it is computed from.
  struct Traits {
    enum class Of { kNothing, kConstants, kImages };
    Of of = Of::kNothing;
    // Of what is computed from constants alone:
    bool is_trained = false;         // one of them is
    std::int64_t words = 0;          // of the largest of them
    std::int64_t integer_words = 0;  // of the largest of integers
    // Of any value:
    bool is_root = false;        // of a variance
    std::int64_t channels = -1;  // of the product with a weight whose result it is
    // Divided by a root; still to be scaled and shifted, or to be shifted.
    bool awaits_scale = false, awaits_shift = false;

    bool is_constant() const { return of == Of::kConstants; }
  };
  /// What is wanted of a constant by those that read it.
  struct Need {
    Demand demand = Demand::kNone;
    const Layer* layer = nullptr;
    const Argument* argument = nullptr;
    std::vector<std::size_t> readers{};
  };

  Traits& traits(ValueId id) { return traits_[static_cast<std::size_t>(id.value)]; }
  Need& need(ValueId id) { return needs_[static_cast<std::size_t>(id.value)]; }

  void add_constant(ValueId id) {
    const c10::IValue& value = network_.constants[static_cast<std::size_t>(id.value)];
    if (!value.isTensor() || network_.info(id).stored_as == StoredAs::kNothing) {
      return;  // a number, or what the program makes of nothing
    }
    Traits& one = traits(id);
    one.of = Traits::Of::kConstants;
    one.is_trained = network_.info(id).stored_as == StoredAs::kParameter;
    one.words = value.toTensor().numel();
    one.integer_words = c10::isIntegralType(value.toTensor().scalar_type(), false) ? one.words : 0;
  }

  // -- Forward: what a value is

  void look_forward(const Layer& layer) {
    Traits result;
    for (const ValueId id : layer.inputs) {
      const Traits& input = traits(id);
      result.of = std::max(result.of, input.of);
      result.is_trained = result.is_trained || input.is_trained;
      result.words = std::max(result.words, input.words);
      result.integer_words = std::max(result.integer_words, input.integer_words);
    }
    const Does does = does_of(short_name(layer.target));
    if (does == Does::kReadShapeOf) {
      result = traits(layer.inputs.front());
    }
    if (result.of == Traits::Of::kImages || does == Does::kReadShape) {
      const Traits::Of of = does == Does::kReadShape ? Traits::Of::kNothing : result.of;
      result = Traits{};
      result.of = of;
    }
    follow_operator(layer, does, result);
    for (const ValueId id : layer.outputs) {
      if (id.value >= 0) {
        const std::int64_t channels =
            result.channels == 0 ? channels_of(layer, id) : result.channels;
        traits(id) = result;
        traits(id).channels = channels;
      }
    }
  }

  /// Of a product's result: the dimension along which a bias is added.
  std::int64_t channels_of(const Layer& layer, ValueId output) const {
    const std::vector<std::int64_t>& sizes = network_.info(output).sizes;
    const bool is_convolution = layer.target.find("conv") != std::string::npos;
    return sizes.size() < 2 ? -1 : is_convolution ? sizes[1] : sizes.back();
  }

  void follow_operator(const Layer& layer, Does does, Traits& result) {
    const auto input = [&](std::size_t i) {
      return i < layer.inputs.size() ? traits(layer.inputs[i]) : Traits{};
    };
    const auto any = [&](auto is) { return std::ranges::any_of(layer.inputs, is); };
    switch (does) {
      case Does::kProduct: {
        const MatrixKernel* integer = matrix_kernel(layer);
        const bool has_weight = integer != nullptr && integer->weight_of(layer).value < 0;
        // Several pieces may follow, so the width is that of the output: 0 until then.
        const bool is_table = layer.target.find("embedding") != std::string::npos;
        const bool has_constant = any([&](ValueId id) { return traits(id).is_constant(); });
        result.channels = has_weight || (has_constant && !is_table) ? 0 : -1;
        return;
      }
      case Does::kNormalise: {
        const auto is_absent = [&](std::string_view name) {
          const auto found = std::ranges::find(layer.arguments, name, &Argument::name);
          return found == layer.arguments.end() ||
                 (found->kind == Argument::Kind::kConstant && found->constant.isNone());
        };
        result.awaits_scale = is_absent("weight");
        result.awaits_shift = is_absent("bias");
        return;
      }
      case Does::kRoot:
        result.is_root = true;
        return;
      case Does::kMove:
      case Does::kReadShapeOf:
        copy_flow(input(0), result);
        return;
      case Does::kMultiply:
      case Does::kDivide:
        follow_factor(input(0), input(1), layer.inputs.size(), result);
        return;
      case Does::kAdd:
      case Does::kOther:  // such as clamp, reciprocal, pow: a root stays one
        result.is_root =
            !layer.inputs.empty() &&
            std::ranges::all_of(layer.inputs,
                                [&](ValueId id) {
                                  return traits(id).is_root || traits(id).of != Traits::Of::kImages;
                                }) &&
            any([&](ValueId id) { return traits(id).is_root; });
        return;
      case Does::kLookup:
      case Does::kFire:
      case Does::kReadShape:
        return;
    }
  }

  static void copy_flow(const Traits& from, Traits& to) {
    to.is_root = from.is_root;
    to.channels = from.channels;
    to.awaits_scale = from.awaits_scale;
    to.awaits_shift = from.awaits_shift;
  }

  static void follow_factor(const Traits& a, const Traits& b, std::size_t operands,
                            Traits& result) {
    if (operands == 1) {  // by a number, or by itself
      copy_flow(a, result);
      return;
    }
    if (a.is_root != b.is_root) {
      const Traits& other = a.is_root ? b : a;
      if (other.of == Traits::Of::kImages) {
        result.awaits_scale = result.awaits_shift = true;
      } else {
        result.is_root = true;
      }
      return;
    }
    result.is_root = a.is_root;
    if (a.is_constant() != b.is_constant()) {
      const Traits& computed = a.is_constant() ? b : a;
      result.channels = computed.channels;
      result.awaits_shift = computed.awaits_shift;
    }
  }

  // -- Back: what a value is wanted as

  void look_back(const Layer& layer, std::optional<std::size_t> reader) {
    Need wanted;  // of what it computes from constants
    for (const ValueId id : layer.outputs) {
      if (id.value >= 0 && traits(id).is_constant()) {
        wanted = joined(std::move(wanted), need(id));
      }
    }
    const bool is_computed = does_of(short_name(layer.target)) != Does::kReadShapeOf &&
                             std::ranges::any_of(layer.inputs, [&](ValueId id) {
                               return traits(id).of == Traits::Of::kImages;
                             });
    if (reader) {
      insert_sorted(wanted.readers, *reader);
    }
    for (const Argument& argument : layer.arguments) {
      for (const ValueId id : argument.values) {
        if (id.value < 0 || !traits(id).is_constant()) {
          continue;
        }
        Need own = wanted;
        const Demand demand = is_computed ? demand_beside_images(layer, argument, id)
                                          : demand_behind(layer, argument, id, wanted.demand);
        if (is_computed || demand != wanted.demand) {
          own.demand = demand;
          own.layer = &layer;
          own.argument = &argument;
        }
        need(id) = joined(std::move(own), need(id));
      }
    }
  }

  static void insert_sorted(std::vector<std::size_t>& all, std::size_t one) {
    const auto place = std::ranges::lower_bound(all, one);
    if (place == all.end() || *place != one) {
      all.insert(place, one);
    }
  }

  /// Of two wants the heavier one, with the readers of both; of equal ones the first.
  static Need joined(Need first, const Need& second) {
    std::vector<std::size_t> readers;
    std::ranges::set_union(first.readers, second.readers, std::back_inserter(readers));
    if (first.layer == nullptr || second.demand > first.demand) {
      const Demand demand = std::max(first.demand, second.demand);
      first = second.layer == nullptr ? first : second;
      first.demand = demand;
    }
    first.readers = std::move(readers);
    return first;
  }

  std::int64_t dimensions(ValueId id) const {
    const c10::IValue& value = network_.constants[static_cast<std::size_t>(id.value)];
    return value.isTensor() ? value.toTensor().dim()
                            : static_cast<std::int64_t>(network_.info(id).sizes.size());
  }

  /// Of a constant that meets computed values.
  Demand demand_beside_images(const Layer& layer, const Argument& argument, ValueId id) {
    const std::string op = short_name(layer.target);
    const Traits& own = traits(id);
    const auto others = [&](auto is) {
      return std::ranges::any_of(layer.inputs, [&](ValueId other) {
        return other != id && traits(other).of == Traits::Of::kImages && is(traits(other));
      });
    };
    switch (does_of(op)) {
      case Does::kProduct:
        return demand_in_product(op, argument.name, dimensions(id));
      case Does::kLookup:
        return is_index(argument.name) ? Demand::kNone
               : own.is_trained        ? Demand::kWeight  // a table of rows, as an embedding is
                                       : Demand::kParameter;
      case Does::kNormalise:
        return Demand::kNormalisation;
      case Does::kMultiply:
      case Does::kDivide:
        return own.is_root || others([](const Traits& other) {
                 return other.awaits_scale || other.is_root;
               })
                   ? Demand::kNormalisation
                   : Demand::kParameter;
      case Does::kAdd: {
        const bool is_shift = others([](const Traits& other) { return other.awaits_shift; });
        const bool is_bias = own.is_trained && others([&](const Traits& other) {
                               return other.channels > 0 && other.channels == elements(id);
                             });
        return is_shift || is_centred(layer) ? Demand::kNormalisation
               : is_bias                     ? Demand::kBias
                                             : Demand::kParameter;
      }
      case Does::kFire:
        return argument.name == "bias" ? Demand::kBias : Demand::kParameter;
      case Does::kReadShape:
      case Does::kReadShapeOf:
        return Demand::kNone;
      case Does::kRoot:
      case Does::kMove:
      case Does::kOther:
        return is_index(argument.name) ? Demand::kNone : Demand::kParameter;
    }
    return Demand::kParameter;
  }

  /// Whether a sum is then divided by a root: x - mean.
  bool is_centred(const Layer& layer) {
    const ValueId sum = layer.outputs.front();
    return std::ranges::any_of(network_.readers(sum), [&](std::size_t i) {
      const Layer& reader = network_.layers[i];
      const Does does = does_of(short_name(reader.target));
      return (does == Does::kMultiply || does == Does::kDivide) && reader.inputs.size() == 2 &&
             std::ranges::any_of(reader.inputs,
                                 [&](ValueId id) { return id != sum && traits(id).is_root; });
    });
  }

  std::int64_t elements(ValueId id) const {
    std::int64_t count = 1;
    for (const std::int64_t size : network_.info(id).sizes) {
      count *= size < 0 ? 1 : size;
    }
    return count;
  }

  /// Of a constant whose result with other constants is wanted as `wanted`.
  Demand demand_behind(const Layer& layer, const Argument& argument, ValueId id, Demand wanted) {
    const std::string op = short_name(layer.target);
    if (is_index(argument.name)) {
      return Demand::kNone;
    }
    if (is_scale(argument.name) && !layer.target.starts_with("aten.")) {
      return Demand::kBuffer;
    }
    switch (does_of(op)) {
      case Does::kProduct:
        return wanted < Demand::kParameter || is_beside_trained(layer, id)
                   ? std::min(wanted, Demand::kBuffer)
                   : demand_in_product(op, argument.name, dimensions(id));
      case Does::kNormalise:
        return argument.name == "input" ? wanted : Demand::kNormalisation;
      case Does::kReadShape:
        return Demand::kNone;
      case Does::kReadShapeOf:
        return layer.inputs.front() == id ? wanted : Demand::kNone;
      default:
        break;
    }
    const bool is_of_product = wanted == Demand::kWeight || wanted == Demand::kBias;
    return is_of_product && (is_scale_of_integers(layer, id) || is_beside_trained(layer, id))
               ? Demand::kBuffer
               : wanted;
  }

  /// A scale or a zero point: beside integers that are more.
  bool is_scale_of_integers(const Layer& layer, ValueId id) {
    return std::ranges::any_of(layer.inputs, [&](ValueId other) {
      return other != id && traits(other).is_constant() && traits(other).integer_words > 0 &&
             traits(other).integer_words > traits(id).words;
    });
  }

  /// A mask, or the vectors of spectral norm: not trained, beside what is.
  bool is_beside_trained(const Layer& layer, ValueId id) {
    return !traits(id).is_trained && std::ranges::any_of(layer.inputs, [&](ValueId other) {
      return other != id && traits(other).is_trained && !is_scale_of_integers(layer, other);
    });
  }

  // -- The result

  std::map<ValueId, ConstantUse> stored() {
    std::set<ValueId> results;
    std::map<ValueId, ConstantUse> all;
    const auto look_at = [&](const Layer& layer) {
      for (const ValueId id : layer.inputs) {
        const c10::IValue& value = network_.constants[static_cast<std::size_t>(id.value)];
        if (value.isTensor() && !results.contains(id) && traits(id).is_constant()) {
          all.try_emplace(id, use_of(id));
        }
      }
    };
    for (const Layer& layer : network_.constant_layers) {
      results.insert(layer.outputs.begin(), layer.outputs.end());
    }
    std::ranges::for_each(network_.constant_layers, look_at);
    std::ranges::for_each(network_.layers, look_at);
    return all;
  }

  ConstantUse use_of(ValueId id) {
    const Need& wanted = need(id);
    ConstantUse use;
    use.layer = wanted.layer;
    use.argument = wanted.argument;
    use.readers = wanted.readers;
    switch (wanted.demand) {
      case Demand::kWeight:
        use.role = TensorRole::kWeight;
        break;
      case Demand::kBias:
        use.role = TensorRole::kBias;
        break;
      case Demand::kNormalisation:
        use.role = TensorRole::kNormalisation;
        break;
      case Demand::kParameter:
      case Demand::kBuffer:
      case Demand::kNone:
        use.role = traits(id).is_trained ? TensorRole::kParameter : TensorRole::kBuffer;
    }
    return use;
  }

  const Network& network_;
  std::vector<Traits> traits_;  // by ValueId
  std::vector<Need> needs_;     // by ValueId
};

}  // namespace

std::map<ValueId, ConstantUse> uses_of_constants(const Network& network) {
  return FlowReader(network).uses();
}

std::vector<ValueId> stored_behind(const Network& network,
                                   const std::map<ValueId, ConstantUse>& uses, ValueId constant,
                                   TensorRole role) {
  std::set<ValueId> open{constant}, seen;
  std::vector<ValueId> found;
  while (!open.empty()) {
    const ValueId id = *open.begin();
    open.erase(open.begin());
    if (!seen.insert(id).second) {
      continue;
    }
    if (const auto use = uses.find(id); use != uses.end()) {
      if (use->second.role == role) {
        found.push_back(id);
      }
      continue;
    }
    for (const std::vector<Layer>* layers : {&network.constant_layers, &network.layers}) {
      for (const Layer& layer : *layers) {
        if (std::ranges::find(layer.outputs, id) != layer.outputs.end()) {
          open.insert(layer.inputs.begin(), layer.inputs.end());
        }
      }
    }
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace tilestrike::dnn

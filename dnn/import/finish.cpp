// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/finish.h"

#include <algorithm>
#include <map>
#include <set>

#include "dnn/operators.h"

namespace tilestrike::dnn {
namespace {

/// Layers of which something is read, and the values that are; outputs that nothing reads get the
/// id -1.
std::set<ValueId> drop_unread_layers(std::vector<ImportedLayer>& layers, const Network& network) {
  std::set<ValueId> read(network.inputs.begin(), network.inputs.end());
  read.insert(network.output);
  std::vector<ImportedLayer> kept;
  for (std::size_t i = layers.size(); i-- > 0;) {
    Layer& layer = layers[i].layer;
    const auto is_read = [&](ValueId id) { return read.contains(id); };
    if (std::ranges::none_of(layer.outputs, is_read)) {
      continue;
    }
    for (ValueId& id : layer.outputs) {
      id = is_read(id) ? id : ValueId(-1);
    }
    read.insert(layer.inputs.begin(), layer.inputs.end());
    kept.push_back(std::move(layers[i]));
  }
  std::ranges::reverse(kept);
  layers = std::move(kept);
  return read;
}

void check_refused(const std::vector<ImportedLayer>& layers) {
  ErrorList errors;
  std::set<std::string> seen;
  for (const ImportedLayer& one : layers) {
    if (one.refused && seen.insert(one.layer.target).second) {
      errors.add(one.refused->code, one.refused->what, one.refused->where, one.refused->cure);
    }
  }
  errors.throw_if_any();
}

void renumber_values(std::vector<ImportedLayer>& layers, Network& network,
                     const std::set<ValueId>& read) {
  std::map<ValueId, ValueId> renumbered;
  Network kept;
  for (const ValueId id : read) {
    renumbered[id] = kept.add_value(std::move(network.info(id)));
    kept.constants[renumbered[id].value] = network.constants[id.value];
  }
  const auto renumber = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids) {
      id = id.value < 0 ? id : renumbered.at(id);
    }
  };
  for (ImportedLayer& one : layers) {
    renumber(one.layer.inputs);
    renumber(one.layer.outputs);
    for (Argument& argument : one.layer.arguments) {
      renumber(argument.values);
    }
  }
  network.values = std::move(kept.values);
  network.constants = std::move(kept.constants);
  renumber(network.inputs);
  network.output = renumbered.at(network.output);
}

class LayerNames {
 public:
  void name(ImportedLayer& imported) {
    const Origin& origin = imported.origin;
    const std::string operation = short_name(imported.layer.target);
    const std::string within = origin.module.empty() ? operation : origin.module + "." + operation;
    std::string base = origin.is_leaf ? origin.module : within;
    if (operator_of_.contains(base) && operator_of_[base] != operation) {
      base = within;  // one of several operators of a module
    }
    std::string& name = imported.layer.name = base;
    int& number = numbers_[base];
    for (; operator_of_.contains(name); name = base + "_" + std::to_string(number)) {
      ++number;
    }
    operator_of_[name] = operation;
  }

 private:
  std::map<std::string, std::string> operator_of_;  // names that are taken
  std::map<std::string, int> numbers_;              // the last number of a base
};

/// A module of weights gives its name to the product with them, whatever else it computes; layers
/// that depend on weights alone come last.
void name_layers(std::vector<ImportedLayer>& layers) {
  const auto rank = [](const ImportedLayer& one) {
    const std::string& target = one.layer.target;
    const bool is_product = target == "aten.conv2d.default" || target == "aten.linear.default";
    return one.is_constant ? 2 : (is_product ? 0 : 1);
  };
  LayerNames names;
  for (int turn = 0; turn < 3; ++turn) {
    for (ImportedLayer& one : layers) {
      if (rank(one) == turn) {
        names.name(one);
      }
    }
  }
}

}  // namespace

void finish(std::vector<ImportedLayer> layers, Network& network) {
  const std::set<ValueId> read = drop_unread_layers(layers, network);
  check_refused(layers);
  renumber_values(layers, network, read);
  name_layers(layers);
  for (ImportedLayer& one : layers) {
    (one.is_constant ? network.constant_layers : network.layers).push_back(std::move(one.layer));
  }
}

}  // namespace tilestrike::dnn

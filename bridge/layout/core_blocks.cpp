// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/layout/core_blocks.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "base/error.h"

namespace tilestrike::bridge {
namespace {

std::int64_t parts(std::int64_t size, std::int64_t part) { return (size + part - 1) / part; }

// Parts that differ as little as can be: each size once, descending.
std::vector<std::int64_t> even_parts(std::int64_t size) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t count = 1; count <= size; ++count) {
    const std::int64_t part = parts(size, count);
    if (sizes.empty() || part != sizes.back()) {
      sizes.push_back(part);
    }
  }
  return sizes;
}

std::int64_t count_of(const BlockSizes& all, const BlockSizes& block) {
  return parts(all.channels, block.channels) * parts(all.rows, block.rows) *
         parts(all.columns, block.columns);
}

// Best first.
std::vector<BlockSizes> candidates(const BlockSizes& all, std::int64_t most_neurons) {
  std::vector<BlockSizes> blocks;
  for (const std::int64_t channels : even_parts(all.channels)) {
    for (const std::int64_t rows : even_parts(all.rows)) {
      for (const std::int64_t columns : even_parts(all.columns)) {
        if (const BlockSizes block{channels, rows, columns}; block.all() <= most_neurons) {
          blocks.push_back(block);
        }
      }
    }
  }
  std::ranges::sort(blocks, {}, [&](const BlockSizes& block) {
    return std::tuple(count_of(all, block), -block.channels, -block.columns);
  });
  return blocks;
}

// The neurons of each block; blocks and neurons ascend by channel, row and column.
std::vector<std::vector<std::int64_t>> neurons_of(const BlockSizes& all, const BlockSizes& block) {
  std::vector<std::vector<std::int64_t>> blocks(static_cast<std::size_t>(count_of(all, block)));
  const std::int64_t rows = parts(all.rows, block.rows);
  const std::int64_t columns = parts(all.columns, block.columns);
  for (std::int64_t neuron = 0; neuron < all.all(); ++neuron) {
    const std::int64_t channel = neuron / (all.rows * all.columns);
    const std::int64_t row = neuron / all.columns % all.rows, column = neuron % all.columns;
    const std::int64_t at =
        (channel / block.channels * rows + row / block.rows) * columns + column / block.columns;
    blocks[static_cast<std::size_t>(at)].push_back(neuron);
  }
  return blocks;
}

// Ascending; nothing where there are more than `most`.
std::optional<std::vector<std::int64_t>> inputs_of(
    const std::vector<std::int64_t>& neurons,
    const std::vector<std::vector<dnn::Synapse>>& synapses, std::size_t most) {
  std::vector<std::int64_t> inputs, merged;
  for (const std::int64_t neuron : neurons) {
    const std::vector<dnn::Synapse>& all = synapses[static_cast<std::size_t>(neuron)];
    std::vector<std::int64_t> own;
    std::ranges::transform(all, std::back_inserter(own), &dnn::Synapse::input);
    merged.clear();
    std::ranges::set_union(inputs, own, std::back_inserter(merged));
    inputs.swap(merged);
    if (inputs.size() > most) {
      return std::nullopt;
    }
  }
  return inputs;
}

void check_fan_in(const dnn::IntegerLayer& layer,
                  const std::vector<std::vector<dnn::Synapse>>& synapses, int axons) {
  const auto most = std::ranges::max_element(synapses, {}, &std::vector<dnn::Synapse>::size);
  if (most != synapses.end() && most->size() > static_cast<std::size_t>(axons)) {
    fail(ErrorCode::kUnsupported,
         "neuron " + std::to_string(most - synapses.begin()) + " of layer '" + layer.name +
             "' has " + std::to_string(most->size()) + " inputs; a core has " +
             std::to_string(axons) + " axons",
         "core",
         "take cores with more axons (up to 1024), or a layer with fewer inputs per neuron");
  }
}

}  // namespace

BlockSizes sizes_of(const dnn::IntegerLayer& layer) {
  for (const dnn::SynapseStep& step : layer.synapses) {
    if (step.kind == dnn::SynapseKind::kConv2d) {
      return {step.output_sizes[0], step.output_sizes[1], step.output_sizes[2]};
    }
  }
  return {layer.size(), 1, 1};
}

LayerBlocks cut(const dnn::IntegerLayer& layer,
                const std::vector<std::vector<dnn::Synapse>>& synapses,
                const sim::CoreConfig& core) {
  check_fan_in(layer, synapses, core.axons);
  const BlockSizes all = sizes_of(layer);
  TS_CHECK(all.all() == layer.size(), "a layer has the neurons that its synapses lead to");
  for (const BlockSizes& block : candidates(all, core.neurons)) {
    LayerBlocks blocks{block, neurons_of(all, block), {}};
    for (const std::vector<std::int64_t>& neurons : blocks.neurons) {
      if (auto inputs = inputs_of(neurons, synapses, static_cast<std::size_t>(core.axons))) {
        blocks.inputs.push_back(std::move(*inputs));
      } else {
        break;
      }
    }
    if (blocks.inputs.size() == blocks.neurons.size()) {
      return blocks;
    }
  }
  TS_CHECK(false, "a neuron alone fits a core");
  return {};
}

}  // namespace tilestrike::bridge

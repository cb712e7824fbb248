// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/reference/full_simulation.h"

#include <ATen/ops/zeros.h>

#include "sim/mesh/arithmetic.h"
#include "sim/mesh/engine.h"

namespace tilestrike::bridge {
namespace {

// The accumulator memory: the first fold of a block overwrites, later ones are added.
at::Tensor collected(const MeshLayer& layer, const std::vector<std::vector<std::int32_t>>& outputs,
                     sim::Overflow overflow, const at::Tensor& like) {
  at::Tensor memory = at::zeros(like.sizes(), c10::TensorOptions(c10::kInt));
  auto* words = memory.data_ptr<std::int32_t>();
  for (int pass = 0; pass < layer.tiling->passes(); ++pass) {
    const Tile tile = layer.tiling->tile(pass);
    const std::vector<std::int32_t>& result = outputs[static_cast<std::size_t>(pass)];
    for (std::int64_t i = 0; i < tile.shape.rows; ++i) {
      for (std::int64_t j = 0; j < tile.shape.columns; ++j) {
        std::int32_t& word =
            words[layer.tiling->gemm().output_index(tile.group, tile.row + i, tile.column + j)];
        const std::int32_t value = result[static_cast<std::size_t>(i * tile.shape.columns + j)];
        word = tile.depth == 0 ? value : sim::sum_of(word, value, overflow);
      }
    }
  }
  return memory.to(like.device());
}

}  // namespace

FullRun simulate_all(const dnn::Network& network, const Mapping& mapping, sim::MeshEngine& engine,
                     const dnn::Inputs& image, std::span<const RegisterFault> faults) {
  FullRun full;
  full.tape.accumulators.resize(network.layers.size());
  const dnn::Executor executor(network);
  sim::MeshState carried = mapping.state_at_start(executor.record(image));
  std::vector<RegisterFault> here;
  const dnn::Hook hook = [&](std::size_t index, dnn::Values& values) {
    const MeshLayer* layer = mapping.mesh_layer(index);
    if (layer == nullptr) {
      return;
    }
    here.clear();
    for (const RegisterFault& fault : faults) {
      if (const auto seen = mapping.schedule().within_run(fault, index)) {
        here.push_back(*seen);
      }
    }
    const at::Tensor& input = values[static_cast<std::size_t>(layer->input.value)].toTensor();
    const at::Tensor right =
        layer->weights.value < 0
            ? at::Tensor()
            : values[static_cast<std::size_t>(layer->weights.value)].toTensor();
    const BoundLayer bound(*layer, input, right);
    sim::MeshJob job;
    job.run = layer->run;
    job.operands = &bound.operands();
    job.faults = here;
    job.golden_start = &carried;
    job.wants_outputs = true;
    sim::MeshResult result = engine.run(job);
    full.passes += layer->tiling->passes();
    const at::Tensor shaped =
        layer->kernel->accumulate(input, right);  // for its shape and device alone
    full.tape.accumulators[index] =
        collected(*layer, result.outputs, mapping.accelerator().mesh.overflow, shaped);
    values[static_cast<std::size_t>(layer->output.value)] =
        layer->kernel->requantise(full.tape.accumulators[index]);
    carried = std::move(result.end);
  };
  full.tape.values.resize(network.values.size());
  const at::Tensor output = executor.run(image, [&](std::size_t index, dnn::Values& values) {
    hook(index, values);
    for (const dnn::ValueId id : network.layers[index].outputs) {
      if (id.value >= 0) {
        full.tape.values[static_cast<std::size_t>(id.value)] =
            values[static_cast<std::size_t>(id.value)];
      }
    }
  });
  full.tape.values[static_cast<std::size_t>(network.output.value)] = output;
  return full;
}

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/residency.h"

#include <algorithm>

#include "base/error.h"

namespace tilestrike::bridge {
namespace {

using Kind = Occupant::Kind;

Occupant left_over() {
  Occupant occupant;
  occupant.is_used = true;
  return occupant;
}

}  // namespace

Residency::Residency(const Schedule& schedule) : schedule_(schedule) {
  TS_CHECK(schedule.memory() != nullptr, "a schedule with memories");
  producers_.resize(placement().tensors().size());
  for (std::size_t i = 0; i < schedule.layers().size(); ++i) {
    const std::vector<int>& outputs = memory().work()[i].outputs;
    for (std::size_t output = 0; output < outputs.size(); ++output) {
      producers_[static_cast<std::size_t>(outputs[output])] = {i, output, false};
    }
    if (schedule.layers()[i].tiling == nullptr) {
      continue;
    }
    mesh_layers_.push_back(i);
    if (placement().weight_place(i).is_in_turn) {
      turn_layers_.push_back(i);
    } else {
      tile_base_.push_back(placement().weight_place(i).base);
      tile_layer_.push_back(i);
    }
  }
}

Occupant Residency::at(std::size_t memory, sim::CodewordId codeword, Cycle cycle) const {
  const Placement& all = placement();
  const auto address = static_cast<std::int64_t>(codeword.value) * all.codeword_bytes(memory);
  if (all.memory_of(sim::MemoryContent::kBacking) == memory) {
    return tensor_at(address, cycle);
  }
  if (memory == all.accumulators().memory) {
    return all.accumulators().contains(address) ? sums_at(address, cycle) : Occupant();
  }
  if (memory == all.weights().memory && all.weights().contains(address)) {
    return weights_at(address, cycle);
  }
  if (memory == all.activations().memory && all.activations().contains(address)) {
    return activations_at(address, cycle);
  }
  return {};
}

Occupant Residency::weights_at(std::int64_t address, Cycle cycle) const {
  const Placement& all = placement();
  Occupant found;
  found.kind = Kind::kWeights;
  if (address < all.slots_base()) {
    const auto after = std::ranges::upper_bound(tile_base_, address);
    found.layer = tile_layer_[static_cast<std::size_t>(after - tile_base_.begin()) - 1];
    const WeightPlace& place = all.weight_place(found.layer);
    found.index = (address - place.base) / place.pitch;
    found.offset = (address - place.base) % place.pitch;
  } else {
    const std::int64_t slot = (address - all.slots_base()) / all.slot_pitch();
    found.offset = (address - all.slots_base()) % all.slot_pitch();
    // The last load that was requested by then, then back to this slot's.
    const auto first_load = [&](std::size_t layer) {
      return memory().layers()[layer].weight_loads.front();
    };
    const auto after =
        std::partition_point(turn_layers_.begin(), turn_layers_.end(),
                             [&](std::size_t layer) { return first_load(layer) <= cycle; });
    if (after == turn_layers_.begin()) {
      return left_over();
    }
    auto layer = after - 1;
    const std::vector<Cycle>* loads = &memory().layers()[*layer].weight_loads;
    std::int64_t tile = (std::ranges::upper_bound(*loads, cycle) - loads->begin()) - 1;
    for (std::int64_t back = 0; back < all.slots(); ++back) {
      if ((memory().layers()[*layer].first_slot + tile) % all.slots() == slot) {
        break;
      }
      if (--tile < 0) {
        if (layer == turn_layers_.begin()) {
          return left_over();
        }
        --layer;
        tile = static_cast<std::int64_t>(memory().layers()[*layer].weight_loads.size()) - 1;
      }
    }
    found.layer = *layer;
    found.index = tile;
  }
  const std::optional<Occupant> tile = weight_tile(found.layer, found.index, found.offset);
  if (!tile) {
    return place_is_in_turn(found.layer) ? left_over() : Occupant();
  }
  return tile->written <= cycle ? *tile : left_over();
}

bool Residency::place_is_in_turn(std::size_t layer) const {
  return placement().weight_place(layer).is_in_turn;
}

std::optional<Occupant> Residency::weight_tile(std::size_t layer, std::int64_t tile,
                                               std::int64_t offset) const {
  const Tiling& tiling = *schedule_.layers()[layer].tiling;
  const int pass = memory().first_pass_of_tile(layer, tiling, tile);
  const std::int64_t bytes = memory().tile_bytes(tiling, pass);
  if (offset >= bytes) {
    return std::nullopt;
  }
  Occupant found{Kind::kWeights, true, layer, tile, offset, kBoot};
  const std::vector<Cycle>& loads = memory().layers()[layer].weight_loads;
  if (!loads.empty()) {
    found.written = memory().written(placement().weights().memory,
                                     loads[static_cast<std::size_t>(tile)], offset, bytes);
  }
  return found;
}

std::optional<Occupant> Residency::activation_block(std::size_t index, std::int64_t offset) const {
  const ActivationBlock& block = memory().blocks()[index];
  if (offset >= block.bytes) {
    return std::nullopt;
  }
  return Occupant{
      Kind::kActivations,
      true,
      block.layer,
      static_cast<std::int64_t>(index),
      offset,
      memory().written(placement().activations().memory, block.load, offset, block.bytes)};
}

std::optional<Occupant> Residency::sum_block(std::size_t layer, std::int64_t block,
                                             std::int64_t offset) const {
  const ScheduledLayer& scheduled = schedule_.layers()[layer];
  const std::int64_t row = offset / (placement().accelerator().mesh.columns * kSumBytes);
  const auto pass = static_cast<int>(block * scheduled.tiling->depth_folds());
  if (row >= scheduled.tiling->tile(pass).shape.rows) {
    return std::nullopt;
  }
  return Occupant{
      Kind::kSums, true,
      layer,       block,
      offset,      MemorySchedule::sum_read(*scheduled.run, scheduled.start, pass, row) + 1};
}

Occupant Residency::activations_at(std::int64_t address, Cycle cycle) const {
  const Region& region = placement().activations();
  const int half = static_cast<int>((address - region.base) / region.bytes);
  const std::vector<ActivationBlock>& blocks = memory().blocks();
  auto after = std::ranges::upper_bound(blocks, cycle, {}, &ActivationBlock::load);
  while (after != blocks.begin() && (after - 1)->half != half) {
    --after;
  }
  if (after == blocks.begin()) {
    return left_over();
  }
  const std::optional<Occupant> found =
      activation_block(static_cast<std::size_t>((after - 1) - blocks.begin()),
                       (address - region.base) % region.bytes);
  return found && found->written <= cycle ? *found : left_over();
}

Occupant Residency::sums_at(std::int64_t address, Cycle cycle) const {
  const Region& region = placement().accumulators();
  const std::int64_t half = (address - region.base) / region.bytes;
  const std::int64_t line = placement().accelerator().mesh.columns * kSumBytes;
  const std::int64_t row = (address - region.base) % region.bytes / line;
  const auto after = std::partition_point(
      mesh_layers_.begin(), mesh_layers_.end(),
      [&](std::size_t layer) { return schedule_.layers()[layer].start <= cycle; });
  if (after == mesh_layers_.begin()) {
    return left_over();
  }
  const std::size_t index = *(after - 1);
  const ScheduledLayer& layer = schedule_.layers()[index];
  const LayerMemory& here = memory().layers()[index];
  const auto blocks = static_cast<std::int64_t>(here.result_reads.size());
  // The last block whose first row's place was written by then: their first passes are in order.
  const auto first_written = [&](std::int64_t block) {
    const auto pass = static_cast<int>(block * layer.tiling->depth_folds());
    const std::int64_t in_block =
        std::min<std::int64_t>(row, layer.tiling->tile(pass).shape.rows - 1);
    return MemorySchedule::sum_read(*layer.run, layer.start, pass, in_block) + 1;
  };
  std::int64_t low = 0;
  std::int64_t high = blocks;
  while (low < high) {
    const std::int64_t middle = (low + high) / 2;
    (first_written(middle) <= cycle ? low : high) =
        first_written(middle) <= cycle ? middle + 1 : middle;
  }
  for (std::int64_t block = low; block-- > 0;) {
    if ((here.first_sum_block + block) % region.parts != half) {
      continue;
    }
    return sum_block(index, block, (address - region.base) % region.bytes).value_or(left_over());
  }
  return left_over();
}

Occupant Residency::tensor_at(std::int64_t address, Cycle cycle) const {
  const std::vector<StoredTensor>& tensors = placement().tensors();
  std::size_t low = 0;
  std::size_t high = tensors.size();
  while (low + 1 < high) {
    const std::size_t middle = (low + high) / 2;
    (placement().tensor_base(static_cast<int>(middle)) <= address ? low : high) = middle;
  }
  Occupant found;
  if (tensors.empty()) {
    return found;
  }
  found.offset = address - placement().tensor_base(static_cast<int>(low));
  if (found.offset >= tensors[low].bytes()) {
    return found;
  }
  found.kind = Kind::kTensor;
  found.index = static_cast<std::int64_t>(low);
  found.written = tensor_written(static_cast<int>(low), found.offset);
  return found.written <= cycle ? found : left_over();
}

std::int64_t Residency::last_byte(int tensor, std::int64_t offset) const {
  const std::int64_t word =
      placement().codeword_bytes(*placement().memory_of(sim::MemoryContent::kBacking));
  const std::int64_t bytes = placement().tensors()[static_cast<std::size_t>(tensor)].bytes();
  return std::min((offset / word + 1) * word, bytes) - 1;
}

Cycle Residency::tensor_written(int tensor, std::int64_t offset) const {
  const StoredTensor& stored = placement().tensors()[static_cast<std::size_t>(tensor)];
  if (stored.is_constant) {
    return kBoot;
  }
  const Producer& producer = producers_[static_cast<std::size_t>(tensor)];
  if (producer.is_input) {
    return 0;
  }
  const std::int64_t last = last_byte(tensor, offset);
  const std::int64_t word =
      placement().codeword_bytes(*placement().memory_of(sim::MemoryContent::kBacking));
  if (schedule_.layers()[producer.layer].tiling == nullptr) {
    return memory().vector_result(producer.layer, last);
  }
  Cycle written = 0;
  for (std::int64_t element = offset / word * word / stored.element_bytes;
       element <= last / stored.element_bytes; ++element) {
    written = std::max(written, result_arrives(producer.layer, producer.output, element));
  }
  return written;
}

Cycle Residency::result_arrives(std::size_t index, std::size_t output, std::int64_t element) const {
  const ScheduledLayer& layer = schedule_.layers()[index];
  const Tiling& tiling = *layer.tiling;
  const auto [group, row, column] = tiling.gemm().output_place(element);
  const std::int64_t fold = column / tiling.column_step();
  const std::int64_t block =
      (group * tiling.column_folds() + fold) * tiling.row_folds() + row / tiling.row_step();
  const Tile tile = tiling.tile(static_cast<int>(block * tiling.depth_folds()));
  const int tensor = memory().work()[index].outputs[output];
  const Cycle pitch = memory().result_pitch(
      tile.shape.columns, placement().tensors()[static_cast<std::size_t>(tensor)].element_bytes);
  return memory().mesh_result(index, block, row - tile.row, pitch);
}

std::vector<Occupant> Residency::all_in(std::size_t memory, sim::CodewordId codeword) const {
  const Placement& all = placement();
  const auto address = static_cast<std::int64_t>(codeword.value) * all.codeword_bytes(memory);
  std::vector<Occupant> found;
  const auto add = [&](const std::optional<Occupant>& occupant) {
    if (occupant) {
      found.push_back(*occupant);
    }
  };
  const Region& sums = all.accumulators();
  const Region& inputs = all.activations();
  if (memory == sums.memory && sums.contains(address)) {
    for (const std::size_t layer : mesh_layers_) {
      const LayerMemory& here = this->memory().layers()[layer];
      for (std::size_t block = 0; block < here.result_reads.size(); ++block) {
        const auto number = here.first_sum_block + static_cast<std::int64_t>(block);
        if (number % sums.parts == (address - sums.base) / sums.bytes) {
          add(sum_block(layer, static_cast<std::int64_t>(block),
                        (address - sums.base) % sums.bytes));
        }
      }
    }
  } else if (memory == all.weights().memory && address >= all.slots_base() &&
             all.weights().contains(address)) {
    const std::int64_t slot = (address - all.slots_base()) / all.slot_pitch();
    for (const std::size_t layer : turn_layers_) {
      const LayerMemory& here = this->memory().layers()[layer];
      for (std::size_t tile = 0; tile < here.weight_loads.size(); ++tile) {
        const auto number = static_cast<std::int64_t>(tile);
        if ((here.first_slot + number) % all.slots() == slot) {
          add(weight_tile(layer, number, (address - all.slots_base()) % all.slot_pitch()));
        }
      }
    }
  } else if (memory == inputs.memory && inputs.contains(address)) {
    for (std::size_t block = 0; block < this->memory().blocks().size(); ++block) {
      if (this->memory().blocks()[block].half == (address - inputs.base) / inputs.bytes) {
        add(activation_block(block, (address - inputs.base) % inputs.bytes));
      }
    }
  } else {  // written once in an inference, or at boot
    const Occupant occupant = at(memory, codeword, schedule_.cycles_per_inference());
    if (occupant.kind != Kind::kNothing) {
      found.push_back(occupant);
    }
  }
  return found;
}

std::vector<Occupant> Residency::during(std::size_t memory, sim::CodewordId codeword,
                                        CycleWindow window) const {
  std::vector<Occupant> all = all_in(memory, codeword);
  std::vector<Occupant> alive;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool is_gone = i + 1 < all.size() && all[i + 1].written <= window.from;
    if (all[i].written < window.until && !is_gone) {
      alive.push_back(all[i]);
    }
  }
  return alive;
}

}  // namespace tilestrike::bridge

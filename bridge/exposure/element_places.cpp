// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/element_places.h"

#include <algorithm>

#include "bridge/exposure/copies.h"
#include "bridge/exposure/mesh_reads.h"

namespace tilestrike::bridge {
namespace {

using Kind = Occupant::Kind;

}  // namespace

struct ElementPlaces::ByteOf {
  int tensor = -1;
  std::int64_t element = -1;  // of the tensor
  int byte = 0;               // of the element
  std::size_t operand = 0;    // of the layer that reads it, and ...
  std::int64_t loaded = -1;   // ... the element of it
};

ElementPlaces::ByteOf ElementPlaces::byte_of_copy(const Occupant& occupant,
                                                  std::int64_t offset) const {
  const CopyByte copied = occupant.kind == Kind::kWeights
                              ? weight_byte(schedule(), occupant.layer, occupant.index, offset)
                              : activation_byte(schedule(), occupant.layer, occupant.index, offset);
  if (copied.element < 0) {
    return {};
  }
  return {memory().work()[occupant.layer].operands[copied.operand].tensor,
          stored(occupant.layer, copied.operand, copied.element), copied.byte, copied.operand,
          copied.element};
}

ElementPlaces::ByteOf ElementPlaces::byte_of_sum(const Occupant& occupant,
                                                 std::int64_t offset) const {
  const Tiling& tiling = *schedule().layers()[occupant.layer].tiling;
  const Tile tile = tiling.tile(static_cast<int>(occupant.index * tiling.depth_folds()));
  const std::int64_t columns = placement().accelerator().mesh.columns;
  const std::int64_t row = offset / kSumBytes / columns, column = offset / kSumBytes % columns;
  const std::vector<int>& outputs = memory().work()[occupant.layer].outputs;
  if (row >= tile.shape.rows || column >= tile.shape.columns || outputs.empty()) {
    return {};
  }
  return {outputs[0], tiling.gemm().output_index(tile.group, tile.row + row, tile.column + column),
          static_cast<int>(offset % kSumBytes), 0, -1};
}

ElementPlaces::ByteOf ElementPlaces::byte_of(const Occupant& occupant, std::int64_t offset) const {
  switch (occupant.kind) {
    case Kind::kWeights:
    case Kind::kActivations:
      return byte_of_copy(occupant, offset);
    case Kind::kSums:
      return byte_of_sum(occupant, offset);
    case Kind::kTensor: {
      const auto index = static_cast<int>(occupant.index);
      const int bytes = tensor(index).element_bytes;
      return offset >= tensor(index).bytes()
                 ? ByteOf{}
                 : ByteOf{index, offset / bytes, static_cast<int>(offset % bytes), 0, -1};
    }
    case Kind::kNothing:
      break;
  }
  return {};
}

std::int64_t ElementPlaces::stored(std::size_t layer, std::size_t operand,
                                   std::int64_t element) const {
  const std::vector<std::int64_t>* order = order_ ? &order_(layer, operand) : nullptr;
  return order == nullptr || order->empty() ? element : (*order)[static_cast<std::size_t>(element)];
}

std::vector<std::int64_t> ElementPlaces::as_loaded(std::size_t layer, std::size_t operand,
                                                   std::int64_t element) const {
  const std::vector<std::int64_t>* order = order_ ? &order_(layer, operand) : nullptr;
  if (order == nullptr || order->empty()) {
    const bool is_seen = element < memory().work()[layer].operands[operand].elements;
    return is_seen ? std::vector<std::int64_t>{element} : std::vector<std::int64_t>{};
  }
  std::vector<std::int64_t> found;
  for (std::size_t i = 0; i < order->size(); ++i) {
    if ((*order)[i] == element) {
      found.push_back(static_cast<std::int64_t>(i));
    }
  }
  return found;
}

std::vector<ElementPlaces::LoadedByte> ElementPlaces::loaded(std::size_t layer, std::size_t operand,
                                                             std::int64_t stored_element) const {
  std::vector<LoadedByte> found;
  for (const std::int64_t element : as_loaded(layer, operand, stored_element)) {
    const bool is_weight = memory().work()[layer].gemm && operand == 1;
    const auto add = [&](std::int64_t copy, std::int64_t offset, std::int64_t bytes) {
      found.push_back(
          {is_weight ? Kind::kWeights : Kind::kActivations, layer, copy, offset, bytes});
    };
    if (is_weight) {
      for_each_tile_of(schedule(), layer, element, add);
    } else {
      for_each_block_of(schedule(), layer, operand, element, add);
    }
  }
  return found;
}

void ElementPlaces::add_fetches(int index, std::int64_t element, std::vector<Cycle>& reads) const {
  for (std::size_t layer = 0; layer < memory().work().size(); ++layer) {
    const LayerWork& work = memory().work()[layer];
    for (std::size_t operand = 0; operand < work.operands.size(); ++operand) {
      if (work.operands[operand].tensor != index) {
        continue;
      }
      for (const LoadedByte& byte : loaded(layer, operand, element)) {
        const auto number = static_cast<std::size_t>(byte.index);
        if (byte.kind == Kind::kActivations) {
          reads.push_back(memory().fetched(placement().activations().memory,
                                           memory().blocks()[number].load, byte.offset,
                                           byte.bytes));
          continue;
        }
        const std::vector<Cycle>& loads = memory().layers()[layer].weight_loads;
        if (!loads.empty()) {
          reads.push_back(memory().fetched(placement().weights().memory, loads[number], byte.offset,
                                           byte.bytes));
        }
      }
    }
  }
}

void ElementPlaces::add_reads(const Occupant& occupant, std::int64_t offset, const ByteOf& byte,
                              std::vector<Cycle>& reads) const {
  if (byte.element < 0) {
    return;
  }
  const std::size_t layer = occupant.layer;
  const auto add = [&](const MeshRead& read) { reads.push_back(read.cycle); };
  switch (occupant.kind) {
    case Kind::kWeights: {
      const Tiling& tiling = *schedule().layers()[layer].tiling;
      MeshReads(schedule(), layer)
          .of_weight(memory().first_pass_of_tile(layer, tiling, occupant.index),
                     placement().weight_place(layer).is_in_turn,
                     offset / placement().accelerator().mesh.columns, add);
      break;
    }
    case Kind::kActivations: {
      const ActivationBlock& block = memory().blocks()[static_cast<std::size_t>(occupant.index)];
      if (memory().work()[layer].gemm) {
        MeshReads(schedule(), layer).of_activation(block, byte.loaded, add);
      } else {
        reads.push_back(
            memory().vector_read(block, memory().part(block, byte.operand), byte.loaded));
      }
      break;
    }
    case Kind::kSums: {
      const ScheduledLayer& scheduled = schedule().layers()[layer];
      const Tiling& tiling = *scheduled.tiling;
      const std::int64_t columns = placement().accelerator().mesh.columns;
      const std::int64_t row = offset / kSumBytes / columns;
      const auto first = static_cast<int>(occupant.index * tiling.depth_folds());
      // The first fold overwrites; every other reads and writes back; then the result leaves.
      for (int fold = 1; fold < tiling.depth_folds(); ++fold) {
        reads.push_back(
            MemorySchedule::sum_read(*scheduled.run, scheduled.start, first + fold, row));
      }
      const Cycle pitch = memory().result_pitch(tiling.tile(first).shape.columns,
                                                tensor(byte.tensor).element_bytes);
      reads.push_back(
          memory().layers()[layer].result_reads[static_cast<std::size_t>(occupant.index)] +
          row * pitch);
      break;
    }
    case Kind::kTensor:
      add_fetches(byte.tensor, byte.element, reads);
      break;
    case Kind::kNothing:
      break;
  }
}

HeldBit ElementPlaces::held(std::size_t index, const Occupant& occupant, int bit) const {
  HeldBit found;
  found.occupant = occupant;
  const std::int64_t word = placement().codeword_bytes(index);
  const std::int64_t first = bit < 8 * word ? bit / 8 : 0;
  const std::int64_t last = bit < 8 * word ? first : word - 1;
  for (std::int64_t byte = first; byte <= last; ++byte) {
    const ByteOf what = byte_of(occupant, occupant.offset + byte);
    add_reads(occupant, occupant.offset + byte, what, found.reads);
    if (bit < 8 * word && what.element >= 0) {
      found.tensor = what.tensor;
      found.element = what.element;
      found.bit = 8 * what.byte + bit % 8;
    }
  }
  std::ranges::sort(found.reads);
  const auto rest = std::ranges::unique(found.reads);
  found.reads.erase(rest.begin(), rest.end());
  return found;
}

std::vector<HeldBit> ElementPlaces::held_in(std::size_t index, sim::CodewordBit bit) const {
  std::vector<HeldBit> all;
  for (const Occupant& occupant : residency_.all_in(index, bit.codeword)) {
    all.push_back(held(index, occupant, bit.bit));
  }
  std::ranges::stable_sort(all, {}, [](const HeldBit& one) { return one.occupant.written; });
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool is_last = i + 1 == all.size();
    all[i].until = is_last ? schedule().cycles_per_inference() : all[i + 1].occupant.written;
    all[i].stays = is_last && all[i].occupant.written == kBoot;
  }
  return all;
}

void ElementPlaces::add_place(std::size_t index, std::int64_t address, int bit, Kind kind,
                              std::size_t layer, std::int64_t number,
                              std::vector<PlacedBit>& places) const {
  const std::int64_t word = placement().codeword_bytes(index);
  const sim::CodewordBit at{sim::CodewordId(static_cast<std::uint64_t>(address / word)),
                            static_cast<int>(address % word * 8 + bit)};
  for (HeldBit& held : held_in(index, at)) {
    const Occupant& occupant = held.occupant;
    if (occupant.kind == kind && occupant.index == number &&
        (kind == Kind::kTensor || occupant.layer == layer)) {
      places.push_back({index, at, std::move(held)});
    }
  }
}

int ElementPlaces::bits_of(int index) const {
  const int own = 8 * tensor(index).element_bytes;
  const bool has_sums = std::ranges::any_of(memory().work(), [&](const LayerWork& work) {
    return work.gemm && std::ranges::find(work.outputs, index) != work.outputs.end();
  });
  return has_sums ? std::max<int>(own, 8 * kSumBytes) : own;
}

std::vector<PlacedBit> ElementPlaces::places_of(int index, std::int64_t element, int bit) const {
  std::vector<PlacedBit> places;
  const bool is_of_element = bit < 8 * tensor(index).element_bytes;  // else of its sum alone
  if (const auto backing = placement().memory_of(sim::MemoryContent::kBacking);
      backing && is_of_element) {
    add_place(*backing,
              placement().tensor_base(index) + element * tensor(index).element_bytes + bit / 8,
              bit % 8, Kind::kTensor, 0, index, places);
  }
  for (std::size_t layer = 0; layer < memory().work().size(); ++layer) {
    const LayerWork& work = memory().work()[layer];
    for (std::size_t operand = 0; operand < work.operands.size(); ++operand) {
      if (work.operands[operand].tensor != index || !is_of_element) {
        continue;
      }
      for (const LoadedByte& byte : loaded(layer, operand, element)) {
        const Region& region = placement().activations();
        const bool is_weight = byte.kind == Kind::kWeights;
        const std::int64_t base =
            is_weight
                ? memory().tile_address(layer, byte.index)
                : region.base +
                      region.bytes * memory().blocks()[static_cast<std::size_t>(byte.index)].half;
        add_place(is_weight ? placement().weights().memory : region.memory,
                  base + byte.offset + bit / 8, bit % 8, byte.kind, layer, byte.index, places);
      }
    }
    const bool is_output = std::ranges::find(work.outputs, index) != work.outputs.end();
    if (work.gemm && is_output) {
      const Tiling& tiling = *schedule().layers()[layer].tiling;
      const GemmShape::OutputPlace place = work.gemm->output_place(element);
      const std::int64_t block =
          (place.group * tiling.column_folds() + place.column / tiling.column_step()) *
              tiling.row_folds() +
          place.row / tiling.row_step();
      const Tile tile = tiling.tile(static_cast<int>(block * tiling.depth_folds()));
      const Region& sums = placement().accumulators();
      const std::int64_t half = (memory().layers()[layer].first_sum_block + block) % sums.parts;
      const std::int64_t sum = (place.row - tile.row) * placement().accelerator().mesh.columns +
                               place.column - tile.column;
      add_place(sums.memory, sums.base + half * sums.bytes + sum * kSumBytes + bit / 8, bit % 8,
                Kind::kSums, layer, block, places);
    }
  }
  return places;
}

}  // namespace tilestrike::bridge

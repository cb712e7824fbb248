// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/operand_copies.h"

#include <algorithm>

#include "bridge/exposure/load_order.h"
#include "bridge/exposure/mesh_reads.h"
#include "bridge/exposure/run_values.h"
#include "bridge/exposure/struck_contents.h"

namespace tilestrike::bridge {

void OperandCopies::for_each_place(const StoredElement& element, const LoadOrder& order,
                                   const VisitPlace& visit) const {
  for (std::size_t layer = 0; layer < memory().work().size(); ++layer) {
    const std::vector<StoredOperand>& operands = memory().work()[layer].operands;
    for (std::size_t operand = 0; operand < operands.size(); ++operand) {
      if (operands[operand].tensor != element.tensor || !hold(layer, operand)) {
        continue;
      }
      for (const std::int64_t loaded : order.loaded(layer, operand, element.element)) {
        for_each_with(layer, operand, loaded, [&](std::int64_t copy, std::int64_t offset) {
          visit(address(layer, copy) + offset, layer, copy);
        });
      }
    }
  }
}

StoredElement OperandCopies::stored(const Occupant& occupant, const CopyByte& byte,
                                    const LoadOrder& order) const {
  return {memory().work()[occupant.layer].operands[byte.operand].tensor,
          order.stored(occupant.layer, byte.operand, byte.element)};
}

sim::BitString OperandCopies::data(const Occupant& occupant, const RunValues& values,
                                   Cycle /*cycle*/) const {
  sim::BitString data;
  std::vector<at::Tensor> operands(memory().work()[occupant.layer].operands.size());
  for (std::int64_t i = 0; i < placement().codeword_bytes(region().memory); ++i) {
    const CopyByte place = byte(occupant, i);
    if (place.element < 0) {
      continue;
    }
    at::Tensor& operand = operands[place.operand];
    if (!operand.defined()) {
      operand = values.operand(occupant.layer, place.operand);
    }
    const std::uint64_t raw = raw_of(operand, place.element);
    data.set_field(static_cast<int>(8 * i), 8, (raw >> (8 * place.byte)) & 0xFF);
  }
  return data;
}

void OperandCopies::add_reads(const Occupant& occupant, const CopyByte& byte,
                              std::vector<Cycle>& cycles) const {
  if (schedule().layers()[occupant.layer].tiling != nullptr) {
    MeshReads(schedule(), occupant.layer)
        .of({byte.operand, occupant.index, byte.element},
            [&](const MeshRead& read) { cycles.push_back(read.cycle); });
    return;
  }
  const ActivationBlock& block = memory().blocks()[static_cast<std::size_t>(occupant.index)];
  cycles.push_back(memory().vector_read(block, memory().part(block, byte.operand), byte.element));
}

void OperandCopies::add_reads(const Occupant& occupant, const CopyByte& byte,
                              const LoadOrder& /*order*/, std::vector<Cycle>& cycles) const {
  add_reads(occupant, byte, cycles);
}

std::vector<Cycle> OperandCopies::refetching_reads(const Occupant& occupant) const {
  std::vector<Cycle> cycles;
  for (std::int64_t i = 0; i < placement().codeword_bytes(region().memory); ++i) {
    if (const CopyByte place = byte(occupant, i); place.element >= 0) {
      add_reads(occupant, place, cycles);
    }
  }
  std::ranges::sort(cycles);
  const auto same = std::ranges::unique(cycles);
  cycles.erase(same.begin(), same.end());
  return cycles;
}

void OperandCopies::add_to(StruckContents& contents, StruckContent content) const {
  const std::size_t layer = content.occupant.layer;
  contents.on_chip[layer].operands.push_back(std::move(content));
  contents.last_layer = std::max(contents.last_layer, layer);
}

}  // namespace tilestrike::bridge

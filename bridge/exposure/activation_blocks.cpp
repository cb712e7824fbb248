// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/activation_blocks.h"

#include <algorithm>

#include "bridge/exposure/memory_contents.h"

namespace tilestrike::bridge {

ActivationBlocks::ActivationBlocks(const Schedule& schedule)
    : OperandCopies(schedule, sim::MemoryContent::kActivations,
                    schedule.memory()->placement().activations()) {}

int ActivationBlocks::element_bytes(std::size_t layer, std::size_t operand) const {
  const int tensor = memory().work()[layer].operands[operand].tensor;
  return placement().tensors()[static_cast<std::size_t>(tensor)].element_bytes;
}

std::optional<Occupant> ActivationBlocks::part_of(std::int64_t index, std::int64_t offset) const {
  const ActivationBlock& all = block(index);
  if (offset >= all.bytes) {
    return std::nullopt;
  }
  return Occupant{this,  true,   all.layer,
                  index, offset, memory().written(region().memory, all.load, offset, all.bytes)};
}

Occupant ActivationBlocks::at(std::int64_t address, Cycle cycle) const {
  const auto half = static_cast<int>((address - region().base) / region().bytes);
  const std::vector<ActivationBlock>& blocks = memory().blocks();
  auto after = std::ranges::upper_bound(blocks, cycle, {}, &ActivationBlock::load);
  while (after != blocks.begin() && (after - 1)->half != half) {
    --after;
  }
  if (after == blocks.begin()) {
    return left_over();
  }
  const std::optional<Occupant> found =
      part_of((after - 1) - blocks.begin(), (address - region().base) % region().bytes);
  return found && found->written <= cycle ? *found : left_over();
}

std::vector<Occupant> ActivationBlocks::all_in(std::int64_t address) const {
  std::vector<Occupant> found;
  for (std::size_t i = 0; i < memory().blocks().size(); ++i) {
    if (memory().blocks()[i].half != (address - region().base) / region().bytes) {
      continue;
    }
    if (const auto part =
            part_of(static_cast<std::int64_t>(i), (address - region().base) % region().bytes)) {
      found.push_back(*part);
    }
  }
  return found;
}

void ActivationBlocks::add_spans(int /*answer*/, std::vector<ContentSpan>& spans) const {
  for (std::size_t i = 0; i < memory().blocks().size(); ++i) {
    const ActivationBlock& block = memory().blocks()[i];
    if (block.bytes > 0) {
      spans.push_back({address(block.layer, static_cast<std::int64_t>(i)), block.bytes,
                       memory().written(region().memory, block.load, 0, block.bytes),
                       block.last_read, role(), block.layer, "block " + std::to_string(i)});
    }
  }
}

CopyByte ActivationBlocks::byte(std::size_t layer, std::int64_t index, std::int64_t offset) const {
  const ActivationBlock& all = block(index);
  CopyByte found;
  if (offset >= all.bytes) {
    return found;
  }
  if (const Tiling* tiling = schedule().layers()[layer].tiling.get(); tiling != nullptr) {
    found.element = all.slice.element_at(tiling->gemm(), offset);
    return found;
  }
  const std::vector<StoredOperand>& operands = memory().work()[layer].operands;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].tensor < 0) {
      continue;
    }
    const ChunkPart part = memory().part(all, i);
    const int size = element_bytes(layer, i);
    const std::int64_t place = offset - part.offset;
    if (place >= 0 && place < (part.last - part.first) * size) {
      found = {i, part.first + place / size, static_cast<int>(place % size)};
    }
  }
  return found;
}

void ActivationBlocks::for_each_with(std::size_t layer, std::size_t operand, std::int64_t element,
                                     const VisitCopy& visit) const {
  const LayerMemory& here = memory().layers()[layer];
  const LayerWork& work = memory().work()[layer];
  for (std::size_t index = here.first_block; index < here.last_block; ++index) {
    const ActivationBlock& all = memory().blocks()[index];
    std::int64_t offset = -1;
    if (work.gemm) {
      offset = all.slice.place_of(*work.gemm, element);
    } else {
      const ChunkPart part = memory().part(all, operand);
      if (part.first <= element && element < part.last) {
        offset = part.offset + (element - part.first) * element_bytes(layer, operand);
      }
    }
    if (offset >= 0) {
      visit(static_cast<std::int64_t>(index), offset);
    }
  }
}

std::int64_t ActivationBlocks::address(std::size_t /*layer*/, std::int64_t index) const {
  return region().base + block(index).half * region().bytes;
}

std::optional<Cycle> ActivationBlocks::fetched(std::size_t /*layer*/, std::int64_t index,
                                               std::int64_t offset) const {
  return memory().fetched(region().memory, block(index).load, offset, block(index).bytes);
}

std::optional<Cycle> ActivationBlocks::last_fetched(std::size_t layer) const {
  const LayerMemory& here = memory().layers()[layer];
  std::optional<Cycle> last;
  for (std::size_t i = here.first_block; i < here.last_block; ++i) {
    const ActivationBlock& all = memory().blocks()[i];
    if (all.bytes > 0) {
      const Cycle cycle = memory().fetched(region().memory, all.load, all.bytes - 1, all.bytes);
      last = std::max(last.value_or(cycle), cycle);
    }
  }
  return last;
}

}  // namespace tilestrike::bridge

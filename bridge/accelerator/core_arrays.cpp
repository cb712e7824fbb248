// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/accelerator/core_arrays.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "sim/chip/chip.h"
#include "sim/ecc/ecc_code.h"

namespace tilestrike::bridge {
namespace {

constexpr std::uint64_t kWordsPerRow = 8;

std::uint64_t codewords_per_word(const sim::CoreBlock& array) {
  return static_cast<std::uint64_t>(array.bits / codeword_bits(array));
}

std::uint64_t codewords_of_core(const sim::CoreBlock& array) {
  return array.words * codewords_per_word(array);
}

sim::MemoryConfig memory_of(const sim::CoreBlock& array, const AcceleratorConfig& accelerator,
                            std::size_t cores) {
  const std::uint64_t codewords = codewords_of_core(array);
  const std::uint64_t in_row = std::gcd(codewords, kWordsPerRow);
  const std::uint64_t row_bits = in_row * static_cast<std::uint64_t>(codeword_bits(array));
  if (row_bits % 8 != 0) {
    fail(ErrorCode::kUnsupported,
         "accelerator.core: a row of " + array.name + " would have " + std::to_string(row_bits) +
             " bits, which are no whole bytes",
         "accelerator",
         array.storage == sim::CoreStorage::kQueue
             ? "give 'accelerator.core.queue' at least 4 entries"
             : "give 'accelerator.core.destinations' at least 8 entries");
  }
  sim::MemoryConfig memory;
  memory.banks = static_cast<int>(cores);
  memory.row_bytes = static_cast<int>(row_bits / 8);
  memory.capacity_bytes =
      static_cast<std::int64_t>(codewords / in_row * (row_bits / 8)) * static_cast<int>(cores);
  memory.data_bits = codeword_bits(array);
  memory.interleave = std::gcd(accelerator.chip.interleave, static_cast<int>(in_row));
  memory.ecc = sim::ecc_of(accelerator.core, array.storage);
  memory.scrub_cycles = memory.ecc == sim::EccKind::kNone ? 0 : accelerator.chip.scrub_cycles;
  return memory;
}

}  // namespace

int codeword_bits(const sim::CoreBlock& array) { return std::min(array.bits, sim::kCodewordBits); }

std::vector<std::pair<std::string, sim::MemoryConfig>> core_arrays(
    const AcceleratorConfig& accelerator, std::size_t cores) {
  const sim::CoreSites sites(accelerator.core);
  std::vector<std::pair<std::string, sim::MemoryConfig>> memories;
  for (const sim::CoreBlock& block : sites.blocks()) {
    if (block.is_array()) {
      memories.emplace_back(block.name, memory_of(block, accelerator, cores));
    }
  }
  return memories;
}

NamedParts<sim::MemoryConfig> memories_of(const AcceleratorConfig& accelerator) {
  if (!accelerator.has_core) {
    return accelerator.memory;
  }
  const sim::CoreSites sites(accelerator.core);
  NamedParts<sim::MemoryConfig> memories = core_arrays(accelerator, 1);
  std::erase_if(memories, [&](const auto& memory) {
    return sites.block_named(memory.first)->cells != sim::CoreCells::kSram;
  });
  return memories;
}

CoreCell core_cell(const sim::CoreBlock& array, CodewordBit bit) {
  const std::uint64_t in_core = codewords_of_core(array);
  return {bit.codeword.value / in_core, CodewordId(bit.codeword.value % in_core), bit.bit};
}

CodewordBit codeword_bit(const sim::CoreBlock& array, const CoreCell& cell) {
  return {CodewordId(cell.core * codewords_of_core(array) + cell.codeword.value), cell.bit};
}

sim::CoreSite site_of(const sim::CoreBlock& array, const CoreCell& cell) {
  TS_CHECK(cell.bit < codeword_bits(array), "a data bit");
  const std::uint64_t in_word = codewords_per_word(array);
  const auto first = static_cast<int>(cell.codeword.value % in_word) * codeword_bits(array);
  return {array.storage, static_cast<std::uint32_t>(cell.codeword.value / in_word),
          first + cell.bit};
}

CoreCell cell_of(const sim::CoreBlock& array, std::size_t core, const sim::CoreSite& site) {
  const int width = codeword_bits(array);
  return {core,
          CodewordId(site.word * codewords_per_word(array) +
                     static_cast<std::uint64_t>(site.bit / width)),
          site.bit % width};
}

sim::CoreSite site_beside(const sim::CoreBlock& array, CoreCell cell) {
  cell.bit = cell.bit < codeword_bits(array) ? cell.bit : 0;
  return site_of(array, cell);
}

bool is_booted(const sim::BootedChip& chip, const sim::CoreBlock& array, const CoreCell& cell) {
  const sim::CoreState& state = chip.core(static_cast<std::int32_t>(cell.core)).state();
  sim::BitString data;
  for (int bit = 0; bit < codeword_bits(array); ++bit) {
    if (state.bit(site_of(array, {cell.core, cell.codeword, bit}))) {
      data.flip(bit);
    }
  }
  const sim::EccKind kind = sim::ecc_of(chip.config().core, array.storage);
  return sim::EccCode::make(kind, codeword_bits(array)).encode(data).test(cell.bit);
}

}  // namespace tilestrike::bridge

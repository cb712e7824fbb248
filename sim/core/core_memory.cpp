// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/core_memory.h"

#include <algorithm>

#include "base/error.h"

namespace tilestrike::sim {
namespace {

constexpr int kRowBytes = 64;  // of no account here: cells are named by codeword and bit

bool lies_in_memory(CoreStorage storage) { return static_cast<int>(storage) < kCoreMemories; }
static_assert(static_cast<int>(CoreStorage::kSynapses) == 0 &&
              static_cast<int>(CoreStorage::kParameters) == 1);

MemoryArray array_of(const CoreBlock& block, EccKind ecc) {
  const EccCode& code = EccCode::make(ecc, kCodewordBits);
  return MemoryArray(ArrayGeometry({.capacity_bytes = static_cast<std::int64_t>(block.size() / 8),
                                    .banks = 1,
                                    .row_bytes = kRowBytes,
                                    .data_bits = kCodewordBits,
                                    .check_bits = code.check_bits(),
                                    .interleave = 1}),
                     code);
}

}  // namespace

MemoryCore::MemoryCore(const CoreSites& sites, CoreReader& reader) : BurstCore(sites, &reader) {
  const CoreArrayEcc& ecc = sites.config().ecc;
  arrays_.push_back(array_of(sites.block(CoreStorage::kSynapses), ecc.synapses));
  arrays_.push_back(array_of(sites.block(CoreStorage::kParameters), ecc.parameters));
}

void MemoryCore::restore(const CoreState& next) {
  for (const auto& [number, codeword] : struck_) {
    const auto storage = static_cast<CoreStorage>(number);
    const std::uint64_t data = next.all(storage)[codeword.value];
    state().all(storage)[codeword.value] = data;
    array(storage).write(codeword, BitString(data));
  }
  struck_.clear();
}

void MemoryCore::set_state(const CoreState& next) {
  restore(next);
  const bool is_booted = std::ranges::equal(state().booted(), next.booted());
  BurstCore::set_state(next);
  for (int number = 0; !is_booted && number < kCoreMemories; ++number) {
    const auto storage = static_cast<CoreStorage>(number);
    const std::span<const std::uint64_t> limbs = state().all(storage);
    std::vector<CodewordFinding> none;
    array(storage).write_bytes(
        0, {reinterpret_cast<const std::uint8_t*>(limbs.data()), limbs.size_bytes()}, none);
  }
}

bool MemoryCore::strike(const CoreSite& site, FaultKind kind) {
  const bool is_changed = BurstCore::strike(site, kind);
  if (is_changed && lies_in_memory(site.storage)) {
    const std::size_t limbs = sites().block(site.storage).limbs;
    const CodewordId codeword(site.word * limbs +
                              static_cast<std::uint64_t>(site.bit / kCodewordBits));
    array(site.storage).flip(CodewordBit{codeword, site.bit % kCodewordBits});
    struck_.insert({static_cast<std::size_t>(site.storage), codeword});
  }
  return is_changed;
}

bool MemoryCore::strike_check(CoreStorage storage, CodewordBit bit, FaultKind kind) {
  TS_CHECK(lies_in_memory(storage) && bit.bit < array(storage).code().codeword_bits() &&
               kind != FaultKind::kRandom,
           "a check bit of an array with ECC");
  const bool is_set = array(storage).cells(bit.codeword).test(bit.bit);
  if (kind != FaultKind::kFlip && is_set == (kind == FaultKind::kStuckAt1)) {
    return false;
  }
  array(storage).flip(bit);
  struck_.insert({static_cast<std::size_t>(storage), bit.codeword});
  return true;
}

std::uint64_t MemoryCore::check_bits(CoreStorage storage, CodewordId codeword) const {
  const int bits = array(storage).code().check_bits();
  return bits == 0 ? 0 : array(storage).cells(codeword).field(kCodewordBits, bits);
}

}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/effects/struck_copies.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "bridge/exposure/mesh_reads.h"

namespace tilestrike::bridge {

StruckCopies::StruckCopies(const Residency& residency, const MeshStrike& strike)
    : residency_(residency), strike_(strike) {
  const MeshReads reads(residency.schedule(), strike.layer.layer());
  std::set<int> passes;
  for (const CopiedElement& copied : strike.loaded.reads.elements()) {
    reads.of(copied, [&](const MeshRead& read) { passes.insert(read.pass); });
  }
  const auto& [operands, sums] = strike.on_chip;
  for (const StruckContent& struck : operands) {
    add_operand(struck, passes);
  }
  for (const StruckContent& struck : sums) {
    add_sums(struck, passes);
  }
  for (std::size_t place = 0; place < operands.size() + sums.size(); ++place) {
    const StruckWord& word = *content(place).word;
    of_word_[{word.memory, word.codeword.value}].push_back(place);
  }
  for (auto& [word, places] : of_word_) {
    std::ranges::stable_sort(places, {},
                             [&](std::size_t place) { return content(place).occupant.written; });
  }
  passes_.assign(passes.begin(), passes.end());
}

// Reads before the strike give what was loaded.
void StruckCopies::add_operand(const StruckContent& struck, std::set<int>& passes) {
  const auto& [word, occupant, refetched] = struck;
  const std::int64_t bytes = residency_.placement().codeword_bytes(word->memory);
  Operand& operand = operands_.emplace_back();
  operand.address = static_cast<std::int64_t>(word->codeword.value) * bytes;
  operand.loaded.resize(static_cast<std::size_t>(bytes));
  struck_.emplace(occupant.copies, occupant.index, occupant.offset);
  fill(*occupant.copies, occupant.index, occupant.offset, operand.loaded);
  Cycle first = std::numeric_limits<Cycle>::max();
  for (const CellFault& fault : word->faults) {
    first = std::min(first, fault.when.from);
  }
  const MeshReads reads(residency_.schedule(), strike_.layer.layer());
  for (std::int64_t byte = 0; byte < bytes; ++byte) {
    const CopyByte at = occupant.copies->byte(occupant, byte);
    if (at.element < 0) {
      continue;
    }
    const CopiedElement copied{at.operand, occupant.index, at.element};
    operand.is_from_struck = operand.is_from_struck || strike_.loaded.reads.has(copied);
    reads.of(copied, [&](const MeshRead& read) {
      if (read.cycle > first) {
        passes.insert(read.pass);
      }
    });
  }
}

void StruckCopies::add_sums(const StruckContent& struck, std::set<int>& passes) {
  if (!blocks_.insert(struck.occupant.index).second) {
    return;
  }
  const int folds = strike_.layer.tiling().depth_folds();
  for (int fold = 0; fold < folds; ++fold) {
    passes.insert(static_cast<int>(struck.occupant.index) * folds + fold);
  }
}

void StruckCopies::fill(const Copies& copies, std::int64_t copy, std::int64_t offset,
                        std::span<std::uint8_t> out) const {
  const LayerRead& loaded = strike_.loaded;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const CopyByte at =
        copies.byte(strike_.layer.layer(), copy, offset + static_cast<std::int64_t>(i));
    if (at.element < 0) {
      out[i] = 0;
      continue;
    }
    out[i] =
        static_cast<const std::uint8_t*>(loaded.operands[at.operand].const_data_ptr())[at.element];
    if (!loaded.reads.is_empty()) {  // what the backing memory held wrong holds from the load on
      out[i] = static_cast<std::uint8_t>(
          loaded.reads.value({at.operand, copy, at.element}, out[i], 1, 0));
    }
  }
}

std::size_t StruckCopies::content_of(std::size_t memory, sim::CodewordId codeword,
                                     Cycle cycle) const {
  const auto all = of_word_.find({memory, codeword.value});
  TS_CHECK(all != of_word_.end(), "only struck codewords are found wrong");
  std::size_t found = all->second.front();
  for (const std::size_t place : all->second) {
    if (content(place).occupant.written < cycle) {
      found = place;
    }
  }
  return found;
}

}  // namespace tilestrike::bridge

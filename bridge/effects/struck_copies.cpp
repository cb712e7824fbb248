// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/effects/struck_copies.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "bridge/exposure/mesh_reads.h"

namespace tilestrike::bridge {

StruckCopies::StruckCopies(const Residency& residency, const MeshStrike& strike)
    : residency_(residency), strike_(strike), contents_(strike.on_chip.size()) {
  const Tiling& tiling = strike.layer.tiling();
  const MeshReads reads(residency.schedule(), strike.layer.layer());
  std::set<int> passes;
  for (const CopiedElement& copied : strike.loaded.reads.elements()) {
    reads.of(copied, [&](const MeshRead& read) { passes.insert(read.pass); });
  }
  for (std::size_t i = 0; i < contents_.size(); ++i) {
    const StruckContents::Content& struck = strike.on_chip[i];
    of_word_[{struck.word->memory, struck.word->codeword.value}].push_back(i);
    contents_[i].address = static_cast<std::int64_t>(struck.word->codeword.value) *
                           residency.placement().codeword_bytes(struck.word->memory);
    if (struck.occupant.kind != Kind::kSums) {
      add_copy(struck, contents_[i], passes);
    } else if (blocks_.insert(struck.occupant.index).second) {
      const int first = static_cast<int>(struck.occupant.index) * tiling.depth_folds();
      for (int fold = 0; fold < tiling.depth_folds(); ++fold) {
        passes.insert(first + fold);
      }
    }
  }
  for (auto& [word, indices] : of_word_) {
    std::ranges::stable_sort(indices, {},
                             [&](std::size_t i) { return strike.on_chip[i].occupant.written; });
  }
  passes_.assign(passes.begin(), passes.end());
}

// Reads before the strike give what was loaded.
void StruckCopies::add_copy(const StruckContents::Content& struck, Content& content,
                            std::set<int>& passes) {
  const auto& [word, occupant, refetched] = struck;
  struck_.emplace(occupant.kind, occupant.index, occupant.offset);
  content.loaded.resize(
      static_cast<std::size_t>(residency_.placement().codeword_bytes(word->memory)));
  fill(occupant.kind, occupant.index, occupant.offset, content.loaded);
  Cycle first = std::numeric_limits<Cycle>::max();
  for (const CellFault& fault : word->faults) {
    first = std::min(first, fault.when.from);
  }
  const MeshReads reads(residency_.schedule(), strike_.layer.layer());
  for (std::size_t byte = 0; byte < content.loaded.size(); ++byte) {
    const CopyByte at =
        place(occupant.kind, occupant.index, occupant.offset + static_cast<std::int64_t>(byte));
    if (at.element < 0) {
      continue;
    }
    const CopiedElement copied{at.operand, occupant.index, at.element};
    content.is_from_struck = content.is_from_struck || strike_.loaded.reads.has(copied);
    reads.of(copied, [&](const MeshRead& read) {
      if (read.cycle > first) {
        passes.insert(read.pass);
      }
    });
  }
}

CopyByte StruckCopies::place(Kind kind, std::int64_t copy, std::int64_t offset) const {
  return kind == Kind::kWeights
             ? weight_byte(residency_.schedule(), strike_.layer.layer(), copy, offset)
             : activation_byte(residency_.schedule(), strike_.layer.layer(), copy, offset);
}

void StruckCopies::fill(Kind kind, std::int64_t copy, std::int64_t offset,
                        std::span<std::uint8_t> out) const {
  const LayerRead& loaded = strike_.loaded;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const CopyByte at = place(kind, copy, offset + static_cast<std::int64_t>(i));
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
  for (const std::size_t i : all->second) {
    if (strike_.on_chip[i].occupant.written < cycle) {
      found = i;
    }
  }
  return found;
}

}  // namespace tilestrike::bridge

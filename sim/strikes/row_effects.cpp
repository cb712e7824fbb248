// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/strikes/row_effects.h"

#include <algorithm>
#include <bit>

namespace tilestrike::sim {
namespace {

struct StruckCodeword {
  int number = 0;
  unsigned columns = 0;  // of the mask
  std::vector<int> bits;
};

}  // namespace

const MaskEffects& RowEffects::of(unsigned mask) {
  MaskEffects& effects = masks_[mask];
  if (effects.flags.empty()) {
    effects.flags.resize(static_cast<std::size_t>(period_));
    for (int place = 0; place < period_; ++place) {
      fill(mask, place, effects);
    }
  }
  return effects;
}

void RowEffects::fill(unsigned mask, int place, MaskEffects& effects) const {
  std::vector<StruckCodeword> codewords;
  for (int column = 0; column < kMostEnumeratedCells; ++column) {
    if ((mask >> column & 1) == 0) {
      continue;
    }
    const int absolute = place + column;
    const int slot = absolute / layout_.interleave;
    const int number =
        slot / layout_.codeword_bits * layout_.interleave + absolute % layout_.interleave;
    auto known = std::find_if(codewords.begin(), codewords.end(),
                              [&](const StruckCodeword& word) { return word.number == number; });
    if (known == codewords.end()) {
      known = codewords.insert(known, {number, 0, {}});
    }
    known->columns |= 1U << column;
    known->bits.push_back(slot % layout_.codeword_bits);
  }
  std::uint8_t& flags = effects.flags[static_cast<std::size_t>(place)];
  for (const StruckCodeword& word : codewords) {
    flags |= word.bits.size() >= 2 ? kSeveralBitsFlag : 0;
    flags |= word.bits.size() >= 3 ? kThreeBitsFlag : 0;
    const ReadResult result = judge_(word.bits);
    if (result == ReadResult::kRight) {
      continue;
    }
    const bool is_detected = result == ReadResult::kDetected;
    flags |= is_detected ? kDetectedFlag : kSilentFlag;
    auto& share = is_detected ? effects.detected_share : effects.silent_share;
    for (std::size_t column = 0; column < share.size(); ++column) {
      share[column] += (word.columns >> column & 1) / static_cast<double>(period_);
    }
  }
  effects.is_quiet = effects.is_quiet && flags == 0;
}

ShapeRows::ShapeRows(const ClusterShape& shape) {
  for (std::size_t i = 0; i < shape.used().size(); ++i) {
    const ClusterCell cell = shape.cells[i];
    const auto row = static_cast<std::size_t>(cell.row);
    rows = std::max(rows, cell.row + 1);
    columns = std::max(columns, cell.column + 1);
    masks[row] |= 1U << cell.column;
    ++cells[row];
    struck[row] += shape.struck[i];
  }
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
    first[row] = std::countr_zero(masks[row]);
    masks[row] >>= first[row];
  }
}

}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/scrub_walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "dnn/differential/divergence.h"

namespace tilestrike::bridge {
namespace {

constexpr Cycle kForever = std::numeric_limits<Cycle>::max() - 1;

Cycle first_strike(const StruckWord& word) {
  return std::ranges::min_element(word.faults, {},
                                  [](const CellFault& fault) { return fault.when.from; })
      ->when.from;
}

/// The reads at which this content of a codeword was fetched again.
std::vector<Cycle> refetches_of(const StruckContents& struck, const StruckWord& word,
                                const Occupant& occupant) {
  if (occupant.has_layer()) {
    for (const StruckContent& content : struck.on_chip[occupant.layer].operands) {
      if (content.word == &word &&
          content.occupant.is_of(*occupant.copies, occupant.layer, occupant.index)) {
        return content.refetched;
      }
    }
  }
  return {};
}

}  // namespace

ScrubWalk::ScrubWalk(const Residency& residency, LayerReader& reader)
    : residency_(residency), reader_(reader), on_due_(residency.placement().accelerator().on_due) {}

void ScrubWalk::follow(const StruckContents& struck, const dnn::Divergence& run, const Met& met) {
  const RunValues values = reader_.values(run);
  for (const StruckWord& word : struck.words) {
    if (!word.scrub_phase) {
      continue;
    }
    CodewordInTime in_time = reader_.in_time(word);
    // Of flips it only counts which bits differ, whatever is stored: codes are linear.
    const DataOf data_of = [&](const Occupant& occupant) {
      return word.are_flips() ? sim::BitString()
                              : occupant.copies->data(occupant, values, occupant.written);
    };
    relive(struck, word, data_of, in_time);
    outlive(word, data_of, in_time);
    if (!in_time.scrubbed().is_empty()) {
      met(word, in_time.scrubbed());
    }
  }
}

// The struck inference, up to its last write of the codeword.
void ScrubWalk::relive(const StruckContents& struck, const StruckWord& word, const DataOf& data_of,
                       CodewordInTime& in_time) const {
  const std::vector<Occupant> all = residency_.all_in(word.memory, word.codeword);
  const Cycle first = first_strike(word);
  for (std::size_t i = 0; i < all.size() && !in_time.is_settled(); ++i) {
    if (i + 1 < all.size() && all[i + 1].written <= first) {
      continue;  // gone before the strike
    }
    const Occupant& occupant = all[i];
    if (occupant.copies->is_computed() && !word.are_flips()) {
      const std::string_view name = sim::name_of(occupant.copies->role());
      fail(ErrorCode::kUnsupported, fmt::format("a stuck cell of {} that are scrubbed", name),
           "strike",
           fmt::format("set `scrub: 0` for the memory of the {}, or strike with flips", name));
    }
    const sim::BitString data = data_of(occupant);
    in_time.write(occupant.written, data);
    for (const Cycle cycle : occupant.copies->updates(occupant)) {
      sim::CodewordRead held = in_time.read(cycle);
      if (held.status == sim::EccStatus::kDetected && on_due_ == OnDue::kZero) {
        held = {};
      }
      in_time.write_back(cycle + 1, held);
    }
    for (const Cycle read : refetches_of(struck, word, occupant)) {
      in_time.refetch(read, data);
    }
  }
}

// What the cells hold then stays until the next inference writes them, which does all in the same
// cycles; if none does, until the scrubber has been there.
void ScrubWalk::outlive(const StruckWord& word, const DataOf& data_of,
                        CodewordInTime& in_time) const {
  if (in_time.is_settled()) {
    return;
  }
  const Cycle end = residency_.schedule().cycles_per_inference();
  const std::vector<Occupant> all = residency_.all_in(word.memory, word.codeword);
  const bool is_resident = !all.empty() && all.front().written == kBoot;
  if (is_resident && on_due_ == OnDue::kRefetch) {
    const std::vector<Cycle> reads = all.front().copies->refetching_reads(all.front());
    if (!reads.empty() && in_time.read(end + reads.front()).status == sim::EccStatus::kDetected) {
      in_time.refetch(end + reads.front(), data_of(all.front()));  // by the next inference
    }
  }
  in_time.wait_until(all.empty() || is_resident ? kForever : end + all.front().written);
}

std::vector<CellFault> ScrubWalk::left_for_later(const StruckContents& struck) {
  std::vector<CellFault> left;
  const auto earlier = [&](std::size_t memory, sim::CodewordBit bit) {
    left.push_back({memory, bit, FaultKind::kFlip, {-1, 0}});
  };
  for (const StruckWord& word : struck.words) {
    if (!word.scrub_phase || !word.are_flips()) {
      for (const CellFault& fault : word.faults) {
        if (fault.kind == FaultKind::kFlip) {
          earlier(word.memory, fault.bit);
        } else {
          left.push_back(fault);
        }
      }
      continue;
    }
    CodewordInTime in_time = reader_.in_time(word);
    relive(
        struck, word, [](const Occupant&) { return sim::BitString(); }, in_time);
    // The first visit after the end; the codeword of 0 has no ones.
    const sim::BitString wrong = in_time.wait_until(kForever);
    for (int bit = 0;
         bit <
         residency_.placement().accelerator().memory[word.memory].second.code().codeword_bits();
         ++bit) {
      if (wrong.test(bit)) {
        earlier(word.memory, {word.codeword, bit});
      }
    }
  }
  return left;
}

}  // namespace tilestrike::bridge

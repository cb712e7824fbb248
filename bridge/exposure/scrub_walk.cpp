// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/scrub_walk.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "bridge/exposure/copies.h"
#include "bridge/exposure/mesh_reads.h"

namespace tilestrike::bridge {
namespace {

using Kind = Occupant::Kind;

constexpr Cycle kForever = std::numeric_limits<Cycle>::max() - 1;

Cycle first_strike(const StruckWord& word) {
  return std::ranges::min_element(word.faults, {},
                                  [](const CellFault& fault) { return fault.when.from; })
      ->when.from;
}

/// The reads at which this content of a codeword was fetched again.
std::vector<Cycle> refetches_of(const StruckContents& struck, const StruckWord& word,
                                const Occupant& occupant) {
  if (occupant.kind == Kind::kWeights || occupant.kind == Kind::kActivations) {
    for (const StruckContents::Content& content : struck.on_chip[occupant.layer]) {
      if (content.word == &word && content.occupant.kind == occupant.kind &&
          content.occupant.index == occupant.index) {
        return content.refetched;
      }
    }
  }
  return {};
}

}  // namespace

ScrubWalk::ScrubWalk(const Residency& residency, LayerReader& reader)
    : residency_(residency), reader_(reader), on_due_(residency.placement().accelerator().on_due) {}

void ScrubWalk::follow(const StruckContents& struck, const dnn::Divergence& run,
                       const dnn::Tape& golden, const Met& met) {
  for (const StruckWord& word : struck.words) {
    if (!word.scrub_phase) {
      continue;
    }
    CodewordInTime in_time = reader_.in_time(word);
    // Of flips it only counts which bits differ, whatever is stored: codes are linear.
    const DataOf data_of = [&](const Occupant& occupant) {
      return word.are_flips() ? sim::BitString()
                              : reader_.data_of(occupant, word.memory, run, golden);
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
    if (occupant.kind == Kind::kSums) {
      if (!word.are_flips()) {
        fail(ErrorCode::kUnsupported, "a stuck cell of accumulators that are scrubbed", "strike",
             "set `scrub: 0` for the memory of the accumulators, or strike with flips");
      }
      write_sums(occupant, in_time);
      continue;
    }
    const sim::BitString data = data_of(occupant);
    in_time.write(occupant.written, data);
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
  if (is_resident && on_due_ == OnDue::kRefetch && all.front().kind == Kind::kWeights) {
    const std::optional<Cycle> read = first_read(all.front(), word.memory);
    if (read && in_time.read(end + *read).status == sim::EccStatus::kDetected) {
      in_time.refetch(end + *read, data_of(all.front()));  // by the next inference
    }
  }
  in_time.wait_until(all.empty() || is_resident ? kForever : end + all.front().written);
}

std::optional<Cycle> ScrubWalk::first_read(const Occupant& weights, std::size_t memory) const {
  std::optional<Cycle> first;
  const MeshReads reads(residency_.schedule(), weights.layer);
  for (std::int64_t i = 0; i < residency_.placement().codeword_bytes(memory); ++i) {
    const CopyByte place =
        weight_byte(residency_.schedule(), weights.layer, weights.index, weights.offset + i);
    if (place.element >= 0) {
      reads.of({place.operand, weights.index, place.element}, [&](const MeshRead& read) {
        first = std::min(first.value_or(read.cycle), read.cycle);
      });
    }
  }
  return first;
}

// As if all sums were 0.
void ScrubWalk::write_sums(const Occupant& occupant, CodewordInTime& word) const {
  const ScheduledLayer& scheduled = residency_.schedule().layers()[occupant.layer];
  const SumsOfWord sums =
      sums_of_word(residency_.schedule(), occupant.layer, occupant.index, occupant.offset);
  const int end = sums.first_pass + scheduled.tiling->depth_folds();
  for (int pass = sums.first_pass; pass < end; ++pass) {
    const Cycle cycle = MemorySchedule::sum_read(*scheduled.run, scheduled.start, pass, sums.row);
    if (pass == sums.first_pass) {
      word.write(cycle + 1, {});
      continue;
    }
    sim::CodewordRead held = word.read(cycle);
    if (held.status == sim::EccStatus::kDetected && on_due_ == OnDue::kZero) {
      held = {};
    }
    word.write_back(cycle + 1, held);
  }
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

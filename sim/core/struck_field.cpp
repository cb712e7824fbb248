// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/struck_field.h"

#include <algorithm>

#include "sim/core/core_liveness.h"

namespace tilestrike::sim {

StruckField::StruckField(const CoreJob& job, CoreResult& result)
    : golden_(*job.golden),
      run_(job.golden->run()),
      fault_(job.faults[0]),
      site_(job.golden->sites().describe(fault_.site)),
      from_(std::max<Cycle>(fault_.when.from, fault_.kind == FaultKind::kFlip ? 0 : 1)),
      result_(result) {
  const CoreSites& sites = golden_.sites();
  const int bit = site_.bit % sites.block(site_.storage).lane_bits();
  mask_ = std::uint64_t{1} << (bit - sites.field_of(site_).first);
}

StruckField::Held StruckField::hold(std::uint64_t value, Cycle written, Cycle read, Cycle end) {
  const Cycle acts = first_action(written, end);
  const std::uint64_t after = acts >= end ? value : struck(value);
  if (after != value) {
    note(value, after, acts);
  }
  return {acts < read ? after : value, after};
}

std::uint64_t StruckField::struck(std::uint64_t value) const {
  return fault_.kind == FaultKind::kFlip       ? value ^ mask_
         : fault_.kind == FaultKind::kStuckAt1 ? value | mask_
                                               : value & ~mask_;
}

Cycle StruckField::first_action(Cycle first, Cycle end) const {
  if (fault_.kind == FaultKind::kFlip) {
    return first <= from_ ? std::min(from_, end) : end;
  }
  const Cycle from = std::max(from_, first);
  return from < fault_.when.until ? std::min(from, end) : end;
}

void StruckField::note(std::uint64_t value, std::uint64_t after, Cycle cycle) {
  if (cycle < 1 || cycle > run_.cycles()) {
    return;
  }
  if (result_.before == result_.after) {
    const std::uint64_t others =
        site_.storage == CoreStorage::kRing ? ring_word(cycle) & ~mask_ : 0;
    result_.before = others | value;
    result_.after = others | after;
  }
  result_.activated = result_.activated || is_live(run_, sites(), site_, cycle);
}

std::uint64_t StruckField::ring_word(Cycle cycle) const {
  const CoreConfig& config = run_.config();
  const CoreMoment moment = run_.moment_of(cycle);
  if (moment.tick == run_.ticks()) {
    return ring_word(cycle - moment.edge);
  }
  const auto word = static_cast<std::int32_t>(site_.word) % config.ring_words();
  const auto slot = static_cast<std::int32_t>(site_.word) / config.ring_words();
  const bool is_latched =
      run_.works_in(moment.tick) && moment.tick % kRingSlots == slot && moment.edge >= 1 + word;
  std::uint64_t held =
      is_latched ? 0 : golden_.running_word(moment.tick, CoreStorage::kRing, site_.word);
  for (const CoreArrival& arrival : run_.arrivals(moment.tick)) {
    const std::int32_t axon = arrival.axon % config.axons;
    if (arrival.slot == slot && axon / config.ring_bits() == word && arrival.cycle <= moment.edge &&
        (!is_latched || arrival.cycle >= 1 + word)) {
      held |= std::uint64_t{1} << (axon % config.ring_bits());
    }
  }
  return held;
}

}  // namespace tilestrike::sim

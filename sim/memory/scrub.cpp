// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/memory/scrub.h"

#include "base/error.h"

namespace tilestrike::sim {
namespace {

// Products of a period and a number of codewords do not fit 64 bits.
__extension__ using Wide = unsigned __int128;

}  // namespace

ScrubSchedule::ScrubSchedule(Cycle period, std::uint64_t codewords, Cycle start)
    : period_(period), codewords_(codewords), start_(start) {
  TS_CHECK(period >= 1 && period <= kLongestScrubPeriod && codewords >= 1,
           "a scrubber has a period and something to scrub");
}

Cycle ScrubSchedule::phase(CodewordId codeword) const {
  TS_CHECK(codeword.value < codewords_, "a codeword of the array");
  return static_cast<Cycle>(Wide{codeword.value} * static_cast<Wide>(period_) / codewords_);
}

Cycle ScrubSchedule::next(CodewordId codeword, Cycle cycle) const {
  const Cycle first = start_ + phase(codeword);
  return cycle <= first ? first : first + (cycle - first + period_ - 1) / period_ * period_;
}

ScrubSchedule::Range ScrubSchedule::at(Cycle cycle) const {
  if (cycle < start_) {
    return {};
  }
  // phase(w) == p iff p <= w * period / codewords < p + 1.
  const auto first_of = [&](Cycle phase) {
    return static_cast<std::uint64_t>(
        (static_cast<Wide>(phase) * codewords_ + static_cast<Wide>(period_) - 1) /
        static_cast<Wide>(period_));
  };
  const Cycle phase = (cycle - start_) % period_;
  return {first_of(phase), first_of(phase + 1)};
}

}  // namespace tilestrike::sim

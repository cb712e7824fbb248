// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// When a scrubber comes by: it walks an array's codewords in the order of their addresses, evenly,
// once per period, round after round.
#pragma once

#include <cstdint>

#include "base/ids.h"
#include "sim/memory/array_geometry.h"

namespace tilestrike::sim {

/// 36 years at 1 GHz, and a year at 36 GHz: small enough that cycles of an inference and a few
/// periods add up to less than 2^63.
inline constexpr Cycle kLongestScrubPeriod = Cycle{1} << 60;

class ScrubSchedule {
 public:
  /// Requires 1 <= period <= kLongestScrubPeriod and codewords >= 1. A round begins in cycle
  /// `start`, at codeword 0; one that is under way in cycle 0 has a negative one. A period shorter
  /// than the number of codewords scrubs several of them in one cycle.
  ScrubSchedule(Cycle period, std::uint64_t codewords, Cycle start = 0);

  Cycle period() const { return period_; }
  /// The cycle within a period, counted from `start`, in which `codeword` is scrubbed.
  Cycle phase(CodewordId codeword) const;
  /// The first cycle at or after `cycle` in which `codeword` is scrubbed; not before `start`.
  Cycle next(CodewordId codeword, Cycle cycle) const;
  /// The codewords [first, last) that are scrubbed in `cycle`; none before `start`.
  struct Range {
    std::uint64_t first = 0, last = 0;
  };
  Range at(Cycle cycle) const;

 private:
  Cycle period_;
  std::uint64_t codewords_;
  Cycle start_;
};

}  // namespace tilestrike::sim

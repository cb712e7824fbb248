// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// When a scrubber comes by: it walks an array's codewords in the order of their addresses, evenly,
// once per period.
#pragma once

#include <cstdint>

#include "base/ids.h"
#include "sim/memory/array_geometry.h"

namespace tilestrike::sim {

class ScrubSchedule {
 public:
  /// Requires period >= 1 and codewords >= 1. `start` is the cycle in which codeword 0 is scrubbed.
  /// A period shorter than the number of codewords scrubs several of them in one cycle.
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

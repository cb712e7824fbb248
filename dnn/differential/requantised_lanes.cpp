// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/differential/requantised_lanes.h"

namespace tilestrike::dnn {

void RequantisedLanes::give() {
  ChannelRatios::Lanes now;
  ratios_.requantise(sums_, channels_, now);
  const std::size_t before = changes_.size();
  changes_.resize(before + ChannelRatios::kLanes);
  Change* next = changes_.data() + before;
  // Without a branch, for which elements differ cannot be foreseen.
  for (std::size_t i = 0; i < static_cast<std::size_t>(count_); ++i) {
    *next = {indices_[i], now[i]};
    next += now[i] != golden_[indices_[i]] ? 1 : 0;
  }
  changes_.resize(static_cast<std::size_t>(next - changes_.data()));
  count_ = 0;
}

std::int64_t RequantisedLanes::finish() {
  if (count_ > 0) {
    give();
  }
  return changed_;
}

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strata of transient trials, by their counts.
#pragma once

#include "campaigns/statistics/stratified.h"

namespace tilestrike::campaigns {

inline StratumShares stratum_of(double weight, std::int64_t hits, std::int64_t n) {
  StratumShares stratum{weight, {}};
  stratum.shares.add(1.0, hits);
  stratum.shares.add(0.0, n - hits);
  return stratum;
}

}  // namespace tilestrike::campaigns

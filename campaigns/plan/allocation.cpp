// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/allocation.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace tilestrike::campaigns {

Allocation::Allocation(std::vector<double> shares) : shares_(std::move(shares)) {
  const double all = std::accumulate(shares_.begin(), shares_.end(), 0.0);
  TS_CHECK(all > 0.0, "trials that go somewhere");
  double sum = 0.0;
  for (double& share : shares_) {
    share /= all;
    sum += share;
    up_to_.push_back(sum);
  }
}

std::size_t Allocation::stratum_of(TrialId trial) const {
  // The multiples of the golden ratio modulo 1: of n trials in a row each stratum gets its share of
  // n, to within a few, whatever n is.
  const std::uint64_t turn = (trial.value + 1) * 0x9E3779B97F4A7C15ULL;
  const double unit = static_cast<double>(turn >> 11) * 0x1.0p-53 * up_to_.back();
  const auto found = std::upper_bound(up_to_.begin(), up_to_.end(), unit);
  std::size_t stratum =
      std::min(static_cast<std::size_t>(found - up_to_.begin()), shares_.size() - 1);
  while (shares_[stratum] == 0.0) {
    --stratum;  // by rounding, at the very end
  }
  return stratum;
}

}  // namespace tilestrike::campaigns

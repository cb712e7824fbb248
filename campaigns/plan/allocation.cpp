// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/allocation.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.h"

namespace tilestrike::campaigns {

Allocation Allocation::fixed(std::vector<double> weights, std::vector<double> shares) {
  const double all = std::accumulate(shares.begin(), shares.end(), 0.0);
  TS_CHECK(weights.size() == shares.size() && all > 0.0, "trials that go somewhere");
  Allocation allocation;
  allocation.is_fixed_ = true;
  double sum = 0.0;
  for (double& share : shares) {
    share /= all;
    sum += share;
    allocation.up_to_.push_back(sum);
  }
  allocation.weights_ = std::move(weights);
  allocation.shares_ = std::move(shares);
  return allocation;
}

Allocation Allocation::proportional(std::vector<double> sizes) {
  Allocation allocation;
  double sum = 0.0;
  for (const double size : sizes) {
    sum += size;
    allocation.up_to_.push_back(sum);
  }
  TS_CHECK(sum > 0.0, "trials that go somewhere");
  for (double& size : sizes) {
    size /= sum;
  }
  allocation.weights_ = sizes;
  allocation.shares_ = std::move(sizes);
  return allocation;
}

std::optional<std::size_t> Allocation::stratum_of(TrialId trial) const {
  if (!is_fixed_) {
    return std::nullopt;
  }
  // The multiples of the golden ratio modulo 1: of n trials in a row each stratum gets its share of
  // n, to within a few, whatever n is.
  const std::uint64_t turn = (trial.value + 1) * 0x9E3779B97F4A7C15ULL;
  std::size_t stratum = stratum_at(static_cast<double>(turn >> 11) * 0x1.0p-53);
  while (shares_[stratum] == 0.0) {
    --stratum;  // by rounding, at the very end
  }
  return stratum;
}

std::size_t Allocation::stratum_at(double unit) const {
  const auto found = std::upper_bound(up_to_.begin(), up_to_.end(), unit * up_to_.back());
  return std::min(static_cast<std::size_t>(found - up_to_.begin()), up_to_.size() - 1);
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which stratum of a divided population each trial belongs to.
#pragma once

#include <cstddef>
#include <vector>

#include "base/ids.h"

namespace tilestrike::campaigns {

/// Shares the trials between strata: of any number of trials in a row each stratum gets its share,
/// to within a few, and more trials change none of the earlier ones.
class Allocation {
 public:
  Allocation() = default;
  /// Shares of the trials, at least one of them above 0; they are scaled to a sum of 1.
  explicit Allocation(std::vector<double> shares);

  bool is_empty() const { return shares_.empty(); }
  double share(std::size_t stratum) const { return shares_[stratum]; }
  std::size_t stratum_of(TrialId trial) const;

 private:
  std::vector<double> shares_;
  std::vector<double> up_to_;
};

}  // namespace tilestrike::campaigns

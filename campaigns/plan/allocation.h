// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How the trials are shared between the strata of a population.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"

namespace tilestrike::campaigns {

/// A part of a population that is drawn from apart.
struct Stratum {
  std::string name;
  double weight = 0.0;     // its share of the population, exact
  double share = 0.0;      // its share of the trials
  std::uint64_t bits = 0;  // of the population, where members are bits
};

/// Which stratum each trial belongs to, and what it counts there.
class Allocation {
 public:
  /// Of a population that is not divided: a trial belongs to no stratum and counts 1.
  Allocation() = default;

  /// Each stratum has a share of the trials that is its own: of any number of trials in a row it
  /// gets its share, to within a few, and more trials change none of the earlier ones. `weights`:
  /// the strata's shares of the population; `shares`: of the trials, at least one of them above 0;
  /// they are scaled to a sum of 1.
  static Allocation fixed(std::vector<double> weights, std::vector<double> shares);
  /// Trials go by the strata's sizes, of any unit: who draws one says where among all it lies.
  static Allocation proportional(std::vector<double> sizes);

  /// Nothing where strata have no shares of their own.
  std::optional<std::size_t> stratum_of(TrialId trial) const;
  /// The stratum that lies at `unit`, in [0, 1), when all lie side by side by their shares.
  std::size_t stratum_at(double unit) const;
  /// Of the trials.
  double share(std::size_t stratum) const { return shares_[stratum]; }
  /// What a trial of the stratum counts: its share of the population over that of the trials.
  double weight(std::optional<std::size_t> stratum) const {
    return stratum ? weights_[*stratum] / shares_[*stratum] : 1.0;
  }

 private:
  bool is_fixed_ = false;
  std::vector<double> weights_, shares_;
  std::vector<double> up_to_;  // sums of shares, or of sizes
};

}  // namespace tilestrike::campaigns

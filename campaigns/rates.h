// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The rates that campaigns report: outcomes other than masked, and the refinements of sdc.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "bridge/study.h"

namespace tilestrike::campaigns {

inline constexpr std::size_t kRates = 7;

inline const std::vector<std::string>& rate_names() {
  static const std::vector<std::string> names = {"sdc",    "sdc_1",     "sdc_5", "sdc_10",
                                                 "sdc_20", "nonfinite", "due"};
  return names;
}

/// Which of the rates one answer counts for, in the order of rate_names().
inline std::array<bool, kRates> rates_of(const bridge::Judgement& judgement) {
  return {judgement.outcome == Outcome::kSdc,
          judgement.sdc_1,
          judgement.sdc_5,
          judgement.sdc_10,
          judgement.sdc_20,
          judgement.outcome == Outcome::kNonfinite,
          judgement.outcome == Outcome::kDue};
}

}  // namespace tilestrike::campaigns

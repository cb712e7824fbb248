// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The rates that campaigns report: outcomes other than masked, and the refinements of sdc.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "bridge/study/study.h"

namespace tilestrike::campaigns {

inline constexpr std::size_t kRates = 7;

inline const std::vector<std::string>& rate_names() {
  static const std::vector<std::string> names = {"sdc",    "sdc_1",     "sdc_5", "sdc_10",
                                                 "sdc_20", "nonfinite", "due"};
  return names;
}

/// Which of the rates one answer counts for, in the order of rate_names(). What was detected gave
/// no answer that could be refined, whatever it would have been without the stop.
inline std::array<bool, kRates> rates_of(const bridge::Judgement& judgement) {
  const bool is_due = judgement.outcome == Outcome::kDue;
  return {judgement.outcome == Outcome::kSdc,
          judgement.sdc_1 && !is_due,
          judgement.sdc_5 && !is_due,
          judgement.sdc_10 && !is_due,
          judgement.sdc_20 && !is_due,
          judgement.outcome == Outcome::kNonfinite,
          is_due};
}

}  // namespace tilestrike::campaigns

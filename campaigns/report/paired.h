// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Points of a sweep, trial by trial: trial k draws the same numbers at each of them, so that their
// difference is known better than either (docs/statistics.md, "Differences").
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "campaigns/report/summary.h"
#include "campaigns/results/results.h"
#include "campaigns/scenario/campaign.h"

namespace tilestrike::campaigns {

/// What is compared: silent errors, the top class, detected errors.
inline constexpr std::array kCompared = {Rate::kSdc, Rate::kSdc1, Rate::kDue};

/// A rate at one point less that at the point that it is compared with.
struct Difference {
  std::string rate;  // "sdc"
  double value = 0.0;
  Interval paired;    // over the trials that both points have
  Interval unpaired;  // as if the points had nothing in common
};

struct PairedPoint {
  std::string label;
  std::int64_t trials = 0;  // that both points have, counted from the first
  /// Of these, those that are the same physical strike at both: image, cycle and place (of memories
  /// bank, row, data column and number of cells; else structure, register and bit).
  std::int64_t alike = 0;
  std::vector<Difference> differences;
};

struct PairedPoints {
  std::string from;        // label of the point that all others are compared with
  bool is_fit = false;     // else probabilities
  bool are_chips = false;  // a trial is a chip, the same at every point; else a strike
  std::vector<PairedPoint> points;
};

/// The points of a campaign against one of them: none where there is one point, or where points
/// count in different units. `summaries` are those of the points.
PairedPoints paired_points(const Results& results, const Campaign& campaign,
                           const std::vector<Summary>& summaries, std::size_t from);

Report report_of(const PairedPoints& points);

}  // namespace tilestrike::campaigns

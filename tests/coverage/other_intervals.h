// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Intervals that are often given for rates and that TileStrike does not give, to see how often
// they hold (docs/statistics.md).
#pragma once

#include <cstdint>

#include "campaigns/statistics/statistics.h"

namespace tilestrike::coverage {

/// Student's interval of a mean share: mean +- t s / sqrt(n), within [0, 1]; where all shares are
/// zero, the exact bound of campaigns::interval_of_trials(), since it has no width there.
campaigns::Interval student_interval(const campaigns::Shares& shares, double confidence);

/// The score interval of a proportion (Wilson, Journal of the American Statistical Association 22,
/// 1927) of shares that are 0 or 1.
campaigns::Interval wilson_interval(const campaigns::Shares& shares, double confidence);

}  // namespace tilestrike::coverage

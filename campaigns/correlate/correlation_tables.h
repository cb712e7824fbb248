// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The tables of a correlation, for people.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "campaigns/correlate/correlate.h"
#include "campaigns/report/report.h"

namespace tilestrike::campaigns {

/// Per kind of register: strikes, unchanged, masked, corrupted, agreement.
ReportTable register_table(const PointCorrelation& point);
/// Per pair of engines: agreed, differ, not covered, what else was compared, upper bound.
ReportTable pair_table(const PointCorrelation& point);
/// Kinds of register by phases: faults compared, and how many of them differ; of one pair, which is
/// a detail where it agrees, or of all.
ReportTable phase_table(const PointCorrelation& point, std::optional<std::size_t> pair);
/// "0 of 1000 faults differ; at most 0.3 % of all do, with 95 % confidence".
std::string verdict_text(const PointCorrelation& point);

}  // namespace tilestrike::campaigns

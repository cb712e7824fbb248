// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a correlation found, as text, as JSON, and as one HTML page.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "campaigns/correlate/correlate.h"

namespace tilestrike::campaigns {

/// A table; the first row and column are headings.
using CorrelationTable = std::vector<std::vector<std::string>>;

/// Per kind of register: strikes, unchanged, masked, corrupted, agreement.
CorrelationTable register_table(const PointCorrelation& point);
/// Per pair of engines: agreed, differ, not covered, what else was compared, upper bound.
CorrelationTable pair_table(const PointCorrelation& point);
/// Kinds of register by phases: faults compared, and how many of them differ; of one pair, or of
/// all (-1).
CorrelationTable phase_table(const PointCorrelation& point, int pair);
/// "0 of 1000 faults differ; at most 0.3 % of all do, with 95 % confidence".
std::string verdict_text(const PointCorrelation& point);
/// Lines: who parts, on which fault, where first. Empty where all agree.
std::vector<std::string> disagreement_lines(const PointCorrelation& point);

/// `command`: what reproduces a point's first disagreement, but for "--scenario I --trial N".
std::string text_of(const CorrelationReport& report, const std::string& command);
nlohmann::ordered_json json_of(const CorrelationReport& report, const std::string& command);
std::string html_of(const CorrelationReport& report, const std::string& command);

/// "COMMAND --trial 17 --engines a,b --vcd vcd" of the first disagreement.
std::string reproduction_of(const PointCorrelation& point, const std::string& command);

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What is reported of a correlation.
#pragma once

#include <string>

#include "campaigns/correlate/correlate.h"
#include "campaigns/report/report.h"

namespace tilestrike::campaigns {

/// "COMMAND --trial 17 --engines a,b --vcd vcd" of the first disagreement.
std::string reproduction_of(const PointCorrelation& point, const std::string& command);

/// `command`: what reproduces a point's first disagreement, but for "--scenario I --trial N";
/// empty: nothing is said of that.
Report report_of(const CorrelationReport& found, const std::string& command);

}  // namespace tilestrike::campaigns

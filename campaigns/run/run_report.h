// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What is reported of a run of a campaign: its points, and how they differ.
#pragma once

#include <string>

#include "campaigns/report/report.h"
#include "campaigns/run/runner.h"

namespace tilestrike::campaigns {

/// `results`: the file that holds its trials.
Report report_of(const RunReport& run, const std::string& results);

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a scenario asks, in one line.
#pragma once

#include <string>

#include "campaigns/plan/sampling.h"
#include "campaigns/scenario/scenario.h"

namespace tilestrike::campaigns {

/// "resnet8 (int8) on gemmini_16x16 (16 x 16 mesh, weight-stationary): flip, transient".
std::string title_of(const Scenario& scenario, const Plan& plan);

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a campaign leaves out, whatever its numbers are.
#pragma once

#include <string>
#include <vector>

#include "campaigns/plan/sampling.h"

namespace tilestrike::campaigns {

/// What might be struck and is not.
std::vector<std::string> not_modelled(const Scenario& scenario, const Plan& plan);

/// What particles might strike and these do not: other parts, radiations without a rate.
std::vector<std::string> not_modelled_of(const MemoryPopulation& population);

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The one place that tells kinds of strikes apart, beside the scenario's own tables.
#pragma once

#include <memory>

#include "bridge/words/study_facts.h"
#include "campaigns/plan/population.h"
#include "campaigns/scenario/scenario.h"

namespace tilestrike::campaigns {

/// The population of the kind of strike that a scenario asks for. Throws Failure where the strike
/// does not fit the study, which must outlive it.
std::unique_ptr<Population> population_of(const Scenario& scenario,
                                          const bridge::StudyFacts& study);

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the rates of particles rest on: the node's numbers, and what the scenario says of flux and
// voltage.
#pragma once

#include <vector>

#include "campaigns/plan/particle_population.h"
#include "campaigns/plan/strike_inputs.h"

namespace tilestrike::campaigns {

/// Fluence, cross section and what it follows from, and the law of the clusters.
std::vector<StrikeInput> fluence_inputs(const ParticlePopulation& population);

/// Where a trial is one particle: rates of the node, law of the clusters, and what the scenario
/// says of flux and voltage.
std::vector<StrikeInput> particle_inputs(const ParticlePopulation& population);

}  // namespace tilestrike::campaigns

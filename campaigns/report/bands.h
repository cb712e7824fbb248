// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How far a node's own uncertainty carries: the bands of its rate, multi-cell share, multiplicity
// and growth, as factors on the rates of silent and of detected errors (docs/memory_strikes.md,
// "Bands").
#pragma once

#include <vector>

#include "campaigns/plan/particle_population.h"

namespace tilestrike::campaigns {

/// Factors on a rate at the lower and at the upper ends of all bands together.
struct Band {
  double low = 1.0, high = 1.0;
};

struct StructureBands {
  Band silent, due;
};

/// Of each structure of a population of particles, by enumeration: with ECC what codewords would be
/// read as, without it the number of cells. Registers follow the neutrons' rate alone.
std::vector<StructureBands> bands_of(const ParticlePopulation& population);

}  // namespace tilestrike::campaigns

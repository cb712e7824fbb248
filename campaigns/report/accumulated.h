// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What strikes come to that meet in one codeword: the part of a memory's failure rates that no
// trial of one strike shows (docs/accumulation.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "campaigns/plan/memory_population.h"
#include "sim/strikes/accumulation.h"

namespace tilestrike::campaigns {

/// Of one memory with ECC.
struct AccumulatedRates {
  std::string structure;
  std::uint64_t codewords = 0;  // all, and ...
  std::uint64_t used = 0;       // ... those that ever hold anything
  sim::Exposure exposure;       // of their contents, in hours
  bool is_resident = false;     // contents that stay over inferences; else one inference at most
  sim::AccumulationRates of_used, of_all;  // FIT, if every such codeword is read
};

/// `stored[i]`: what strikes on structure i are more often by what its cells hold
/// (StrikeRates::stored). Contents that do not stay are written again in every inference; those
/// that stay are read in every inference.
std::vector<AccumulatedRates> accumulated_rates(const MemoryPopulation& population,
                                                const Scenario& scenario, double period_seconds,
                                                const std::vector<double>& stored);

}  // namespace tilestrike::campaigns

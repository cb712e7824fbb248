// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What strikes come to that meet in one codeword: the part of a memory's failure rates that no
// trial of one strike shows (docs/accumulation.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/plan/particle_population.h"
#include "sim/strikes/accumulation.h"

namespace tilestrike::campaigns {

/// Codewords of a memory by how long their content stays.
enum class Stay {
  kResident,   // over inferences: weights from boot on, constants that each inference fetches
  kRenewed,    // written and read in every inference: one inference at most
  kUntouched,  // read by no inference, and taken as never written: a scrubber alone meets them
};
std::string_view name_of(Stay stay);  // stays, renewed, untouched

/// Of the codewords of one memory with ECC that have one kind of content.
struct AccumulatedRates {
  std::string structure;
  Stay stay = Stay::kResident;
  std::uint64_t codewords = 0;
  sim::Exposure exposure;        // of their contents, in hours
  sim::AccumulationRates rates;  // FIT; what layers read counts as read
  /// The same if all codewords of the memory were such.
  std::uint64_t all_codewords = 0;
  sim::AccumulationRates of_all;
};

/// `stored[i]`: what strikes on structure i are more often by what its cells hold
/// (StrikeRates::stored). Contents that stay are read in every inference.
std::vector<AccumulatedRates> accumulated_rates(const ParticlePopulation& population,
                                                const Scenario& scenario, double period_seconds,
                                                const std::vector<double>& stored);

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How the strikes of particles are divided: by what is drawn alike, and by what ECC makes of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "sim/strikes/rates.h"
#include "sim/strikes/strike_strata.h"

namespace tilestrike::campaigns {

inline constexpr std::array<sim::Radiation, 3> kRadiations{
    sim::Radiation::kNeutron, sim::Radiation::kAlpha, sim::Radiation::kThermal};

/// Rates below this are not sampled: what they can do at most is told instead.
inline constexpr double kLeastSampledFit = 1e-6;

/// Strikes that are drawn alike: of one structure, one radiation and clusters of one reach. Neither
/// ECC nor interleaving changes the shares of the trials, so that trial k is the same strike.
struct StrikeClass {
  std::size_t structure = 0;
  sim::Radiation radiation = sim::Radiation::kNeutron;
  int reach = 0;             // sim::ClusterClasses; 0: any, of the mesh or of what is not divided
  double fit = 0.0;          // events in 1e9 hours
  double share = 0.0;        // of the trials; 0: it is not sampled
  std::string text() const;  // "reach 3"
};

/// Strikes of a class that have in common what ECC makes of them, with their exact rate: what is
/// estimated apart.
struct StrikeGroup {
  std::size_t structure = 0;
  sim::Radiation radiation = sim::Radiation::kNeutron;
  std::size_t of_class = 0;
  std::optional<sim::Stratum> stratum;  // nothing: without ECC, or not divided
  std::string text;                     // "reach 3 detected"; empty: not divided
  double fit = 0.0;                     // events in 1e9 hours
  // What can come of it at all, by what its codewords would be read as. A strike of which an error
  // is detected at a read is a due, whatever else it does.
  bool can_be_silent = true;
  bool can_be_due = true;
  // Whether that is sampled: where it is too rare, the enumerated bound is told.
  bool is_sampled = true;
  bool is_silent_sampled = true;
  bool is_due_sampled = true;
  std::string key() const;  // structure number, radiation and text
};

/// What reading codewords while they are upset could come to at most, in FIT.
struct EnumeratedRates {
  double silent = 0.0, due = 0.0;
};

}  // namespace tilestrike::campaigns

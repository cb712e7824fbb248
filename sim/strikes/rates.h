// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How often a structure is struck: event rates by what strikes, at a place and time, for a number
// of cells (docs/technology_nodes.md, "Rates").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/provenance.h"
#include "sim/strikes/cluster.h"
#include "sim/strikes/technology_node.h"

namespace tilestrike::sim {

inline constexpr double kBitsPerMbit = 1e6;
inline constexpr double kHoursPerFit = 1e9;
/// Of neutrons above 10 MeV at the reference, in n/(cm2 h), to which the nodes' rates refer.
inline constexpr double kReferenceFlux = 13.0;
/// Geomagnetic cutoff rigidity of the reference, New York, in GV.
inline constexpr double kReferenceRigidity = 2.08;

inline constexpr double kLowestAltitude = -430.0;  // m; the formulas below hold in between
inline constexpr double kHighestAltitude = 15000.0;
inline constexpr double kMostRigidity = 17.0;  // GV; 0 at the poles

/// The sun's activity: a quiet one lets more cosmic rays in.
enum class Sun { kMean, kQuiet, kActive };

/// Where and when rates are of. As it is: the reference, New York at sea level under a mean sun.
struct Surroundings {
  double altitude_m = 0.0;
  double rigidity_gv = kReferenceRigidity;  // vertical cutoff, by geomagnetic latitude
  Sun sun = Sun::kMean;
  double thermal_flux = 1.0;  // of thermal neutrons, over the reference's
};

/// Neutron flux (above 10 MeV) at an altitude over that at sea level, by the air above alone: the
/// standard atmosphere's pressure as depth, and the attenuation length that goes with it.
double altitude_factor(double altitude_m);
inline constexpr const char* kAltitudeSource =
    "R:JESD89A annex A, depth of the standard atmosphere, attenuation length 131.3 g/cm2";

/// Neutron flux at this rigidity and sun over that at the reference's, beneath the same air: 1 for
/// the reference's at sea level. High up the same rigidity matters more, so that this is below 1
/// there for the reference's, too.
double place_factor(const Surroundings& surroundings);
inline constexpr const char* kPlaceSource =
    "R:JESD89A annex A, Dorman form;R:Gordon et al. 2004, IEEE TNS 51(6)";

/// The product of both: neutron flux over the reference's.
double neutron_flux_factor(const Surroundings& surroundings);

/// FIT per Mbit by what strikes. What is unknown is 0: unknown_rates() names it.
struct EventRates {
  double neutron = 0.0;
  double alpha = 0.0;
  double thermal = 0.0;

  double total() const { return neutron + alpha + thermal; }
  double of(Radiation radiation) const;
};

/// Neutrons follow altitude, rigidity and sun; thermal neutrons `thermal_flux` alone; alpha
/// particles come from the package, and follow nothing.
EventRates memory_rates(const TechnologyNode& node, const Surroundings& surroundings);
/// Of flip-flops: events of one cell each.
EventRates flip_flop_rates(const TechnologyNode& node, const Surroundings& surroundings);

/// What these rates leave out because the node has no value, for a list of what is not modelled:
/// "alpha events of flip-flops (no rate is known at 28nm)".
std::vector<std::string> unknown_rates(const TechnologyNode& node, bool has_flip_flops,
                                       bool has_memories);

struct RateBand {
  double low = 0.0;
  double high = 0.0;
};
/// The band of memory_rates(...).total(): only the neutrons' rate has one.
RateBand memory_rate_band(const TechnologyNode& node, const Surroundings& surroundings);

/// A neutron rate of the node's band at sea level, log-uniform as `unit` is uniform in [0, 1).
double neutron_rate_in_band(const TechnologyNode& node, double unit);

/// Events in 1e9 hours of a structure with so many cells: all of them, check bits and empty words,
/// too.
double fit_of(double fit_per_mbit, std::uint64_t cells);

/// Neutron events per bit and n/cm2, for a beam or a stated fluence.
double neutron_cross_section(const TechnologyNode& node);

}  // namespace tilestrike::sim

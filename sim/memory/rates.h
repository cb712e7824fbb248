// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How often a structure is struck: event rates by what strikes, at an altitude, for a number of
// cells (docs/technology_nodes.md, "Rates").
#pragma once

#include <cstdint>

#include "base/provenance.h"
#include "sim/memory/cluster.h"
#include "sim/memory/technology_node.h"

namespace tilestrike::sim {

inline constexpr double kBitsPerMbit = 1e6;
inline constexpr double kHoursPerFit = 1e9;
/// Of neutrons above 10 MeV at sea level, in n/(cm2 h), to which the nodes' rates refer.
inline constexpr double kReferenceFlux = 13.0;

inline constexpr double kLowestAltitude = -430.0;  // m; the formula below holds in between
inline constexpr double kHighestAltitude = 15000.0;

/// Neutron flux at an altitude in metres over that at sea level, at the same place and time. The
/// source is kFluxSource; geomagnetic latitude and the sun are left as at the reference.
double neutron_flux_factor(double altitude_m);
inline constexpr const char* kFluxSource = "R:JESD89A annex A, attenuation 131.3 g/cm2";

/// FIT per Mbit by what strikes. Only the neutrons' part changes with altitude.
struct EventRates {
  double neutron = 0.0;
  double alpha = 0.0;
  double thermal = 0.0;

  double total() const { return neutron + alpha + thermal; }
  double of(Radiation radiation) const;
};

EventRates memory_rates(const TechnologyNode& node, double altitude_m);
/// Of flip-flops: neutron events of one cell each.
EventRates flip_flop_rates(const TechnologyNode& node, double altitude_m);

struct RateBand {
  double low = 0.0;
  double high = 0.0;
};
/// The band of memory_rates(...).total(): only the neutrons' rate has one.
RateBand memory_rate_band(const TechnologyNode& node, double altitude_m);

/// A neutron rate of the node's band at sea level, log-uniform as `unit` is uniform in [0, 1).
double neutron_rate_in_band(const TechnologyNode& node, double unit);

/// Events in 1e9 hours of a structure with so many cells: all of them, check bits and empty words,
/// too.
double fit_of(double fit_per_mbit, std::uint64_t cells);

/// Neutron events per bit and n/cm2, for a beam or a stated fluence.
double neutron_cross_section(const TechnologyNode& node);

}  // namespace tilestrike::sim

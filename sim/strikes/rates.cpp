// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/strikes/rates.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace tilestrike::sim {
namespace {

// The air above in g/cm2 at sea level, and the attenuation length of neutrons in it (JESD89A).
constexpr double kSeaLevelDepth = 1033.2;
constexpr double kAttenuationLength = 131.3;

// The standard atmosphere (ISO 2533): temperature falls with height up to the tropopause, and
// stays.
constexpr double kSeaLevelPressure = 1.01325;  // bar
constexpr double kSeaLevelKelvin = 288.15;
constexpr double kKelvinPerMetre = 0.0065;
constexpr double kTropopause = 11000.0;                  // m
constexpr double kGravityOverGas = 9.80665 / 287.05287;  // K/m

// Beyond this rigidity (GV) the sun changes nothing: both forms agree there.
constexpr double kSunlessRigidity = 50.0;
constexpr double kDormanScale = 1.098;

/// Pressure at an altitude over that at sea level.
double relative_pressure(double altitude_m) {
  TS_CHECK(kLowestAltitude <= altitude_m && altitude_m <= kHighestAltitude,
           "an altitude for which the flux formula holds");
  const double in_troposphere = std::min(altitude_m, kTropopause);
  const double kelvin = kSeaLevelKelvin - kKelvinPerMetre * in_troposphere;
  return std::pow(kelvin / kSeaLevelKelvin, kGravityOverGas / kKelvinPerMetre) *
         std::exp(-kGravityOverGas * (altitude_m - in_troposphere) / kelvin);
}

/// 1 - exp(-a / rigidity^k), which is 1 at the poles.
double dorman(double a, double k, double rigidity) {
  return -std::expm1(-a / std::pow(rigidity, k));
}

/// The flux's dependence on rigidity (GV) and sun at a pressure (bar), in units of the reference's.
double rigidity_flux(double rigidity, Sun sun, double bar) {
  const double a1 = std::exp(1.84 + 0.094 * bar - 0.09 * std::exp(-11.0 * bar));
  const double k1 = 1.4 - 0.56 * bar + 0.24 * std::exp(-8.8 * bar);
  const double a2 = std::exp(1.93 + 0.15 * bar - 0.18 * std::exp(-10.0 * bar));
  const double k2 = 1.32 - 0.49 * bar + 0.18 * std::exp(-9.5 * bar);
  const double quiet = kDormanScale * dorman(a1, k1, rigidity);
  const double active = kDormanScale * dorman(a2, k2, rigidity) * dorman(a1, k1, kSunlessRigidity) /
                        dorman(a2, k2, kSunlessRigidity);
  return sun == Sun::kQuiet ? quiet : sun == Sun::kActive ? active : 0.5 * (quiet + active);
}

EventRates in_surroundings(const Sourced& neutron, const Sourced& alpha, const Sourced& thermal,
                           const Surroundings& surroundings) {
  return {neutron.value * neutron_flux_factor(surroundings), alpha.value,
          thermal.value * surroundings.thermal_flux};
}

}  // namespace

double altitude_factor(double altitude_m) {
  return std::exp(kSeaLevelDepth * (1.0 - relative_pressure(altitude_m)) / kAttenuationLength);
}

double place_factor(const Surroundings& surroundings) {
  TS_CHECK(0.0 <= surroundings.rigidity_gv && surroundings.rigidity_gv <= kMostRigidity,
           "a rigidity that a place on earth has");
  static const double reference = rigidity_flux(kReferenceRigidity, Sun::kMean, kSeaLevelPressure);
  const double bar = kSeaLevelPressure * relative_pressure(surroundings.altitude_m);
  return rigidity_flux(surroundings.rigidity_gv, surroundings.sun, bar) / reference;
}

double neutron_flux_factor(const Surroundings& surroundings) {
  return altitude_factor(surroundings.altitude_m) * place_factor(surroundings);
}

double EventRates::of(Radiation radiation) const {
  switch (radiation) {
    case Radiation::kNeutron:
      return neutron;
    case Radiation::kAlpha:
      return alpha;
    case Radiation::kThermal:
      return thermal;
  }
  return 0.0;
}

EventRates memory_rates(const TechnologyNode& node, const Surroundings& surroundings) {
  return in_surroundings(node.neutron_rate, node.alpha_rate, node.thermal_rate, surroundings);
}

EventRates flip_flop_rates(const TechnologyNode& node, const Surroundings& surroundings) {
  return in_surroundings(node.flip_flop_neutron_rate, node.flip_flop_alpha_rate,
                         node.flip_flop_thermal_rate, surroundings);
}

std::vector<std::string> unknown_rates(const TechnologyNode& node, bool has_flip_flops,
                                       bool has_memories) {
  std::vector<std::string> unknown;
  const auto note = [&](const Sourced& rate, const char* what) {
    if (!is_known(rate)) {
      unknown.push_back(std::string(what) + " (no rate is known at " + node.name + ")");
    }
  };
  if (has_memories) {
    note(node.neutron_rate, "neutron events of memories");
    note(node.alpha_rate, "alpha events of memories");
    note(node.thermal_rate, "thermal neutron events of memories");
  }
  if (has_flip_flops) {
    note(node.flip_flop_neutron_rate, "neutron events of flip-flops");
    note(node.flip_flop_alpha_rate, "alpha events of flip-flops");
    note(node.flip_flop_thermal_rate, "thermal neutron events of flip-flops");
  }
  return unknown;
}

RateBand memory_rate_band(const TechnologyNode& node, const Surroundings& surroundings) {
  const double factor = neutron_flux_factor(surroundings);
  const EventRates rates = memory_rates(node, surroundings);
  const double others = rates.alpha + rates.thermal;
  return {node.neutron_low.value * factor + others, node.neutron_high.value * factor + others};
}

double neutron_rate_in_band(const TechnologyNode& node, double unit) {
  const double low = node.neutron_low.value;
  const double high = node.neutron_high.value;
  if (low <= 0.0) {  // no logarithm
    return low + unit * (high - low);
  }
  return low * std::pow(high / low, unit);
}

double fit_of(double fit_per_mbit, std::uint64_t cells) {
  return fit_per_mbit * (static_cast<double>(cells) / kBitsPerMbit);
}

double neutron_cross_section(const TechnologyNode& node) {
  return node.neutron_rate.value / kHoursPerFit / kBitsPerMbit / kReferenceFlux;
}

}  // namespace tilestrike::sim

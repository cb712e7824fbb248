// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/memory/rates.h"

#include <cmath>

#include "base/error.h"

namespace tilestrike::sim {
namespace {

constexpr double kFeetPerMetre = 1.0 / 0.3048;
constexpr double kSeaLevelDepth = 1033.0;     // g/cm2 of air above
constexpr double kAttenuationLength = 131.3;  // g/cm2

double air_above(double altitude_m) {
  const double a = altitude_m * kFeetPerMetre / 1000.0;  // thousands of feet
  return kSeaLevelDepth * std::exp(-0.03813 * a - 0.00014 * a * a + 6.4e-7 * a * a * a);
}

}  // namespace

double neutron_flux_factor(double altitude_m) {
  TS_CHECK(kLowestAltitude <= altitude_m && altitude_m <= kHighestAltitude,
           "an altitude for which the flux formula holds");
  return std::exp((kSeaLevelDepth - air_above(altitude_m)) / kAttenuationLength);
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

EventRates memory_rates(const TechnologyNode& node, double altitude_m) {
  return {node.neutron_rate.value * neutron_flux_factor(altitude_m), node.alpha_rate.value,
          node.thermal_rate.value};
}

EventRates flip_flop_rates(const TechnologyNode& node, double altitude_m) {
  return {node.flip_flop_rate.value * neutron_flux_factor(altitude_m), 0.0, 0.0};
}

RateBand memory_rate_band(const TechnologyNode& node, double altitude_m) {
  const double factor = neutron_flux_factor(altitude_m);
  const double others = node.alpha_rate.value + node.thermal_rate.value;
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

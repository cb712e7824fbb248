// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are rates those of all cells, with only the neutrons' part following the altitude?
#include "sim/memory/rates.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/sim/nodes.h"

namespace tilestrike::sim {
namespace {

TEST(RatesTest, TheFluxRisesWithAltitudeAsTheFormulaSays) {
  EXPECT_DOUBLE_EQ(neutron_flux_factor(0), 1.0);
  // Denver: 5280 ft, 841.5 g/cm2 of air.
  EXPECT_NEAR(neutron_flux_factor(1609.344), std::exp((1033 - 841.45) / 131.3), 0.01);
  EXPECT_NEAR(neutron_flux_factor(1609.344), 4.30, 0.01);
  // A flight at 40,000 ft: some hundreds.
  EXPECT_NEAR(neutron_flux_factor(12192), 620, 15);
  double before = 0.0;
  for (double altitude = kLowestAltitude; altitude <= kHighestAltitude; altitude += 100) {
    EXPECT_GT(neutron_flux_factor(altitude), before);
    before = neutron_flux_factor(altitude);
  }
}

TEST(RatesTest, OnlyNeutronsFollowTheAltitude) {
  TechnologyNode node = shipped_node("28nm");
  node.thermal_rate.value = 5;
  const EventRates sea = memory_rates(node, 0);
  EXPECT_EQ(sea.neutron, 66);
  EXPECT_EQ(sea.alpha, 39);
  EXPECT_EQ(sea.thermal, 5);
  EXPECT_EQ(sea.total(), 110);
  const EventRates high = memory_rates(node, 3000);
  const double factor = neutron_flux_factor(3000);
  EXPECT_GT(factor, 5);
  EXPECT_DOUBLE_EQ(high.neutron, 66 * factor);
  EXPECT_EQ(high.alpha, 39);
  EXPECT_EQ(high.thermal, 5);
  EXPECT_EQ(high.of(Radiation::kNeutron), high.neutron);
  EXPECT_EQ(high.of(Radiation::kAlpha), 39);
  EXPECT_EQ(high.of(Radiation::kThermal), 5);
  EXPECT_DOUBLE_EQ(memory_rate_band(node, 3000).low, 12.6 * factor + 44);
  EXPECT_DOUBLE_EQ(memory_rate_band(node, 3000).high, 76 * factor + 44);
}

TEST(RatesTest, FlipFlopsHaveARateOfTheirOwn) {
  const EventRates rates = flip_flop_rates(shipped_node("28nm"), 0);
  EXPECT_EQ(rates.neutron, 33);
  EXPECT_EQ(rates.total(), 33);
}

TEST(RatesTest, FitIsThatOfAllCells) {
  // 256 KiB with 8 check bits to 64: 2.36 Mbit.
  const ArrayGeometry geometry({256 * 1024, 4, 128, 64, 8, 4});
  EXPECT_DOUBLE_EQ(fit_of(105, geometry.cells()), 105 * 2.359296);
}

TEST(RatesTest, TheCrossSectionGivesTheRateBackAtTheReferenceFlux) {
  const TechnologyNode& node = shipped_node("28nm");
  // 66 FIT/Mbit at 13 n/(cm2 h): 5.1e-15 cm2 per bit.
  EXPECT_NEAR(neutron_cross_section(node), 5.08e-15, 0.01e-15);
  EXPECT_DOUBLE_EQ(neutron_cross_section(node) * kReferenceFlux * 1e9 * 1e6, 66);
}

TEST(RatesTest, RatesOfABandAreLogUniform) {
  TechnologyNode node = shipped_node("28nm");
  EXPECT_DOUBLE_EQ(neutron_rate_in_band(node, 0), 12.6);
  EXPECT_NEAR(neutron_rate_in_band(node, 1), 76, 1e-9);
  EXPECT_NEAR(neutron_rate_in_band(node, 0.5), std::sqrt(12.6 * 76), 1e-9);
  node.neutron_low.value = 0;
  EXPECT_DOUBLE_EQ(neutron_rate_in_band(node, 0.5), 38);
}

}  // namespace
}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/report/accumulated.h"

#include "campaigns/plan/enumerations.h"

namespace tilestrike::campaigns {
namespace {

constexpr double kSecondsPerHour = 3600.0;

}  // namespace

std::vector<AccumulatedRates> accumulated_rates(const MemoryPopulation& population,
                                                const Scenario& scenario, double period_seconds,
                                                const std::vector<double>& stored) {
  std::vector<AccumulatedRates> all;
  for (std::size_t i = 0; i < population.structures().size(); ++i) {
    const Structure& structure = population.structures()[i];
    if (!structure.memory) {
      continue;
    }
    const bridge::StudyMemory& memory = population.memories()[*structure.memory];
    if (memory.config.ecc == sim::EccKind::kNone) {
      continue;
    }
    const sim::ArrayConfig array = memory.config.array();
    const sim::ArrayGeometry geometry(array);
    UpsetsKey key;
    key.layout = {geometry.codeword_bits(), geometry.interleave(),
                  static_cast<int>(population.node().tap_rows.value)};
    key.ecc = memory.config.ecc;
    key.data_bits = array.data_bits;
    for (const sim::Radiation radiation : kRadiations) {
      const double fit = structure.fit.of(radiation);
      if (fit > 0.0) {
        const double per_mbit = fit / static_cast<double>(structure.cells) * sim::kBitsPerMbit;
        key.sources.push_back({population.law(radiation),
                               sim::events_per_codeword_hour(per_mbit, geometry.codeword_bits())});
      }
    }
    const double inference = period_seconds / kSecondsPerHour;
    AccumulatedRates rates;
    rates.structure = structure.name;
    rates.codewords = geometry.codewords();
    rates.used = memory.used_codewords;
    rates.is_resident = structure.outlives;
    rates.exposure.residence_hours =
        structure.outlives ? scenario.strike.particle.residence_hours : inference;
    rates.exposure.read_hours = structure.outlives ? inference : 0.0;
    rates.exposure.scrub_hours = static_cast<double>(memory.config.scrub_cycles) /
                                 (scenario.accelerator.clock_mhz * 1e6) / kSecondsPerHour;
    const sim::CodewordUpsets upsets = enumerated_upsets(key)->thinned(stored[i]);
    rates.of_used = sim::accumulate(upsets, static_cast<double>(rates.used), rates.exposure);
    rates.of_all = sim::accumulate(upsets, static_cast<double>(rates.codewords), rates.exposure);
    all.push_back(std::move(rates));
  }
  return all;
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/report/accumulated.h"

#include "campaigns/plan/enumerations.h"

namespace tilestrike::campaigns {
namespace {

constexpr double kSecondsPerHour = 3600.0;

/// What meets in a codeword of a memory, by the rates of what strikes it.
UpsetsKey upsets_key(const ParticlePopulation& population, const Structure& structure,
                     const bridge::StudyMemory& memory) {
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
  return key;
}

}  // namespace

std::string_view name_of(Stay stay) {
  return stay == Stay::kResident ? "stays" : stay == Stay::kRenewed ? "renewed" : "untouched";
}

std::vector<AccumulatedRates> accumulated_rates(const ParticlePopulation& population,
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
    const sim::ArrayGeometry geometry(memory.config.array());
    const sim::CodewordUpsets upsets =
        enumerated_upsets(upsets_key(population, structure, memory))->scaled(stored[i]);
    sim::Exposure exposure;
    exposure.scrub_hours = static_cast<double>(memory.config.scrub_cycles) /
                           (scenario.accelerator.clock_mhz * 1e6) / kSecondsPerHour;
    exposure.stays_when_detected = after_detection(scenario.accelerator) == AfterDetection::kGoesOn;
    const auto add = [&](Stay stay, std::uint64_t codewords) {
      AccumulatedRates rates;
      rates.structure = structure.name;
      rates.stay = stay;
      rates.codewords = codewords;
      rates.exposure = exposure;
      rates.all_codewords = geometry.codewords();
      rates.rates = sim::accumulate(upsets, static_cast<double>(codewords), exposure);
      rates.of_all = sim::accumulate(upsets, static_cast<double>(rates.all_codewords), exposure);
      if (stay == Stay::kUntouched) {  // nobody reads it wrong
        for (sim::AccumulationRates* each : {&rates.rates, &rates.of_all}) {
          each->silent = each->silent_after_right = each->silent_between_reads = 0.0;
        }
      }
      all.push_back(std::move(rates));
    };
    const double inference = period_seconds / kSecondsPerHour;
    const double residence = scenario.strike.particle.residence_hours;
    if (memory.resident_codewords > 0) {
      exposure.residence_hours = residence;
      exposure.read_hours = inference;
      add(Stay::kResident, memory.resident_codewords);
    }
    exposure.residence_hours = inference;
    exposure.read_hours = 0.0;
    if (memory.renewed_codewords > 0) {
      add(Stay::kRenewed, memory.renewed_codewords);
    }
    const std::uint64_t touched = memory.resident_codewords + memory.renewed_codewords;
    if (exposure.scrub_hours > 0.0 && touched < geometry.codewords()) {
      exposure.residence_hours = residence;
      add(Stay::kUntouched, geometry.codewords() - touched);
    }
  }
  return all;
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/report/bands.h"

#include <algorithm>

#include "campaigns/plan/enumerations.h"

namespace tilestrike::campaigns {
namespace {

using sim::Radiation;

/// `value` at one end of a band around `middle`; a band that is not known is none.
double at_end(double value, double middle, const Sourced& end) {
  return is_known(end) && middle > 0.0 ? value * end.value / middle : value;
}

sim::ClusterLaw law_at_end(sim::ClusterLaw law, const sim::TechnologyNode& node, bool is_high) {
  const auto end = [&](const Sourced& low, const Sourced& high) { return is_high ? high : low; };
  law.multi_cell_share = std::min(0.99, at_end(law.multi_cell_share, node.multi_cell_share.value,
                                               end(node.multi_cell_low, node.multi_cell_high)));
  law.tail_ratio = std::min(
      0.99, at_end(law.tail_ratio, node.tail_ratio.value, end(node.tail_low, node.tail_high)));
  law.word_line_share = std::min(0.99, at_end(law.word_line_share, node.word_line_share.value,
                                              end(node.word_line_low, node.word_line_high)));
  return law;
}

struct Chances {
  double silent = 0.0, due = 0.0;
};

/// P(some codeword would be read so | one strike).
Chances chances_of(const sim::ClusterLaw& law, const bridge::StudyMemory& memory, int tap_rows) {
  if (memory.config.ecc == sim::EccKind::kNone) {  // the more cells, the likelier one is read
    return {sim::mean_cells(law.multi_cell_share, law.tail_ratio, law.most_cells), 0.0};
  }
  const auto strata = enumerated_strata({law, memory.config.array(), memory.config.ecc, tap_rows});
  const double both = strata->probability(sim::Stratum::kBoth);
  const double large = strata->probability(sim::Stratum::kLarge);
  return {strata->probability(sim::Stratum::kSilent) + both + large,
          strata->probability(sim::Stratum::kDetected) + both + large};
}

Chances rates_at(const ParticlePopulation& population, const Structure& structure,
                 std::optional<bool> is_high) {
  const sim::TechnologyNode& node = population.node();
  Chances rates;
  for (const Radiation radiation : kRadiations) {
    double fit = structure.fit.of(radiation);
    if (fit <= 0.0) {
      continue;
    }
    const bool is_neutron = radiation == Radiation::kNeutron;
    sim::ClusterLaw law = population.law(radiation);
    if (is_high && is_neutron) {
      fit = at_end(fit, node.neutron_rate.value, *is_high ? node.neutron_high : node.neutron_low);
      law = law_at_end(law, node, *is_high);
    }
    Chances chances = structure.memory ? chances_of(law, population.memories()[*structure.memory],
                                                    static_cast<int>(node.tap_rows.value))
                                       : Chances{1.0, 0.0};
    if (population.are_on_cores()) {
      chances.due = std::max(chances.due, chances.silent);  // a core may hang instead
    }
    rates.silent += fit * chances.silent;
    rates.due += fit * chances.due;
  }
  return rates;
}

/// In the middle of the bands what the population has enumerated already.
Chances middle_of(const ParticlePopulation& population, std::size_t structure) {
  const Structure& each = population.structures()[structure];
  const bool has_ecc =
      each.memory && population.memories()[*each.memory].config.ecc != sim::EccKind::kNone;
  const auto enumerated = population.enumerated(structure);
  return has_ecc && enumerated ? Chances{enumerated->silent, enumerated->due}
                               : rates_at(population, each, std::nullopt);
}

}  // namespace

std::vector<StructureBands> bands_of(const ParticlePopulation& population) {
  std::vector<StructureBands> bands;
  for (std::size_t i = 0; i < population.structures().size(); ++i) {
    const Structure& structure = population.structures()[i];
    const Chances middle = middle_of(population, i);
    const Chances low = rates_at(population, structure, false);
    const Chances high = rates_at(population, structure, true);
    const auto band = [](double at_low, double at_middle, double at_high) {
      return at_middle > 0.0 ? Band{at_low / at_middle, at_high / at_middle} : Band{};
    };
    bands.push_back(
        {band(low.silent, middle.silent, high.silent), band(low.due, middle.due, high.due)});
  }
  return bands;
}

}  // namespace tilestrike::campaigns

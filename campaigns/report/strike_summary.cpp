// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/report/strike_summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "campaigns/plan/particle_inputs.h"

namespace tilestrike::campaigns {
namespace {

constexpr double kSecondsPerHour = 3600.0;

/// Of neutrons, alphas and thermal neutrons: whether the node has a rate.
std::array<bool, 3> known_rates(const sim::TechnologyNode& node, bool is_memory) {
  return is_memory ? std::array{is_known(node.neutron_rate), is_known(node.alpha_rate),
                                is_known(node.thermal_rate)}
                   : std::array{is_known(node.flip_flop_neutron_rate),
                                is_known(node.flip_flop_alpha_rate),
                                is_known(node.flip_flop_thermal_rate)};
}

void add_structures(const StrikeTally& tally, const StrikeEstimator& estimator,
                    StrikeSummary& summary) {
  const ParticlePopulation& population = tally.population();
  EnumeratedRates enumerated;
  bool is_enumerated = true;
  for (std::size_t i = 0; i < population.structures().size(); ++i) {
    const Structure& structure = population.structures()[i];
    StrikeRates rates =
        estimator.rates_of([i](const StrikeGroup& group) { return group.structure == i; });
    rates.name = structure.name;
    rates.cells = structure.cells;
    rates.is_known = known_rates(population.node(), structure.memory.has_value());
    rates.enumerated = population.enumerated(i);
    if (rates.enumerated) {  // if all that counts hits the more sensitive cells
      for (double* fit : {&rates.enumerated->silent, &rates.enumerated->due}) {
        *fit = std::min(*fit * tally.most_factor(), rates.strikes());
      }
    }
    is_enumerated = is_enumerated && rates.enumerated;
    enumerated.silent += rates.enumerated ? rates.enumerated->silent : 0.0;
    enumerated.due += rates.enumerated ? rates.enumerated->due : 0.0;
    summary.all.cells += structure.cells;
    summary.structures.push_back(std::move(rates));
  }
  if (is_enumerated) {
    summary.all.enumerated = enumerated;
  }
  keep_within_parts(summary.structures, summary.all);
}

void add_radiations(const ParticlePopulation& population, const StrikeEstimator& estimator,
                    StrikeSummary& summary) {
  for (const sim::Radiation radiation : kRadiations) {
    const auto is_meant = [radiation](const StrikeGroup& group) {
      return group.radiation == radiation;
    };
    if (std::ranges::any_of(population.groups(), is_meant)) {
      summary.radiations.push_back(estimator.rates_of(is_meant));
      keep_within_all(summary.all, summary.radiations.back());
      summary.radiations.back().name = std::string(name_of(radiation));
    }
  }
}

void add_fit_band(const sim::TechnologyNode& node, StrikeSummary& summary) {
  const double middle = node.neutron_rate.value;
  const double stored = summary.all.stored.value;
  const double others = summary.all.fit.alpha + summary.all.fit.thermal;
  const auto at_edge = [&](double edge) {  // flip-flops have no band of their own: the same
    return stored * (middle > 0.0 ? summary.all.fit.neutron * edge / middle + others : others);
  };
  summary.fit_low = at_edge(node.neutron_low.value);
  summary.fit_high = at_edge(node.neutron_high.value);
}

/// What groups can come to, and those that came to something else.
void add_classes(const StrikeTally& tally, StrikeSummary& summary) {
  const ParticlePopulation& population = tally.population();
  for (const StrikeGroup& group : population.groups()) {
    const std::string& structure = population.structures()[group.structure].name;
    const std::string name = structure + " " + std::string(name_of(group.radiation)) + " " +
                             population.classes()[group.of_class].text();
    if (group.can_be_silent) {
      summary.silent_classes.insert(name);
    }
    if (group.can_be_due) {
      summary.due_classes.insert(name);
    }
    const RateArray<ByStored>& hits = tally.of(group).hits;
    const bool is_silent = total_of(hits[Rate::kSdc]) + total_of(hits[Rate::kNonfinite]) > 0;
    if ((is_silent && !group.can_be_silent) ||
        (total_of(hits[Rate::kDue]) > 0 && !group.can_be_due)) {
      summary.warnings.push_back(fmt::format(
          "{}: strikes of the stratum '{}' ended as {}, which reading their codewords cannot come "
          "to; their rate is in the totals",
          structure, group.text, is_silent && !group.can_be_silent ? "silent errors" : "due"));
    }
  }
}

}  // namespace

double later_inferences(const Scenario& scenario, Cycle cycles) {
  const bridge::AcceleratorConfig& accelerator = scenario.accelerator;
  const bool stays = accelerator.has_core
                         ? accelerator.chip.reload == bridge::CoreReload::kAtBoot
                         : accelerator.schedule.weights == bridge::WeightReload::kAtBoot;
  if (!stays) {
    return 0.0;
  }
  const double period = static_cast<double>(cycles) / (scenario.accelerator.clock_mhz * 1e6);
  // A strike comes at any time between two loads: on average half of it is left.
  return scenario.strike.particle.residence_hours * kSecondsPerHour / period / 2.0;
}

StrikeSummary strike_summary(const StrikeTally& tally, double confidence) {
  const ParticlePopulation& population = tally.population();
  const StrikeEstimator estimator(tally, confidence);
  StrikeSummary summary;
  summary.is_stratified = population.is_stratified();
  summary.confidence = confidence;
  summary.node = population.node().name;
  summary.altitude = population.particle().altitude;
  summary.later_inferences = tally.later_inferences();
  summary.inputs = particle_inputs(population);
  summary.not_modelled = population.not_modelled();
  summary.all = estimator.rates_of(is_any_group);
  summary.all.name = "all";
  summary.after_detection = tally.after_detection();
  if (population.zero_to_one()) {
    summary.stored_values = {tally.factors()};
  }
  add_structures(tally, estimator, summary);
  add_radiations(population, estimator, summary);
  add_fit_band(population.node(), summary);
  add_classes(tally, summary);
  return summary;
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/particle_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "campaigns/plan/core_population.h"

namespace tilestrike::campaigns {
namespace {

/// What is not known is not modelled.
void add_known(std::string name, std::string unit, const Sourced& value,
               std::vector<StrikeInput>& inputs) {
  if (is_known(value)) {
    inputs.push_back({std::move(name), std::move(unit), value});
  }
}

bool is_struck_by(const ParticlePopulation& population, sim::Radiation radiation) {
  return population.particle().radiation.value_or(radiation) == radiation;
}

void add_cell_rates(const ParticlePopulation& population, std::vector<StrikeInput>& inputs) {
  const sim::TechnologyNode& node = population.node();
  if (is_struck_by(population, sim::Radiation::kNeutron)) {
    add_known("neutron rate", "FIT/Mbit", node.neutron_rate, inputs);
    inputs.push_back(
        {"cells of an event on average (the rate counts events)",
         "",
         {node.mean_cells.value, node.rate_counts.source, node.rate_counts.provenance}});
    add_known("several cells, of neutron events", "", node.multi_cell_share, inputs);
    add_known("ratio of n + 1 to n cells", "", node.tail_ratio, inputs);
    add_known("most cells", "", node.most_cells, inputs);
  }
  if (is_struck_by(population, sim::Radiation::kAlpha)) {
    add_known("alpha rate", "FIT/Mbit", node.alpha_rate, inputs);
    add_known("several cells, of alpha events", "", node.alpha_multi_cell_share, inputs);
  }
  if (is_struck_by(population, sim::Radiation::kThermal)) {
    add_known("thermal rate", "FIT/Mbit", node.thermal_rate, inputs);
  }
  add_known("growth along the word line", "", node.word_line_share, inputs);
  add_known("rows between well taps", "rows", node.tap_rows, inputs);
}

void add_flip_flop_rates(const ParticlePopulation& population, std::vector<StrikeInput>& inputs) {
  const sim::TechnologyNode& node = population.node();
  const auto add = [&](sim::Radiation radiation, const char* name, const Sourced& rate) {
    if (is_struck_by(population, radiation)) {
      add_known(name, "FIT/Mbit", rate, inputs);
    }
  };
  add(sim::Radiation::kNeutron, "neutron rate of flip-flops", node.flip_flop_neutron_rate);
  add(sim::Radiation::kAlpha, "alpha rate of flip-flops", node.flip_flop_alpha_rate);
  add(sim::Radiation::kThermal, "thermal rate of flip-flops", node.flip_flop_thermal_rate);
}

/// Factors of the flux that are none where the reference's surroundings are meant.
void add_surroundings(const ParticleConfig& particle, std::vector<StrikeInput>& inputs) {
  const sim::Surroundings surroundings = surroundings_of(particle);
  const auto factor = [&](const char* name, double value, const char* source) {
    if (value != 1.0) {
      inputs.push_back(sourced_input(name, "", value, source));
    }
  };
  factor("neutron flux over sea level's", sim::altitude_factor(surroundings.altitude_m),
         sim::kAltitudeSource);
  factor("neutron flux over the reference's rigidity and sun", sim::place_factor(surroundings),
         sim::kPlaceSource);
  factor("thermal neutron flux over the reference's", surroundings.thermal_flux, "A:the scenario");
}

void add_voltage(const ParticlePopulation& population, std::vector<StrikeInput>& inputs) {
  const sim::TechnologyNode& node = population.node();
  const ParticleConfig& particle = population.particle();
  if (particle.voltage > 0.0) {
    inputs.push_back(said_input("voltage", "V", particle.voltage));
    if (particle.rate_per_volt) {
      inputs.push_back(said_input("e-folds of all rates per volt below that of the node", "1/V",
                                  *particle.rate_per_volt));
    }
    add_known("logit of several cells per volt", "1/V", node.share_logit_per_volt, inputs);
    add_known("voltage of the node", "V", node.vdd, inputs);
  }
  if (particle.heavy_tail > 0.0) {
    inputs.push_back(said_input("heavy tail, of neutron events", "", particle.heavy_tail));
  }
}

}  // namespace

std::vector<StrikeInput> fluence_inputs(const ParticlePopulation& population) {
  const sim::TechnologyNode& node = population.node();
  const ParticleConfig& particle = population.particle();
  const double by_voltage = voltage_factor(particle, node);
  const std::string derived =
      "D:rate over flux;" +
      std::string(tag_of(std::max(node.neutron_rate.provenance, Provenance::kRecalled))) + ":both";
  std::vector<StrikeInput> inputs = {
      said_input("fluence of a trial", "n/cm2", particle.fluence),
      {"neutron rate", "FIT/Mbit", node.neutron_rate},
      sourced_input("neutron flux to which the rate refers", "n/(cm2 h)", sim::kReferenceFlux,
                    "R:JESD89A, above 10 MeV at sea level"),
      sourced_input("cross section of a cell", "cm2", by_voltage * sim::neutron_cross_section(node),
                    derived),
      {"several cells, of neutron events", "", node.multi_cell_share},
      {"ratio of n + 1 to n cells", "", node.tail_ratio},
      {"most cells", "", node.most_cells},
      {"growth along the word line", "", node.word_line_share},
      {"rows between well taps", "rows", node.tap_rows},
  };
  if (particle.voltage > 0.0) {
    inputs.push_back(said_input("voltage", "V", particle.voltage));
    inputs.push_back({"voltage of the node", "V", node.vdd});
    inputs.push_back(said_input("e-folds of the rates per volt below that", "1/V",
                                particle.rate_per_volt.value_or(0.0)));
    inputs.push_back({"logit of several cells per volt", "1/V", node.share_logit_per_volt});
  }
  if (particle.heavy_tail > 0.0) {
    inputs.push_back(said_input("heavy tail, of neutron events", "", particle.heavy_tail));
  }
  return inputs;
}

std::vector<StrikeInput> particle_inputs(const ParticlePopulation& population) {
  std::vector<StrikeInput> inputs;
  const auto is_memory = [](const Structure& each) { return each.memory.has_value(); };
  if (std::ranges::any_of(population.structures(), is_memory)) {
    add_cell_rates(population, inputs);
  }
  if (population.zero_to_one()) {
    add_known("events of cells that hold 0 over 1", "", population.node().zero_to_one, inputs);
  }
  if (!std::ranges::all_of(population.structures(), is_memory)) {
    add_flip_flop_rates(population, inputs);
  }
  add_surroundings(population.particle(), inputs);
  add_voltage(population, inputs);
  return inputs;
}

std::vector<StrikeInput> ParticlePopulation::inputs() const {
  return single_particles() == nullptr ? fluence_inputs(*this) : std::vector<StrikeInput>();
}

std::vector<std::string> ParticlePopulation::not_modelled() const {
  std::vector<std::string> names = are_on_cores() ? unstruck_of_cores() : unstruck_logic_and({});
  if (!are_on_cores()) {
    names.emplace_back(kOffChip);
  }
  const auto is_memory = [](const Structure& each) { return each.memory.has_value(); };
  const bool has_memory = std::ranges::any_of(structures(), is_memory);
  const bool has_mesh = !std::ranges::all_of(structures(), is_memory);
  names.emplace_back(has_mesh         ? kLatchWindows
                     : are_on_cores() ? "registers of the cores (name them in 'where.core')"
                                      : "registers of the mesh (add 'mesh: {}' to 'where')");
  const Sourced& ratio = node_.zero_to_one;
  if (ratio.value != 1.0 && !zero_to_one()) {
    names.push_back(fmt::format("stored values (a 0 is {:g} times as sensitive as a 1: {})",
                                ratio.value, ratio.source));
  }
  for (std::string& unknown : sim::unknown_rates(node_, has_mesh, has_memory)) {
    names.push_back(std::move(unknown));
  }
  if (fluence() > 0.0) {
    names.emplace_back("what of a beam are no neutrons");
  }
  return names;
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/report/inputs.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/error.h"

namespace tilestrike::campaigns {
namespace {

StrikeInput sourced(std::string name, std::string unit, double value, std::string source) {
  const std::optional<Provenance> provenance = provenance_of(source);
  TS_CHECK(provenance.has_value(), "a source begins with its tag");
  return {std::move(name), std::move(unit), {value, std::move(source), *provenance}};
}

StrikeInput said(std::string name, std::string unit, double value) {
  return sourced(std::move(name), std::move(unit), value, "A:the scenario");
}

/// A parameter of a process that has a default with a source.
StrikeInput parameter(const char* key, std::string name, std::string unit, double value,
                      double default_value, std::span<const sim::ParameterSource> sources) {
  const auto found = std::ranges::find(sources, std::string_view(key),
                                       [](const auto& each) { return std::string_view(each.key); });
  TS_CHECK(found != sources.end(), "a parameter whose default has a source");
  return value == default_value ? sourced(std::move(name), std::move(unit), value, found->source)
                                : said(std::move(name), std::move(unit), value);
}

/// The rates of the file and the size of the devices that they were counted on.
void add_dram_rates(const StrikeConfig& strike, std::vector<StrikeInput>& inputs) {
  const bool is_permanent = is_persistent(strike);
  for (const sim::DramModeRate& rate : dram_rates(strike)) {
    inputs.push_back({std::string(sim::name_of(rate.mode)) +
                          (is_permanent ? ", permanent failures" : ", transient failures"),
                      "FIT/device", is_permanent ? rate.permanent : rate.transient});
  }
  if (strike.dram.modes.empty()) {
    inputs.push_back(sourced("size of the devices of these rates, which scale with nothing", "bit",
                             sim::kStudiedDeviceBits, sim::kStudiedDeviceSource));
  }
}

/// What is not known is not modelled.
void add_known(std::string name, std::string unit, const Sourced& value,
               std::vector<StrikeInput>& inputs) {
  if (is_known(value)) {
    inputs.push_back({std::move(name), std::move(unit), value});
  }
}

bool is_struck_by(const MemoryPopulation& population, sim::Radiation radiation) {
  return population.particle().radiation.value_or(radiation) == radiation;
}

void add_cell_rates(const MemoryPopulation& population, std::vector<StrikeInput>& inputs) {
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

void add_flip_flop_rates(const MemoryPopulation& population, std::vector<StrikeInput>& inputs) {
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
      inputs.push_back(sourced(name, "", value, source));
    }
  };
  factor("neutron flux over sea level's", sim::altitude_factor(surroundings.altitude_m),
         sim::kAltitudeSource);
  factor("neutron flux over the reference's rigidity and sun", sim::place_factor(surroundings),
         sim::kPlaceSource);
  factor("thermal neutron flux over the reference's", surroundings.thermal_flux, "A:the scenario");
}

void add_voltage(const MemoryPopulation& population, std::vector<StrikeInput>& inputs) {
  const sim::TechnologyNode& node = population.node();
  const ParticleConfig& particle = population.particle();
  if (particle.voltage > 0.0) {
    inputs.push_back(said("voltage", "V", particle.voltage));
    if (particle.rate_per_volt) {
      inputs.push_back(said("e-folds of all rates per volt below that of the node", "1/V",
                            *particle.rate_per_volt));
    }
    add_known("logit of several cells per volt", "1/V", node.share_logit_per_volt, inputs);
    add_known("voltage of the node", "V", node.vdd, inputs);
  }
  if (particle.heavy_tail > 0.0) {
    inputs.push_back(said("heavy tail, of neutron events", "", particle.heavy_tail));
  }
}

}  // namespace

std::vector<StrikeInput> low_voltage_inputs(const sim::LowVoltageConfig& config) {
  const sim::LowVoltageConfig standard;
  const auto of = [&](const char* key, const char* name, const char* unit,
                      double sim::LowVoltageConfig::*member) {
    return parameter(key, name, unit, config.*member, standard.*member, sim::low_voltage_sources());
  };
  using Config = sim::LowVoltageConfig;
  std::vector<StrikeInput> inputs = {
      said("voltage", "V", config.voltage),
      of("median", "median of the failure voltages", "V", &Config::median),
      of("sigma", "standard deviation of the failure voltages", "V", &Config::sigma),
      of("correlated", "failures that come with a weak row or column", "", &Config::correlated),
      of("in_rows", "of these, those of rows", "", &Config::in_rows),
      of("density", "cells of a weak row or column that fail with it", "", &Config::density),
      of("ones", "failing cells that read 1", "", &Config::ones),
  };
  const StrikeInput &median = inputs[1], &sigma = inputs[2];
  inputs.push_back(
      sourced("cells that fail at this voltage", "", sim::failing_share(config, config.voltage),
              "D:normal law;" +
                  std::string(tag_of(std::max(median.value.provenance, sigma.value.provenance))) +
                  ":its median and deviation"));
  return inputs;
}

std::vector<StrikeInput> dram_inputs(const StrikeConfig& strike) {
  const sim::DramConfig &device = strike.dram.device, standard;
  std::vector<StrikeInput> inputs = {said("devices of a memory", "", device.devices)};
  add_dram_rates(strike, inputs);
  inputs.push_back(is_persistent(strike)
                       ? parameter("ones", "cells of a permanent failure that are stuck at 1", "",
                                   device.ones, standard.ones, sim::dram_sources())
                       : parameter("density", "cells of a transient failure that flip", "",
                                   device.density, standard.density, sim::dram_sources()));
  return inputs;
}

std::vector<StrikeInput> fluence_inputs(const MemoryPopulation& population) {
  const sim::TechnologyNode& node = population.node();
  const ParticleConfig& particle = population.particle();
  const double by_voltage = voltage_factor(particle, node);
  const std::string derived =
      "D:rate over flux;" +
      std::string(tag_of(std::max(node.neutron_rate.provenance, Provenance::kRecalled))) + ":both";
  std::vector<StrikeInput> inputs = {
      said("fluence of a trial", "n/cm2", particle.fluence),
      {"neutron rate", "FIT/Mbit", node.neutron_rate},
      sourced("neutron flux to which the rate refers", "n/(cm2 h)", sim::kReferenceFlux,
              "R:JESD89A, above 10 MeV at sea level"),
      sourced("cross section of a cell", "cm2", by_voltage * sim::neutron_cross_section(node),
              derived),
      {"several cells, of neutron events", "", node.multi_cell_share},
      {"ratio of n + 1 to n cells", "", node.tail_ratio},
      {"most cells", "", node.most_cells},
      {"growth along the word line", "", node.word_line_share},
      {"rows between well taps", "rows", node.tap_rows},
  };
  if (particle.voltage > 0.0) {
    inputs.push_back(said("voltage", "V", particle.voltage));
    inputs.push_back({"voltage of the node", "V", node.vdd});
    inputs.push_back(said("e-folds of the rates per volt below that", "1/V",
                          particle.rate_per_volt.value_or(0.0)));
    inputs.push_back({"logit of several cells per volt", "1/V", node.share_logit_per_volt});
  }
  if (particle.heavy_tail > 0.0) {
    inputs.push_back(said("heavy tail, of neutron events", "", particle.heavy_tail));
  }
  return inputs;
}

std::vector<StrikeInput> particle_inputs(const MemoryPopulation& population) {
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

std::vector<StrikeInput> process_inputs(const StrikeConfig& strike,
                                        const MemoryPopulation& population) {
  return strike.process == Process::kLowVoltage ? low_voltage_inputs(strike.low_voltage)
         : strike.process == Process::kDram     ? dram_inputs(strike)
         : is_particle(strike) && population.fluence() > 0.0 ? fluence_inputs(population)
                                                             : std::vector<StrikeInput>();
}

}  // namespace tilestrike::campaigns

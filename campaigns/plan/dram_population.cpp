// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/dram_population.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "base/field_table.h"

namespace tilestrike::campaigns {
namespace {

constexpr double kAlikeDevices = 4.0;  // sizes of DRAM devices that are at most so many times apart

/// "64 Kbit", "1 Gbit"; K is 1024.
std::string bits_text(double bits) {
  constexpr std::array kUnits = {"bit", "Kbit", "Mbit", "Gbit", "Tbit"};
  std::size_t unit = 0;
  for (; unit + 1 < kUnits.size() && bits >= 1024.0; ++unit) {
    bits /= 1024.0;
  }
  return fmt::format("{:.4g} {}", bits, kUnits[unit]);
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
    inputs.push_back(sourced_input("size of the devices of these rates, which scale with nothing",
                                   "bit", sim::kStudiedDeviceBits, sim::kStudiedDeviceSource));
  }
}

}  // namespace

CellFailures fail_in_dram(std::span<const bridge::StudyMemory> memories,
                          std::span<const std::size_t> selected, const sim::DramConfig& config,
                          const sim::DramEventLaw& law, CycleWindow when, std::uint64_t seed,
                          std::uint64_t trial) {
  TS_CHECK(!selected.empty(), "a process needs a memory");
  CellFailures failures;
  failures.memory = selected[RandomStream(seed, trial, Purpose::kChip).below(selected.size())];
  const bridge::StudyMemory& memory = memories[failures.memory];
  const sim::ArrayGeometry geometry(memory.config.array());
  const sim::DramEvent event = law.draw(geometry, seed, trial);
  const sim::DramUpset upset(event, geometry, config);
  failures.struck = event.struck;
  failures.cells = upset.cells();
  failures.about = std::string(sim::name_of(event.mode)) + " of device " +
                   std::to_string(upset.device()) +
                   (event.is_permanent ? ", permanent" : ", transient");
  std::optional<sim::CodewordId> codeword = upset.next(sim::CodewordId(0));
  while (codeword && codeword->value < memory.used_codewords) {
    const sim::BitString values = event.is_permanent ? upset.values(*codeword) : sim::BitString();
    upset.struck(*codeword).for_each([&](int bit) {
      const FaultKind kind = event.is_permanent ? stuck_at(values.test(bit)) : FaultKind::kFlip;
      failures.faults.push_back({failures.memory, {*codeword, bit}, kind, when});
    });
    codeword = upset.next(sim::CodewordId(codeword->value + 1));
  }
  return failures;
}

std::vector<StrikeInput> dram_inputs(const StrikeConfig& strike) {
  const sim::DramConfig &device = strike.dram.device, standard;
  std::vector<StrikeInput> inputs = {said_input("devices of a memory", "", device.devices)};
  add_dram_rates(strike, inputs);
  inputs.push_back(is_persistent(strike)
                       ? parameter_input("ones", "cells of a permanent failure that are stuck at 1",
                                         "", device.ones, standard.ones, sim::dram_sources())
                       : parameter_input("density", "cells of a transient failure that flip", "",
                                         device.density, standard.density, sim::dram_sources()));
  return inputs;
}

DramPopulation::DramPopulation(const Scenario& scenario, const bridge::StudyFacts& study)
    : FailurePopulation(scenario, study), law_(dram_law(scenario.strike)) {}

int DramPopulation::devices() const {
  return strike().dram.device.devices * static_cast<int>(structures().size());
}

std::string DramPopulation::text() const {
  return std::to_string(devices()) + " devices of " + cells_text() + " cells, " +
         field_detail::real_text(law_.fit_per_device()) + " FIT each";
}

double DramPopulation::device_fit() const {
  return law_.fit_per_device() * strike().dram.device.devices *
         static_cast<double>(structures().size());
}

// The rates of a file of one's own are those of its devices, whatever their size.
std::vector<std::string> DramPopulation::warnings() const {
  std::vector<std::string> all;
  if (!strike().dram.modes.empty()) {
    return all;
  }
  for (const Structure& structure : structures()) {
    const double bits = static_cast<double>(structure.cells) / strike().dram.device.devices;
    const double ratio = bits / sim::kStudiedDeviceBits;
    if (ratio > kAlikeDevices || ratio < 1.0 / kAlikeDevices) {
      all.push_back("strike.dram: a device of '" + structure.name + "' has " + bits_text(bits) +
                    ", and those of the study behind data/dram_modes.csv have " +
                    bits_text(sim::kStudiedDeviceBits) + " (" + sim::kStudiedDeviceSource +
                    "): rates are per device, whatever its size; give the whole capacity, or "
                    "rates of such devices as 'modes'");
    }
  }
  return all;
}

std::vector<std::string> DramPopulation::not_modelled() const {
  return unstruck_logic_and({"registers of the mesh"});
}

CellFailures DramPopulation::failures_of(const std::vector<std::size_t>& selected, CycleWindow when,
                                         const TrialStreams& streams) const {
  return fail_in_dram(memories(), selected, strike().dram.device, law_, when, streams.seed,
                      streams.trial.value);
}

}  // namespace tilestrike::campaigns

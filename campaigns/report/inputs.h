// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the results of a process rest on, each number with its tag and source.
#pragma once

#include <string>
#include <vector>

#include "base/provenance.h"
#include "campaigns/plan/memory_population.h"
#include "campaigns/scenario/strike.h"

namespace tilestrike::campaigns {

class Report;

/// A number that results rest on, and where it comes from.
struct StrikeInput {
  std::string name, unit;
  Sourced value;
};

/// Supply, law of the failure voltages, what of it is correlated, and the share of all cells that
/// fails by it. A number that is not the default is the scenario's.
std::vector<StrikeInput> low_voltage_inputs(const sim::LowVoltageConfig& config);

/// Devices, how often each fails in the ways that the trials are drawn from, and what becomes of
/// the cells. Throws Failure where the file of modes cannot be read.
std::vector<StrikeInput> dram_inputs(const StrikeConfig& strike);

/// Fluence, cross section and what it follows from, and the law of the clusters.
std::vector<StrikeInput> fluence_inputs(const MemoryPopulation& population);

/// Where a trial is one particle: rates of the node, law of the clusters, and what the scenario
/// says of flux and voltage.
std::vector<StrikeInput> particle_inputs(const MemoryPopulation& population);

/// Those of the process; empty where a trial is one particle, or a uniform strike, whose numbers
/// are all the scenario's.
std::vector<StrikeInput> process_inputs(const StrikeConfig& strike,
                                        const MemoryPopulation& population);

/// "inputs:" and a line for each.
void add_inputs(const std::vector<StrikeInput>& inputs, Report& report);

}  // namespace tilestrike::campaigns

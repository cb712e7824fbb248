// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/population_of.h"

#include "base/error.h"
#include "campaigns/plan/cell_population.h"
#include "campaigns/plan/core_population.h"
#include "campaigns/plan/dram_population.h"
#include "campaigns/plan/listed_population.h"
#include "campaigns/plan/low_voltage_population.h"
#include "campaigns/plan/particle_population.h"
#include "campaigns/plan/register_population.h"
#include "campaigns/plan/word_population.h"

namespace tilestrike::campaigns {

std::unique_ptr<Population> population_of(const Scenario& scenario,
                                          const bridge::StudyFacts& study) {
  const StrikeConfig& strike = scenario.strike;
  const bool is_on_tensors = strikes_tensors(strike);
  switch (strike.process) {
    case Process::kList:
      if (is_on_tensors) {
        return std::make_unique<ListedWords>(strike, study);
      }
      if (strikes_memories(strike)) {
        return std::make_unique<ListedCells>(scenario, study);
      }
      return std::make_unique<ListedRegisters>(strike, study);
    case Process::kParticle:
      return std::make_unique<ParticlePopulation>(scenario, study);
    case Process::kLowVoltage:
      return std::make_unique<LowVoltagePopulation>(scenario, study);
    case Process::kDram:
      return std::make_unique<DramPopulation>(scenario, study);
    case Process::kUniform:
      break;
  }
  if (strikes_cores(scenario) && study.cores) {
    if (strike.where.core.means_cells() && !strike.where.core.is_narrow()) {
      return std::make_unique<CellPopulation>(scenario, study);
    }
    return std::make_unique<CorePopulation>(strike, study);
  }
  if (is_on_tensors) {
    return std::make_unique<WordPopulation>(strike, study.stores);
  }
  if (strikes_memories(strike)) {
    return std::make_unique<CellPopulation>(scenario, study);
  }
  return std::make_unique<RegisterPopulation>(strike, study);
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/memory_population.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "campaigns/plan/core_population.h"

namespace tilestrike::campaigns {
namespace {

std::uint64_t chosen_cells(const sim::ArrayGeometry& geometry, CellChoice choice) {
  return choice == CellChoice::kAll    ? geometry.cells()
         : choice == CellChoice::kData ? geometry.data_cells()
                                       : geometry.check_cells();
}

}  // namespace

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t end = text.size(); end > 3; end -= 3) {
    text.insert(end - 3, ",");
  }
  return text;
}

MemoryPopulation::MemoryPopulation(const Scenario& scenario, const bridge::StudyFacts& study)
    : Population(scenario.strike, times_of(scenario.strike, study)),
      memories_(study.memories),
      has_cores_(study.cores.has_value()),
      missed_windows_(missed_windows(scenario.strike, study)) {
  for (const bridge::StudyMemory& memory : memories_) {
    geometries_.emplace_back(memory.config.array());
  }
  if (study.cores) {
    add_core_arrays(scenario, *study.cores);
    return;
  }
  for (const std::size_t index : selected_memories(scenario.strike, scenario.accelerator)) {
    const std::string& name = scenario.accelerator.memory[index].first;
    const auto found = std::ranges::find(memories_, name, &bridge::StudyMemory::name);
    if (found == memories_.end()) {
      fail(ErrorCode::kUnsupported,
           "strike.where.memory: nothing of this network is placed in the memory '" + name + "'",
           "scenario", "name other memories");
    }
    const auto memory = static_cast<std::size_t>(found - memories_.begin());
    const std::vector<sim::MemoryContent>& holds = found->config.holds;
    const auto may_hold = [&](sim::MemoryContent content) {
      return std::ranges::find(holds, content) != holds.end();
    };
    const bool keeps_weights =
        scenario.accelerator.schedule.weights == bridge::WeightReload::kAtBoot &&
        may_hold(sim::MemoryContent::kWeights);
    add_structure({name,
                   memory,
                   chosen_cells(geometries_[memory], scenario.strike.where.memory.cells),
                   geometries_[memory].data_cells(),
                   {},
                   keeps_weights || may_hold(sim::MemoryContent::kBacking)});
  }
}

/// Of particles and low voltage only what is made of memory cells.
void MemoryPopulation::add_core_arrays(const Scenario& scenario, const bridge::StudyCores& cores) {
  const CoreSelection& selection = scenario.strike.where.core;
  const bool is_uniform = scenario.strike.process == Process::kUniform;
  const bool stays = scenario.accelerator.chip.reload == bridge::CoreReload::kAtBoot;
  for (std::size_t i = 0; i < memories_.size(); ++i) {
    const sim::CoreBlock& array = *cores.sites.block_named(memories_[i].name);
    const bool is_meant =
        (selection.memories.empty() && selection.registers.empty()) ||
        std::ranges::find(selection.memories, array.name) != selection.memories.end();
    if (is_meant && (is_uniform || array.cells == sim::CoreCells::kSram)) {
      add_structure({array.name,
                     i,
                     geometries_[i].cells(),
                     geometries_[i].data_cells(),
                     {},
                     stays && array.is_boot_array()});
    }
  }
}

void MemoryPopulation::add_structure(const Structure& structure) {
  structures_.push_back(structure);
  cells_ += structure.cells;
}

std::size_t MemoryPopulation::structure_of(std::size_t memory) const {
  const auto found = std::ranges::find(structures_, std::optional(memory), &Structure::memory);
  return static_cast<std::size_t>(found - structures_.begin());
}

std::string MemoryPopulation::joint_structure() const {
  if (!strikes_several()) {
    return "";
  }
  std::vector<std::string> names;
  for (const Structure& structure : structures_) {
    names.push_back(structure.name);
  }
  return join(names, "+");
}

std::vector<std::string> MemoryPopulation::parts() const {
  if (strikes_several()) {
    return {joint_structure()};
  }
  std::vector<std::string> names;
  for (const Structure& structure : structures_) {
    names.push_back(structure.name);
  }
  return names;
}

std::vector<std::string> MemoryPopulation::not_modelled() const {
  if (has_cores_) {
    return unstruck_of_cores();
  }
  std::vector<std::string> names = unstruck_logic_and({"registers of the mesh"});
  names.emplace_back(kOffChip);
  return names;
}

int MemoryPopulation::place_of(const DrawnStrike& drawn) const {
  const std::optional<std::size_t>& memory = structures_[drawn.structure].memory;
  return memory ? geometries_[*memory].number_of_column(drawn.struck.column) : 0;
}

std::string MemoryPopulation::cells_text() const {
  std::vector<std::string> parts;
  for (const Structure& structure : structures_) {
    parts.push_back(structure.name + " " + with_commas(structure.cells));
  }
  return join(parts, " + ");
}

bridge::ScrubPhases drawn_scrub_phases(const std::vector<bridge::StudyMemory>& memories,
                                       const TrialStreams& streams) {
  bridge::ScrubPhases phases(memories.size());
  for (std::size_t i = 0; i < memories.size(); ++i) {
    const Cycle period = memories[i].config.scrub_cycles;
    if (period > 0) {
      RandomStream stream(seed_of_part(streams.seed, i), streams.trial.value, Purpose::kScrub);
      phases[i] = static_cast<Cycle>(stream.below(static_cast<std::uint64_t>(period)));
    }
  }
  return phases;
}

void MemoryPopulation::finish(DrawnStrike& drawn) {
  const auto place = [](const DrawnCell& cell) {
    return std::tuple(cell.fault.memory, cell.fault.bit);
  };
  std::ranges::stable_sort(drawn.cells, {}, place);
  // Two events in one cell: the first is kept.
  const auto same = std::ranges::unique(drawn.cells, {}, place);
  drawn.cells.erase(same.begin(), same.end());
  drawn.codewords = 0;
  for (std::size_t i = 0; i < drawn.cells.size(); ++i) {
    const CellFault& fault = drawn.cells[i].fault;
    const bool is_new = i == 0 || drawn.cells[i - 1].fault.memory != fault.memory ||
                        drawn.cells[i - 1].fault.bit.codeword != fault.bit.codeword;
    drawn.codewords += is_new ? 1 : 0;
  }
}

DrawnTrial MemoryPopulation::trial_of(DrawnStrike drawn) const {
  finish(drawn);
  const CellFault& first = drawn.cells.front().fault;
  drawn.struck = geometry(first.memory).cell_of(first.bit);
  drawn.cycle = first.when.from;
  drawn.structure = structure_of(first.memory);
  drawn.memory = first.memory;
  DrawnTrial trial;
  trial.strike = std::move(drawn);
  return trial;
}

sim::Cell PlaceStreams::cell(const sim::ArrayGeometry& geometry) {
  const auto below = [](RandomStream& stream, int bound) {
    return static_cast<int>(stream.nested_below(static_cast<std::uint64_t>(bound)));
  };
  return {below(bank_, geometry.banks()), below(row_, geometry.rows()),
          geometry.column_at(below(column_, geometry.columns()))};
}

}  // namespace tilestrike::campaigns

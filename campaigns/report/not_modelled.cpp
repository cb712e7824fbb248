// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/report/not_modelled.h"

#include <fmt/format.h>

#include <algorithm>

namespace tilestrike::campaigns {
namespace {

constexpr const char* kLatchWindows =
    "latch windows of flip-flops: every upset is taken over (what follows a flip-flop may miss it)";

void add_other_parts(std::vector<std::string>& names) {
  names.insert(names.end(),
               {"DMA engines", "the sequencer", "the vector unit",
                "biases and requantisation constants (registers)", "clock and reset trees"});
}

}  // namespace

std::vector<std::string> not_modelled(const Scenario& scenario, const Plan& plan) {
  if (plan.tensors() != nullptr) {
    return {"the hardware that holds and moves these tensors, and its ECC"};
  }
  const MemoryPopulation* memories = plan.memories();
  if (memories != nullptr && memories->is_particle()) {
    std::vector<std::string> names = not_modelled_of(*memories);
    if (memories->fluence() > 0.0) {
      names.emplace_back("what of a beam are no neutrons");
    }
    return names;
  }
  std::vector<std::string> names = {"combinational logic"};
  if (memories == nullptr) {
    names.emplace_back("cells of memories (strike.where.memory strikes them)");
    if (!plan.is_persistent()) {
      names.emplace_back(kLatchWindows);
    }
  } else {
    names.emplace_back("registers of the mesh");
  }
  add_other_parts(names);
  if (memories == nullptr || scenario.strike.process != Process::kDram) {
    names.emplace_back("off-chip memory");
  }
  return names;
}

std::vector<std::string> not_modelled_of(const MemoryPopulation& population) {
  std::vector<std::string> names = {"combinational logic"};
  add_other_parts(names);
  names.emplace_back("off-chip memory");
  const auto is_memory = [](const Structure& each) { return each.memory.has_value(); };
  const bool has_memory = std::ranges::any_of(population.structures(), is_memory);
  const bool has_mesh = !std::ranges::all_of(population.structures(), is_memory);
  names.emplace_back(has_mesh ? kLatchWindows
                              : "registers of the mesh (add 'mesh: {}' to 'where')");
  const Sourced& ratio = population.node().zero_to_one;
  if (ratio.value != 1.0 && !population.zero_to_one()) {
    names.push_back(fmt::format("stored values (a 0 is {:g} times as sensitive as a 1: {})",
                                ratio.value, ratio.source));
  }
  for (std::string& unknown : sim::unknown_rates(population.node(), has_mesh, has_memory)) {
    names.push_back(std::move(unknown));
  }
  return names;
}

}  // namespace tilestrike::campaigns

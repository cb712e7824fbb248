// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the keys of strikes on memories, and of particles, must be to each other and to the
// accelerator.
#include <algorithm>

#include "base/text.h"
#include "campaigns/scenario/library.h"
#include "campaigns/scenario/list_checks.h"
#include "campaigns/scenario/memory_strike.h"
#include "campaigns/scenario/strike.h"
#include "sim/memory/array_geometry.h"

namespace tilestrike::campaigns {
namespace {

std::vector<std::string> memory_names(const bridge::AcceleratorConfig& accelerator) {
  std::vector<std::string> names;
  for (const auto& [name, memory] : accelerator.memory) {
    names.push_back(name);
  }
  return names;
}

void check_names(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                 const Value& document, ErrorList& errors) {
  const std::string path = "strike.where.memory";
  const std::vector<std::string> known = memory_names(accelerator);
  if (known.empty() && strike.where.memory.is_asked) {
    errors.add(ErrorCode::kInvalidInput,
               path + ": the accelerator '" + accelerator.name + "' has no memories",
               place_at(document, path), "describe them under 'accelerator.memory'");
  }
  for (const std::string& name : strike.where.memory.names) {
    const auto found = std::ranges::find(known, name);
    if (found == known.end() && !known.empty()) {
      errors.add(ErrorCode::kNotFound,
                 path + ": the accelerator has no memory named '" + name + "'",
                 place_at(document, path), suggestion(name, known));
    } else if (is_particle(strike) && found != known.end() &&
               holds_only_backing(
                   accelerator.memory[static_cast<std::size_t>(found - known.begin())].second)) {
      errors.add(ErrorCode::kUnsupported,
                 path + ": '" + name +
                     "' holds the backing copies, and no node's rates are those "
                     "of DRAM",
                 place_at(document, path), "name other memories, or write 'process: uniform'");
    }
  }
  if (std::ranges::find(known, std::string(kMeshStructure)) != known.end()) {
    errors.add(ErrorCode::kInvalidInput,
               "accelerator.memory.mesh: results call the mesh's registers so",
               place_at(document, "accelerator.memory"), "give this memory another name");
  }
}

void check_failure(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                   const Value& document, ErrorList& errors) {
  const auto refuse = [&](const std::string& key, const std::string& what,
                          const std::string& cure) {
    errors.add(ErrorCode::kInvalidInput, key + ": " + what, place_at(document, key), cure);
  };
  const bool is_dram = strike.process == Process::kDram;
  if (strike.faults != std::vector{FaultKind::kFlip}) {
    refuse("strike.fault", "the process says what becomes of each cell", "leave it out");
  }
  if (strike.count != 1) {
    refuse("strike.count", is_dram ? "a trial is one failure of a device" : "a trial is one chip",
           "leave it out");
  }
  if (strike.where.memory.cells != CellChoice::kAll) {
    refuse("strike.where.memory.cells", "this process strikes every cell", "leave it out");
  }
  if (strike.where.has_mesh) {
    refuse("strike.where.mesh", "this process strikes memories alone", "leave it out");
  }
  if (!is_dram && strike.lasts.kind != Lasts::Kind::kAuto &&
      strike.lasts.kind != Lasts::Kind::kPermanent) {
    refuse("strike.lasts", "cells fail as long as the supply is low", "leave it out");
  }
  const std::vector<std::size_t> selected = selected_memories(strike, accelerator);
  if (selected.empty() && !accelerator.memory.empty()) {
    refuse("strike.where.memory",
           is_dram ? "no memory of '" + accelerator.name + "' holds backing copies alone"
                   : "no memory of '" + accelerator.name + "' is on chip",
           "name the memories that are meant");
  }
  if (!is_dram) {
    return;
  }
  for (const std::size_t index : selected) {
    sim::check_dram(strike.dram.device, accelerator.memory[index].second.array(), "strike.dram",
                    place_at(document, "strike.dram"), errors);
  }
  try {
    dram_law(strike);
  } catch (const Failure& failure) {
    errors.add(failure);
  }
}

}  // namespace

void check_no_failure_keys(const StrikeConfig& strike, const Value& document, ErrorList& errors) {
  const auto check = [&](const std::string& name, Process process) {
    const Value* given = document.find("strike");
    if (strike.process != process && given != nullptr && given->find(name) != nullptr) {
      errors.add(ErrorCode::kInvalidInput,
                 "strike." + name + ": only the process of this name has this key",
                 place_at(document, "strike." + name),
                 "write 'process: " + name + "', or leave it out");
    }
  };
  check("low_voltage", Process::kLowVoltage);
  check("dram", Process::kDram);
}

void check_no_particle_keys(const StrikeConfig& strike, const Value& document, ErrorList& errors) {
  for (const auto& field : particle_fields()) {
    const bool is_of_tensors_too = field.about.name == "strata" && strikes_tensors(strike);
    if (!is_of_tensors_too && !field.write(strike.particle).is_null()) {
      const std::string key = "strike." + field.about.name;
      errors.add(ErrorCode::kInvalidInput, key + ": only particles have this key",
                 place_at(document, key), "write 'process: particle', or leave it out");
    }
  }
}

void check_particle(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                    const Value& document, ErrorList& errors) {
  const auto refuse = [&](const std::string& key, const std::string& what,
                          const std::string& cure) {
    errors.add(ErrorCode::kInvalidInput, key + ": " + what, place_at(document, key), cure);
  };
  const ParticleConfig& particle = strike.particle;
  if (strike.faults != std::vector{FaultKind::kFlip}) {
    refuse("strike.fault", "a particle flips what it upsets",
           "leave it out, or write 'process: uniform'");
  }
  if (strike.lasts.kind == Lasts::Kind::kPermanent || strike.lasts.kind == Lasts::Kind::kWindow) {
    refuse("strike.lasts", "what a particle flips stays until it is written again",
           "leave it out, or write 'process: uniform'");
  }
  if (strike.count != 1) {
    refuse("strike.count", "a trial is one particle, whose cluster is drawn",
           "leave it out; 'fluence' draws several");
  }
  if (strike.where.memory.cells != CellChoice::kAll) {
    refuse("strike.where.memory.cells", "particles strike every cell", "leave it out");
  }
  if (!strike.where.mesh.layer.empty()) {
    refuse("strike.where.mesh.layer", "rates are of all cycles of an inference", "leave it out");
  }
  if (particle.fluence > 0.0) {
    if (particle.radiation.value_or(sim::Radiation::kNeutron) != sim::Radiation::kNeutron) {
      refuse("strike.fluence", "a fluence is of neutrons", "leave 'radiation' out, or 'fluence'");
    }
    const ParticleConfig reference;
    for (const auto& [key, is_given] :
         {std::pair("altitude", particle.altitude != reference.altitude),
          std::pair("rigidity", particle.rigidity != reference.rigidity),
          std::pair("sun", particle.sun != reference.sun)}) {
      if (is_given) {
        refuse(std::string("strike.") + key, "a fluence says how many neutrons come, wherever",
               std::string("keep '") + key + "' or 'fluence'");
      }
    }
    if (particle.thermal_flux != reference.thermal_flux) {
      refuse("strike.thermal_flux", "a fluence is of fast neutrons alone",
             "keep 'thermal_flux' or 'fluence'");
    }
    if (particle.strata == StrataChoice::kOn) {
      refuse("strike.strata", "several events in a trial belong to no one stratum",
             "leave 'strata' out, or 'fluence'");
    }
    if (strike.where.has_mesh) {
      refuse("strike.fluence",
             "a trial of several events is judged on memories or on the mesh, not on both",
             "leave 'mesh' out of 'where'");
    }
  }
  ErrorList own;
  const auto node = find_node(accelerator.node, "accelerator.node", {}, own);
  if (!node) {
    return;  // reported when the accelerator was read
  }
  if (particle.voltage > 0.0 && particle.voltage != node->vdd.value && !particle.rate_per_volt) {
    refuse("strike.voltage",
           "the rate at another voltage than the " + field_detail::real_text(node->vdd.value) +
               " V of " + node->name + " is not known",
           "give rate_per_volt (published values for 28 to 65 nm SRAM neutron rates lie around 2 "
           "to 3 e-folds per volt, R), or 0 to leave the rate");
  }
  const sim::EventRates rates = sim::memory_rates(*node, {});
  if (particle.radiation && rates.of(*particle.radiation) == 0.0) {
    refuse("strike.radiation",
           "at " + node->name + " no " + std::string(name_of(*particle.radiation)) +
               " events are known",
           "leave it out, or name a node that has a rate of them");
  } else if (rates.total() == 0.0) {
    refuse("accelerator.node", "at " + node->name + " no events are known", "name another node");
  }
}

void check_memory_strike(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                         const Value& document, ErrorList& errors,
                         const std::vector<std::string>& later) {
  const Where& where = strike.where;
  const auto refuse = [&](const std::string& key, const std::string& what,
                          const std::string& cure) {
    errors.add(ErrorCode::kInvalidInput, key + ": " + what, place_at(document, key), cure);
  };
  if (!is_particle(strike)) {
    check_no_particle_keys(strike, document, errors);
  }
  check_no_failure_keys(strike, document, errors);
  if (!where.memory.is_asked && (is_particle(strike) || is_failure(strike))) {
    refuse("strike.process",
           is_particle(strike) ? "particles strike memories, and none is in 'where'"
                               : "this process strikes memories, and none is in 'where'",
           is_particle(strike) ? "add 'where: {memory: all}' (beside 'mesh: {}', if wanted), or "
                                 "write 'process: uniform'"
                               : "add 'where: {memory: all}', or write 'process: uniform'");
  }
  if (!where.memory.is_asked && !strikes_memories(strike)) {
    return;
  }
  check_names(strike, accelerator, document, errors);
  if (accelerator.guard != bridge::GuardKind::kNone) {
    refuse("accelerator.guard",
           "the rates of strikes on memories are not known to a guard of the mesh",
           "write 'guard: none', or strike the mesh alone");
  }
  if (strike.process == Process::kList) {
    if (where.memory.is_asked) {
      refuse("strike.where.memory", "'where' means nothing with 'process: list'", "leave it out");
    }
    if (strikes_memories(strike) && !strikes_tensors(strike) &&
        !lists(strike, ListedPlace::kRegister)) {
      check_listed_cells(strike, accelerator, errors);
    }
    return;
  }
  if (!where.tensors.is_empty()) {
    refuse("strike.where", "memories and tensors at once",
           "run two campaigns: what a tensor is to the network lies in a memory");
    return;
  }
  if (strike.per_parameter > 0.0) {
    refuse("strike.per_parameter", "a memory knows cells, not parameters", "write 'per_bit'");
  }
  if (strike.per_bit > 0.0 && (is_particle(strike) || strike.count != 1)) {
    refuse("strike.per_bit", "a rate draws the number of faulty cells",
           is_particle(strike) ? "leave it out, or write 'process: uniform'"
                               : "keep 'count' or the rate");
  }
  if (is_particle(strike)) {
    check_particle(strike, accelerator, document, errors);
    const bool is_given_later = std::ranges::find(later, "strike.voltage") != later.end();
    if (strike.particle.rate_per_volt && strike.particle.voltage == 0.0 && !is_given_later) {
      refuse("strike.rate_per_volt",
             "without 'voltage' the supply is the node's, at which the rates are its own",
             "add 'voltage: ...' in V, or leave rate_per_volt out");
    }
    return;
  }
  if (is_failure(strike)) {
    check_failure(strike, accelerator, document, errors);
    return;
  }
  if (where.has_mesh) {
    refuse("strike.where", "mesh and memories together are drawn by their rates",
           "write 'process: particle', or run two campaigns");
  }
  std::uint64_t cells = 0;
  for (const std::size_t index : selected_memories(strike, accelerator)) {
    const sim::ArrayGeometry geometry(accelerator.memory[index].second.array());
    cells += where.memory.cells == CellChoice::kAll    ? geometry.cells()
             : where.memory.cells == CellChoice::kData ? geometry.data_cells()
                                                       : geometry.check_cells();
  }
  if (static_cast<std::uint64_t>(strike.count) > cells) {
    refuse(cells == 0 ? "strike.where.memory" : "strike.count",
           std::to_string(strike.count) + " faults in different cells, of " +
               std::to_string(cells) + " cells",
           cells == 0 ? "name memories that have such cells" : "lower 'count' or widen 'where'");
  }
}

}  // namespace tilestrike::campaigns

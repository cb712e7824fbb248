// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the keys of a strike must be to each other and to the mesh, and what follows from them.
#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "campaigns/scenario/fault_list.h"
#include "campaigns/scenario/list_checks.h"
#include "campaigns/scenario/strike.h"

namespace tilestrike::campaigns {
namespace {

bool is_stuck(FaultKind kind) {
  return kind == FaultKind::kStuckAt0 || kind == FaultKind::kStuckAt1;
}

std::set<FaultKind> kinds_of(const StrikeConfig& strike) {
  std::set<FaultKind> kinds;
  if (strike.where.core.value != FieldValue::kOneBit) {
    return {FaultKind::kStuckAt0};
  }
  if (strike.process != Process::kList) {
    return {strike.faults.begin(), strike.faults.end()};
  }
  for (const ListedTrial& trial : strike.list) {
    for (const ListedFault& fault : trial) {
      if (fault.kind) {
        kinds.insert(*fault.kind);
      } else {
        kinds.insert(strike.faults.begin(), strike.faults.end());
      }
    }
  }
  return kinds;
}

void check_kinds(const StrikeConfig& strike, const Value& document, ErrorList& errors) {
  const std::set<FaultKind> kinds = kinds_of(strike);
  const bool has_stuck = std::any_of(kinds.begin(), kinds.end(), is_stuck);
  const bool has_other = !std::all_of(kinds.begin(), kinds.end(), is_stuck);
  if (strike.lasts.kind == Lasts::Kind::kAuto && has_stuck && has_other) {
    errors.add(ErrorCode::kInvalidInput,
               "strike.lasts: flips last one cycle and stuck-ats for ever, and both are asked for",
               place_at(document, "strike.lasts"),
               "write 'lasts: transient', or one kind of fault");
  } else if (is_persistent(strike) && has_other) {
    errors.add(ErrorCode::kInvalidInput, "strike.lasts: a flip or random value acts only once",
               place_at(document, "strike.lasts"),
               "write 'lasts: transient', or stuck_at_0 or stuck_at_1 as 'fault'");
  }
}

void check_selection(const StrikeConfig& strike, const sim::MeshConfig& mesh, const Value& document,
                     ErrorList& errors) {
  const MeshSelection& selection = strike.where.mesh;
  const sim::MeshSites sites(mesh);
  const std::string path = "strike.where.mesh";
  for (const std::string& name : selection.registers) {
    check_register(name, path + ".register", place_at(document, path + ".register"), sites, errors);
  }
  if (!selection.pe.empty() && (selection.pe[0] >= mesh.rows || selection.pe[1] >= mesh.columns)) {
    errors.add(ErrorCode::kInvalidInput,
               path + ".pe: the mesh has no PE [" + std::to_string(selection.pe[0]) + ", " +
                   std::to_string(selection.pe[1]) + "]",
               place_at(document, path + ".pe"),
               "rows are 0 to " + std::to_string(mesh.rows - 1) + ", columns 0 to " +
                   std::to_string(mesh.columns - 1));
    return;
  }
  const std::size_t selected = selected_sites(selection, sites).size();
  if (selected == 0) {
    errors.add(ErrorCode::kInvalidInput, path + ": no bit of the mesh is left to strike",
               place_at(document, path),
               "'pe' selects registers of that PE only, and 'bit' must be one that they have; "
               "see `tilestrike list registers`");
  } else if (static_cast<std::uint64_t>(strike.count) > selected) {
    errors.add(ErrorCode::kInvalidInput,
               "strike.count: " + std::to_string(strike.count) + " faults at different sites, of " +
                   std::to_string(selected) + " sites",
               place_at(document, "strike.count"), "lower 'count' or widen 'where'");
  }
  if (!selection.layer.empty() && is_persistent(strike)) {
    errors.add(ErrorCode::kInvalidInput, path + ".layer: a lasting fault strikes every layer",
               place_at(document, path + ".layer"),
               "leave 'layer' out, or write 'lasts: {from: CYCLE, until: CYCLE}'");
  }
}

/// A strike on tensors; what needs the network is checked by its plan.
void check_tensors(const StrikeConfig& strike, const Value& document, ErrorList& errors) {
  const TensorSelection& tensors = strike.where.tensors;
  if (strike.where.has_mesh) {
    errors.add(ErrorCode::kUnsupported, "strike.where: the mesh and tensors at once",
               place_at(document, "strike.where"), "not available yet; run two campaigns");
  }
  if (strike.per_bit > 0.0 && strike.per_parameter > 0.0) {
    errors.add(ErrorCode::kInvalidInput, "strike: both 'per_bit' and 'per_parameter'",
               place_at(document, "strike"), "keep one");
  }
  const bool is_rate = strike.per_bit > 0.0 || strike.per_parameter > 0.0;
  if (is_rate && strike.count != 1) {
    errors.add(ErrorCode::kInvalidInput, "strike.count: a rate draws the number of faults",
               place_at(document, "strike.count"), "keep 'count' or the rate");
  }
  if (strike.lasts.kind == Lasts::Kind::kWindow) {
    errors.add(ErrorCode::kInvalidInput, "strike.lasts: a tensor knows no cycles",
               place_at(document, "strike.lasts"), "leave it out, or write 'permanent'");
  }
  if (strike.lasts.kind == Lasts::Kind::kTransient && tensors.strikes_constants() &&
      !tensors.strikes_activations()) {
    errors.add(ErrorCode::kInvalidInput,
               "strike.lasts: what a weight has become stays until it is written again",
               place_at(document, "strike.lasts"),
               "leave it out: the fault is judged on all images in use");
  }
}

}  // namespace

bool lists(const StrikeConfig& strike, ListedPlace place) {
  return std::ranges::any_of(strike.list, [&](const ListedTrial& trial) {
    return std::ranges::any_of(trial,
                               [&](const ListedFault& fault) { return place_of(fault) == place; });
  });
}

bool strikes_tensors(const StrikeConfig& strike) {
  if (strike.process == Process::kList) {
    return lists(strike, ListedPlace::kWord);
  }
  return !strike.where.tensors.is_empty();
}

bool strikes_mesh_alone(const StrikeConfig& strike) {
  return !strikes_tensors(strike) && !strikes_memories(strike) && !strike.where.has_core;
}

bool is_persistent(const StrikeConfig& strike) {
  if (strike.process == Process::kLowVoltage) {
    return true;
  }
  if (strike.lasts.kind != Lasts::Kind::kAuto) {
    return strike.lasts.kind != Lasts::Kind::kTransient;
  }
  if (strike.where.core.value != FieldValue::kOneBit) {
    return true;
  }
  const std::set<FaultKind> kinds = kinds_of(strike);
  return !kinds.empty() && std::all_of(kinds.begin(), kinds.end(), is_stuck);
}

namespace {

/// What particles and failing chips do not know of cores.
void check_whole_arrays(const StrikeConfig& strike, const Value& document, ErrorList& errors) {
  const CoreSelection& core = strike.where.core;
  const std::string path = "strike.where.core";
  for (const auto& [key, is_given] :
       {std::pair("field", !core.fields.empty()), std::pair("bit", !core.bits.empty()),
        std::pair("layer", !core.layer.empty()), std::pair("core", !core.cores.empty()),
        std::pair("tick", core.tick.has_value()),
        std::pair("value", core.value != FieldValue::kOneBit)}) {
    if (is_given) {
      errors.add(ErrorCode::kInvalidInput,
                 path + "." + key + ": this process strikes whole arrays, at any time",
                 place_at(document, path + "." + key), "leave it out, or write 'process: uniform'");
    }
  }
}

void check_low_voltage(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                       const Value& document, ErrorList& errors) {
  const auto refuse = [&](const std::string& key, const std::string& what) {
    errors.add(ErrorCode::kInvalidInput, key + ": " + what, place_at(document, key),
               "leave it out, or write 'process: uniform'");
  };
  if (strike.faults != std::vector{FaultKind::kFlip}) {
    refuse("strike.fault", "the process says what becomes of each cell");
  }
  if (strike.count != 1 || strike.per_bit > 0.0) {
    refuse("strike.count", "a trial is one chip");
  }
  if (strike.lasts.kind != Lasts::Kind::kAuto && strike.lasts.kind != Lasts::Kind::kPermanent) {
    refuse("strike.lasts", "cells fail as long as the supply is low");
  }
  const sim::CoreSites sites(accelerator.core);
  const auto is_struck = [&](const sim::CoreBlock& block) {
    const CoreSelection& core = strike.where.core;
    return block.is_array() && block.cells == sim::CoreCells::kSram &&
           core.has(block, sites.fields()[block.field]);
  };
  if (std::ranges::none_of(sites.blocks(), is_struck)) {
    refuse("strike.where.core", "nothing of it is made of memory cells");
  }
}

void check_uniform_on_cores(const StrikeConfig& strike, const Value& document, ErrorList& errors) {
  const CoreSelection& core = strike.where.core;
  if (core.value != FieldValue::kOneBit && strike.faults != std::vector{FaultKind::kFlip}) {
    errors.add(ErrorCode::kInvalidInput,
               "strike.fault: 'where.core.value' says what becomes of the field",
               place_at(document, "strike.fault"), "leave one of the two out");
  }
  if (!core.memories.empty() && !core.means_cells()) {
    errors.add(ErrorCode::kInvalidInput,
               "strike.where.core: cells of arrays and bits of registers or fields at once",
               place_at(document, "strike.where.core"),
               "name the arrays' fields instead, or write 'process: particle'");
  }
  if (strike.per_bit > 0.0 && !core.means_cells()) {
    errors.add(ErrorCode::kUnsupported, "strike.per_bit: rates are of cells of arrays",
               place_at(document, "strike.per_bit"), "name arrays in 'where.core.memory'");
  }
  const bool lasts = is_persistent(strike);
  if (lasts && core.tick) {
    errors.add(
        ErrorCode::kInvalidInput, "strike.where.core.tick: a lasting fault is there in every tick",
        place_at(document, "strike.where.core.tick"), "leave it out, or write 'lasts: transient'");
  }
  check_kinds(strike, document, errors);
}

}  // namespace

void check_core_strike(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                       const Value& document, ErrorList& errors) {
  const auto refuse = [&](const std::string& key, const std::string& what,
                          const std::string& cure) {
    errors.add(ErrorCode::kInvalidInput, key + ": " + what, place_at(document, key), cure);
  };
  if (strike.where.has_mesh || strike.where.memory.is_asked) {
    refuse("strike.where", "the accelerator '" + accelerator.name + "' has cores alone",
           "write 'core: {...}' in place of mesh or memory");
  }
  if (strike.per_parameter > 0.0) {
    refuse("strike.per_parameter", "a core knows bits, not parameters", "write 'count'");
  }
  check_core_selection(strike.where.core, accelerator, document, errors);
  if (!is_particle(strike)) {
    check_no_particle_keys(strike, document, errors);
  }
  check_no_failure_keys(strike, document, errors);
  if (!strike.where.tensors.bits.empty()) {
    refuse("strike.where.bits", "these are bits of tensors", "write 'core: {bit: ...}'");
  }
  if (!strike.list.empty() || !strike.list_file.empty()) {
    refuse("strike.faults", "a list of faults, which cores do not take", "leave it out");
  }
  switch (strike.process) {
    case Process::kUniform:
      check_uniform_on_cores(strike, document, errors);
      break;
    case Process::kParticle:
      check_whole_arrays(strike, document, errors);
      check_particle(strike, accelerator, document, errors);
      if (strike.particle.fluence > 0.0) {
        refuse("strike.fluence", "images last differently long on cores, and so do their fluences",
               "leave it out: a trial is then one particle");
      }
      if (strike.per_bit > 0.0) {
        refuse("strike.per_bit", "a particle's cluster is drawn", "leave it out");
      }
      if (strike.particle.rate_per_volt && strike.particle.voltage == 0.0) {
        refuse("strike.rate_per_volt", "without 'voltage' the supply is the node's",
               "add 'voltage: ...' in V, or leave rate_per_volt out");
      }
      break;
    case Process::kLowVoltage:
      check_whole_arrays(strike, document, errors);
      check_low_voltage(strike, accelerator, document, errors);
      break;
    case Process::kDram:
    case Process::kList:
      errors.add(ErrorCode::kUnsupported, "strike.process: not available for cores",
                 place_at(document, "strike.process"), "available: uniform, particle, low_voltage");
      break;
  }
}

void check_strike(const StrikeConfig& strike, const sim::MeshConfig& mesh, const Value& document,
                  ErrorList& errors) {
  if (strike.process != Process::kList && (!strike.list.empty() || !strike.list_file.empty())) {
    errors.add(ErrorCode::kInvalidInput, "strike.faults: a list of faults, but the process is not",
               place_at(document, "strike.faults"), "write 'process: list', or leave it out");
  }
  if (strike.process == Process::kList) {
    check_list(strike, mesh, document, errors);
  }
  if (strike.where.has_core) {
    const bool has_tensors = strikes_tensors(strike);
    errors.add(ErrorCode::kInvalidInput,
               has_tensors ? "strike.where: cores and tensors at once"
                           : "strike.where.core: the accelerator has no cores",
               place_at(document, "strike.where.core"),
               has_tensors
                   ? "run two campaigns"
                   : "name one that has, such as core_1024x64 (`tilestrike list accelerators`)");
    return;
  }
  const TensorSelection& tensors = strike.where.tensors;
  if (tensors.tick && !tensors.strikes_activations()) {
    errors.add(ErrorCode::kInvalidInput,
               "strike.where.tick: spikes and membranes have ticks, and none are named",
               place_at(document, "strike.where.tick"),
               "add 'membranes: \"*\"' or 'activations: \"*.spikes\"', or leave it out");
  }
  if (strikes_tensors(strike)) {
    check_tensors(strike, document, errors);
    return;
  }
  if (!strike.where.tensors.bits.empty()) {
    errors.add(ErrorCode::kInvalidInput, "strike.where.bits: these are bits of tensors",
               place_at(document, "strike.where.bits"),
               "name tensors ('weights: \"*\"'), or write 'mesh: {bit: ...}'");
  }
  if (is_failure(strike)) {
    return;  // check_memory_strike()
  }
  if (strikes_memories(strike) && !strike.where.has_mesh) {
    check_kinds(strike, document, errors);
    return;
  }
  if (strike.per_bit > 0.0 || strike.per_parameter > 0.0) {
    errors.add(ErrorCode::kUnsupported, "strike: rates strike tensors, not yet the mesh",
               place_at(document, "strike"), "use 'count', or name tensors in 'where'");
  }
  check_kinds(strike, document, errors);
  if (strike.process != Process::kList) {
    check_selection(strike, mesh, document, errors);
  }
}

}  // namespace tilestrike::campaigns

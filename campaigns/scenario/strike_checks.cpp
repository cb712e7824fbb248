// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the keys of a strike must be to each other and to the mesh, and what follows from them.
#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "campaigns/scenario/fault_list.h"
#include "campaigns/scenario/strike.h"

namespace tilestrike::campaigns {
namespace {

bool is_stuck(FaultKind kind) {
  return kind == FaultKind::kStuckAt0 || kind == FaultKind::kStuckAt1;
}

std::set<FaultKind> kinds_of(const StrikeConfig& strike) {
  std::set<FaultKind> kinds;
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

void check_register(const std::string& name, const std::string& path, const std::string& place,
                    const sim::MeshSites& sites, ErrorList& errors) {
  std::vector<std::string> known;
  for (const sim::RegisterBlock& block : sites.blocks()) {
    known.push_back(block.name);
  }
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    errors.add(ErrorCode::kInvalidInput, path + ": this mesh has no register named '" + name + "'",
               place, suggestion(name, known));
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

void check_listed(const ListedFault& fault, const StrikeConfig& strike, const sim::MeshSites& sites,
                  ErrorList& errors) {
  const std::string path = "strike.faults";
  const std::string place = fault.place.text();
  const bool persistent = is_persistent(strike);
  if (fault.register_name.empty() || fault.bit < 0) {
    errors.add(
        ErrorCode::kInvalidInput,
        path + (fault.register_name.empty() ? ".register" : ".bit") + ": this key is required",
        place, "name a register and a bit, or a tensor and a word");
    return;
  }
  check_register(fault.register_name, path + ".register", place, sites, errors);
  const bool is_known = sites.block_named(fault.register_name) != nullptr;
  if (is_known && !site_of(fault, sites)) {
    errors.add(ErrorCode::kInvalidInput,
               path + ": this mesh has no such bit of '" + fault.register_name + "'", place,
               place_rule(fault.register_name, sites));
  }
  if (fault.cycle < 0 && !persistent) {
    errors.add(ErrorCode::kInvalidInput, path + ".cycle: this key is required", place,
               "add 'cycle: ...' (a transient strikes at one cycle of an inference)");
  }
  const Cycle from = fault.cycle >= 0 ? fault.cycle : strike.lasts.window.from;
  const Cycle until = fault.until >= 0 ? fault.until : strike.lasts.window.until;
  if (until <= from) {
    errors.add(ErrorCode::kInvalidInput, path + ".until: the window ends before it starts", place,
               "let 'until' be greater than 'cycle'");
  }
  if (fault.until >= 0 && !persistent && !is_stuck(fault.kind.value_or(strike.faults.front()))) {
    errors.add(ErrorCode::kInvalidInput, path + ".until: a flip or random value acts only once",
               place, "leave 'until' out, or write 'fault: stuck_at_0' or stuck_at_1");
  }
  if (fault.image >= 0 && persistent) {
    errors.add(ErrorCode::kInvalidInput,
               path + ".image: a lasting fault is judged on all images in use", place,
               "leave 'image' out, or write 'lasts: transient'");
  }
}

void check_list(const StrikeConfig& strike, const sim::MeshConfig& mesh, const Value& document,
                ErrorList& errors) {
  if (strike.list.empty() && strike.list_file.empty()) {
    errors.add(ErrorCode::kInvalidInput, "strike.faults: 'process: list' needs a list of faults",
               place_at(document, "strike"), "add 'faults: [{register: ..., bit: ...}, ...]'");
  }
  const MeshSelection& selection = strike.where.mesh;
  if (!selection.pe.empty() || !selection.registers.empty() || !selection.bits.empty() ||
      !selection.layer.empty() || strike.count != 1) {
    errors.add(ErrorCode::kInvalidInput,
               "strike: 'where' and 'count' mean nothing with 'process: list'",
               place_at(document, "strike"), "leave them out; each listed fault names its site");
  }
  const sim::MeshSites sites(mesh);
  for (const ListedTrial& trial : strike.list) {
    for (const ListedFault& fault : trial) {
      check_listed(fault, strike, sites, errors);
      if (fault.image != trial.front().image) {
        errors.add(ErrorCode::kInvalidInput, "strike.faults.image: one trial strikes one image",
                   fault.place.text(), "give all faults of a trial the same 'image'");
      }
    }
  }
}

/// A strike on tensors; what needs the network is checked by its plan.
void check_tensors(const StrikeConfig& strike, const Value& document, ErrorList& errors) {
  const TensorSelection& tensors = strike.where.tensors;
  if (strike.where.has_mesh) {
    errors.add(ErrorCode::kUnsupported, "strike.where: the mesh and tensors at once",
               place_at(document, "strike.where"), "not available yet; run two campaigns");
  }
  if (tensors.strikes_constants() && tensors.strikes_activations()) {
    errors.add(
        ErrorCode::kUnsupported,
        "strike.where: activations live for one inference, the others for all, and one trial "
        "cannot be judged as both",
        place_at(document, "strike.where"), "run two campaigns");
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
  if (strike.lasts.kind == Lasts::Kind::kTransient && tensors.strikes_constants()) {
    errors.add(ErrorCode::kInvalidInput,
               "strike.lasts: what a weight has become stays until it is written again",
               place_at(document, "strike.lasts"),
               "leave it out: the fault is judged on all images in use");
  }
  for (const ListedTrial& trial : strike.list) {
    for (const ListedFault& fault : trial) {
      if (fault.tensor.empty() || fault.word < 0) {
        errors.add(ErrorCode::kInvalidInput,
                   std::string("strike.faults.") + (fault.tensor.empty() ? "tensor" : "word") +
                       ": this key is required",
                   fault.place.text(), "each fault of the list names a tensor and a word");
      } else if (!fault.register_name.empty() || fault.row >= 0 || fault.column >= 0 ||
                 fault.cycle >= 0 || fault.until >= 0) {
        errors.add(ErrorCode::kInvalidInput,
                   "strike.faults: a tensor has no register, row, column or cycle",
                   fault.place.text(), "name tensor, word, bit, image and fault");
      }
      if (fault.image != trial.front().image) {
        errors.add(ErrorCode::kInvalidInput, "strike.faults.image: one trial strikes one image",
                   fault.place.text(), "give all faults of a trial the same 'image'");
      }
    }
  }
}

}  // namespace

bool strikes_tensors(const StrikeConfig& strike) {
  if (strike.process == Process::kList) {
    return std::any_of(strike.list.begin(), strike.list.end(), [](const ListedTrial& trial) {
      return std::any_of(trial.begin(), trial.end(),
                         [](const ListedFault& fault) { return !fault.tensor.empty(); });
    });
  }
  return !strike.where.tensors.is_empty();
}

bool strikes_mesh_alone(const StrikeConfig& strike) {
  return !strikes_tensors(strike) && !strikes_memories(strike);
}

bool is_persistent(const StrikeConfig& strike) {
  if (strike.process == Process::kLowVoltage) {
    return true;
  }
  if (strike.lasts.kind != Lasts::Kind::kAuto) {
    return strike.lasts.kind != Lasts::Kind::kTransient;
  }
  const std::set<FaultKind> kinds = kinds_of(strike);
  return !kinds.empty() && std::all_of(kinds.begin(), kinds.end(), is_stuck);
}

void check_strike(const StrikeConfig& strike, const sim::MeshConfig& mesh, const Value& document,
                  ErrorList& errors) {
  if (strike.process != Process::kList && (!strike.list.empty() || !strike.list_file.empty())) {
    errors.add(ErrorCode::kInvalidInput, "strike.faults: a list of faults, but the process is not",
               place_at(document, "strike.faults"), "write 'process: list', or leave it out");
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
  if (strike.process == Process::kList) {
    check_list(strike, mesh, document, errors);
    return;
  }
  check_selection(strike, mesh, document, errors);
}

}  // namespace tilestrike::campaigns

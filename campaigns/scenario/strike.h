// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The `strike` part of a scenario: which bits, when, by what kind of fault.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/fault.h"
#include "base/field_table.h"
#include "campaigns/scenario/core_selection.h"
#include "campaigns/scenario/listed_fault.h"
#include "campaigns/scenario/memory_strike.h"
#include "campaigns/scenario/tensor_selection.h"
#include "sim/mesh/mesh_sites.h"
#include "sim/strikes/low_voltage.h"

namespace tilestrike::campaigns {

/// What results call the registers of the mesh, as the structure that is struck.
inline constexpr std::string_view kMeshStructure = "mesh";

/// How a strike's faults are chosen.
enum class Process {
  kUniform,     // uniform over the sites of `where` and over the cycles of an inference
  kParticle,    // one particle's cluster of cells, by the rates of the technology node
  kLowVoltage,  // a chip whose supply is low: the cells that fail
  kDram,        // a part of a DRAM device
  kList,        // `faults` names each
};

/// How long a fault lasts.
struct Lasts {
  enum class Kind {
    kAuto,       // transient for flip and random, permanent for stuck-at
    kTransient,  // one cycle of one inference of one image
    kPermanent,  // every cycle of every inference
    kWindow,     // the same cycles of every inference
  };
  Kind kind = Kind::kAuto;
  CycleWindow window;  // of kWindow
};

/// Which registers of the mesh. Empty lists and text mean "all".
struct MeshSelection {
  std::vector<int> pe;  // row, column
  std::vector<std::string> registers;
  std::vector<int> bits;
  std::string layer;  // glob of layer names: only cycles in which such a layer is on the mesh
};

/// Registers of the mesh, cells of memories, bits of neuromorphic cores, or words of tensors.
struct Where {
  MeshSelection mesh;
  bool has_mesh = false;
  MemorySelection memory;
  CoreSelection core;
  bool has_core = false;
  TensorSelection tensors;
};

struct StrikeConfig {
  std::string preset;  // of core_presets.h; empty: none. The rest says what it stands for
  Process process = Process::kUniform;
  std::vector<FaultKind> faults{FaultKind::kFlip};  // one of these, equally likely
  Lasts lasts;
  Where where;
  std::int64_t count = 1;         // independent faults of one trial, at different sites; or a rate:
  double per_bit = 0.0;           // probability of each bit to be faulty
  double per_parameter = 0.0;     // probability of each word to have one faulty bit
  std::vector<ListedTrial> list;  // of kList
  std::string list_file;          // the CSV file that the list came from; absolute
  ParticleConfig particle;        // of kParticle
  sim::LowVoltageConfig low_voltage;  // of kLowVoltage
  DramStrike dram;                    // of kDram
};

FieldTable<StrikeConfig> strike_fields();

/// Whether some fault of its list is on such a place.
bool lists(const StrikeConfig& strike, ListedPlace place);

/// Whether the strike hits tensors, not the mesh.
bool strikes_tensors(const StrikeConfig& strike);
/// Neither tensors nor memories.
bool strikes_mesh_alone(const StrikeConfig& strike);

/// Of a strike on the mesh: whether a trial judges its faults on every image in use (the fault is
/// then the statistical unit), rather than on one inference of one image.
bool is_persistent(const StrikeConfig& strike);

/// Cross-checks of a strike, on the mesh against the one that it strikes. `document` is the whole
/// scenario, for places.
void check_strike(const StrikeConfig& strike, const sim::MeshConfig& mesh, const Value& document,
                  ErrorList& errors);

/// The same of a strike on neuromorphic cores, those of an accelerator that has them.
void check_core_strike(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                       const Value& document, ErrorList& errors);

/// The place of the value at a dotted address, or of what lies nearest above it.
std::string place_at(const Value& document, const std::string& address);

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a scenario says of strikes on memories: which of them, and what particles strike
// (docs/memory_strikes.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/document.h"
#include "base/error.h"
#include "base/field_table.h"
#include "bridge/accelerator/accelerator.h"
#include "campaigns/scenario/fields.h"
#include "sim/strikes/cluster.h"
#include "sim/strikes/dram_modes.h"
#include "sim/strikes/rates.h"

namespace tilestrike::campaigns {

struct StrikeConfig;

/// Which cells of a memory.
enum class CellChoice { kAll, kData, kCheck };

/// Memories of the accelerator. No names: all of them.
struct MemorySelection {
  bool is_asked = false;
  std::vector<std::string> names;
  CellChoice cells = CellChoice::kAll;
};

/// Whether trials are shared between strata.
enum class StrataChoice { kAuto, kOn, kOff };

/// Of the process `particle`.
struct ParticleConfig {
  std::optional<sim::Radiation> radiation;  // nothing: neutron, alpha and thermal, each by its rate
  double altitude = 0.0;                    // m
  double rigidity = sim::kReferenceRigidity;  // GV
  sim::Sun sun = sim::Sun::kMean;
  double thermal_flux = 1.0;  // of thermal neutrons, over the reference's
  std::optional<double>
      rate_in_band;      // place of the neutrons' rate in the node's band; else its own
  double voltage = 0.0;  // V; 0: the node's
  std::optional<double> rate_per_volt;  // 1/V; nothing: not known
  double heavy_tail = 0.0;              // share of neutron events
  double fluence = 0.0;                 // n/cm2 of a trial; 0: a trial is one event
  StrataChoice strata = StrataChoice::kAuto;
  bool stored_values = true;     // a strike counts by what its cell holds, as the node says
  double residence_hours = 1.0;  // of weights that are loaded at boot, until they are renewed
};

/// Where and when these particles come.
sim::Surroundings surroundings_of(const ParticleConfig& particle);

/// Of the process `dram`.
struct DramStrike {
  sim::DramConfig device;
  std::string modes;  // CSV file of one's own, absolute; empty: data/dram_modes.csv
};
FieldTable<DramStrike> dram_strike_fields();
/// The file's rates of those failures that `strike` asks for, transient or permanent; the others
/// are 0. Throws Failure, as does the law that they make.
std::vector<sim::DramModeRate> dram_rates(const StrikeConfig& strike);
sim::DramEventLaw dram_law(const StrikeConfig& strike);

/// The key `memory` of a `where`.
void read_memory_selection(MemorySelection& selection, const Value& value, const std::string& path,
                           ErrorList& errors);
Value write_memory_selection(const MemorySelection& selection);

/// The keys of a strike that belong to particles.
FieldTable<ParticleConfig> particle_fields();

/// How much more often anything is struck at the particles' supply than at the node's `vdd`: rates
/// rise exponentially as the voltage falls, for the critical charge falls about linearly with it
/// and the events are about exponential in the charge. 1 at the node's own voltage.
double voltage_factor(const ParticleConfig& particle, const sim::TechnologyNode& node);

/// "neutron", "alpha", "thermal".
std::string_view name_of(sim::Radiation radiation);

/// Whether memories are struck; the mesh may be, too, drawn by rate.
bool strikes_memories(const StrikeConfig& strike);
/// Whether one particle's event is a trial.
bool is_particle(const StrikeConfig& strike);

/// Whether a memory holds backing copies and nothing else.
bool holds_only_backing(const sim::MemoryConfig& memory);

/// Whether cells of a chip or parts of a device fail.
bool is_failure(const StrikeConfig& strike);

/// The memories of an accelerator that a strike means, or its list names, by their places in its
/// file. Of `all`, what
/// only holds backing copies is DRAM: particles and low voltage leave it alone, and the process
/// `dram` means nothing else.
std::vector<std::size_t> selected_memories(const StrikeConfig& strike,
                                           const bridge::AcceleratorConfig& accelerator);

/// What a chip does once its ECC has found an error that it cannot correct, in what it reads.
enum class AfterDetection {
  kStops,   // no answer
  kGoesOn,  // with zeros or with the word as it is: the answer may be wrong
};
AfterDetection after_detection(const bridge::AcceleratorConfig& accelerator);

/// Refuses keys of particles that were given to another process.
void check_no_particle_keys(const StrikeConfig& strike, const Value& document, ErrorList& errors);
/// Refuses keys of other processes that say how cells fail.
void check_no_failure_keys(const StrikeConfig& strike, const Value& document, ErrorList& errors);
/// What a strike of particles says of them.
void check_particle(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                    const Value& document, ErrorList& errors);

/// Cross-checks of the parts that belong to memories and particles (memory_checks.cpp). `later` as
/// read_scenario() takes it.
void check_memory_strike(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                         const Value& document, ErrorList& errors,
                         const std::vector<std::string>& later = {});

}  // namespace tilestrike::campaigns

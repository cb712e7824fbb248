// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The engines of a program by name. The program puts the set together and hands it down to whoever
// makes engines; there is no other way to one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/mesh/engine.h"

namespace tilestrike::sim {

class CoreEngine;  // sim/core/core_engine.h

/// What an engine makes of strikes on memories (docs/memory_strikes.md, "Engines").
enum class MemoryMethod {
  kMeshOnPlatform,  // the platform reads the operands, and its passes run on the engine's mesh
  kPlatform,        // the platform does all of it, its own mesh included
  kFormula,         // nothing is simulated
};

/// An engine as users name it: what it is made of, and what those around it need to know.
struct EngineEntry {
  std::string name;
  std::function<std::unique_ptr<MeshEngine>()> make;
  MemoryMethod memories = MemoryMethod::kMeshOnPlatform;
  /// Its mesh engine covers every job, so that it can stand in for others.
  bool covers_all = false;
  /// A reference that takes seconds for a long run: audits and correlations spare it those.
  bool is_slow = false;
  /// Why it may cover none of a mesh's jobs, for users; empty: nothing to add.
  std::string cause_of_no_cover = {};
  /// Its engine of neuromorphic cores; empty: it has none.
  std::function<std::unique_ptr<CoreEngine>()> make_core = {};
};

/// An engine that this build lacks.
struct AbsentEngine {
  std::string name;
  std::string what;  // "this build has no RTL"
  std::string cure;  // to be followed by the engines that there are
};

class EngineSet {
 public:
  /// Throws Failure where there is an engine of that name.
  void add(EngineEntry engine);
  /// Gives an engine of the set what computes cores, too.
  void set_core(const std::string& name, std::function<std::unique_ptr<CoreEngine>()> make_core);
  void add_absent(AbsentEngine engine) { absent_.push_back(std::move(engine)); }

  const std::vector<EngineEntry>& entries() const { return entries_; }
  const std::vector<AbsentEngine>& absent() const { return absent_; }
  /// In the order in which they were added.
  std::vector<std::string> names() const;

  /// Those that compute cores.
  std::vector<std::string> names_of_cores() const;

  /// nullptr: there is none.
  const EngineEntry* find(const std::string& name) const;
  const AbsentEngine* find_absent(const std::string& name) const;
  /// Throws Failure where there is no engine of that name.
  const EngineEntry& at(const std::string& name) const;
  std::unique_ptr<MeshEngine> make(const std::string& name) const { return at(name).make(); }

  /// Runs what another engine does not cover: the first that covers every job.
  const EngineEntry& stand_in() const;

 private:
  std::vector<EngineEntry> entries_;
  std::vector<AbsentEngine> absent_;
};

/// Those of this room. `systemc`: a SystemC module owns time and the arrival of strikes.
/// `closed_form`: the change of the results by formula (sim/mesh/closed_form.h), replay where there
/// is none. `wavefront`: in wavefront order with replay, no SystemC. `stepped`: every register at
/// every edge, the slow reference.
EngineSet builtin_engines();

}  // namespace tilestrike::sim

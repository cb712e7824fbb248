// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/engine_set.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "sim/mesh/engines.h"

namespace tilestrike::sim {

void EngineSet::add(EngineEntry engine) {
  if (find(engine.name) != nullptr) {
    fail(ErrorCode::kInvalidInput, "there is an engine called '" + engine.name + "' already",
         "engine", "give yours another name");
  }
  entries_.push_back(std::move(engine));
}

std::vector<std::string> EngineSet::names() const {
  std::vector<std::string> names;
  for (const EngineEntry& entry : entries_) {
    names.push_back(entry.name);
  }
  return names;
}

void EngineSet::set_core(const std::string& name,
                         std::function<std::unique_ptr<CoreEngine>()> make_core) {
  const auto found = std::ranges::find(entries_, name, &EngineEntry::name);
  TS_CHECK(found != entries_.end(), "an engine of the set");
  found->make_core = std::move(make_core);
}

std::vector<std::string> EngineSet::names_of_cores() const {
  std::vector<std::string> names;
  for (const EngineEntry& entry : entries_) {
    if (entry.make_core) {
      names.push_back(entry.name);
    }
  }
  return names;
}

const EngineEntry* EngineSet::find(const std::string& name) const {
  const auto found = std::ranges::find(entries_, name, &EngineEntry::name);
  return found == entries_.end() ? nullptr : &*found;
}

const AbsentEngine* EngineSet::find_absent(const std::string& name) const {
  const auto found = std::ranges::find(absent_, name, &AbsentEngine::name);
  return found == absent_.end() ? nullptr : &*found;
}

const EngineEntry& EngineSet::at(const std::string& name) const {
  if (const EngineEntry* entry = find(name)) {
    return *entry;
  }
  fail(ErrorCode::kInvalidInput, "no engine is called '" + name + "'", "engine",
       suggestion(name, names()));
}

const EngineEntry& EngineSet::stand_in() const {
  const auto found = std::ranges::find(entries_, true, &EngineEntry::covers_all);
  TS_CHECK(found != entries_.end(), "an engine that covers every job");
  return *found;
}

EngineSet builtin_engines() {
  EngineSet engines;
  engines.add({.name = "systemc",
               .make = &make_systemc_engine,
               .memories = MemoryMethod::kPlatform,
               .covers_all = true});
  engines.add({.name = "closed_form",
               .make = &make_closed_form_engine,
               .memories = MemoryMethod::kFormula});
  engines.add({.name = "wavefront", .make = &make_wavefront_engine, .covers_all = true});
  engines.add(
      {.name = "stepped", .make = &make_stepped_engine, .covers_all = true, .is_slow = true});
  return engines;
}

}  // namespace tilestrike::sim

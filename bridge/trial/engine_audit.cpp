// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/engine_audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "bridge/trial/chip_strike.h"
#include "bridge/trial/memory_trials.h"
#include "sim/chip/chip_comparison.h"
#include "sim/compare/engine_comparison.h"

namespace tilestrike::bridge {
namespace {

/// Where two answers to one question part; empty: nowhere.
std::string first_difference(const MeshStrike& strike, const LayerEffect& one,
                             const LayerEffect& other) {
  const auto in_findings = [](const std::vector<StruckContent>& contents,
                              const std::vector<Findings>& first,
                              const std::vector<Findings>& second) -> std::string {
    const auto flags = [](const Findings& found) {
      return fmt::format("corrected {}, detected {}", found.corrected, found.detected);
    };
    for (std::size_t i = 0; i < contents.size(); ++i) {
      if (flags(first[i]) != flags(second[i])) {
        return fmt::format("codeword {} of memory {}: {}; {}", contents[i].word->codeword.value,
                           contents[i].word->memory, flags(first[i]), flags(second[i]));
      }
    }
    return "";
  };
  const auto& [operands, sums] = strike.on_chip;
  for (const std::string& how : {in_findings(operands, one.operands_found, other.operands_found),
                                 in_findings(sums, one.sums_found, other.sums_found)}) {
    if (!how.empty()) {
      return how;
    }
  }
  const auto [first, second] = std::ranges::mismatch(one.deltas, other.deltas);
  const auto text = [](auto at, const std::vector<AccumulatorDelta>& all) {
    return at == all.end() ? "no more differ"
                           : fmt::format("{} is off by {}", at->index, at->delta);
  };
  if (first != one.deltas.end() || second != other.deltas.end()) {
    return fmt::format("accumulators: {}; {}", text(first, one.deltas), text(second, other.deltas));
  }
  return one.is_felt == other.is_felt
             ? ""
             : fmt::format("a wrong value was read: {}; {}", one.is_felt, other.is_felt);
}

}  // namespace

EngineAudit::EngineAudit(const sim::EngineSet& engines, const std::string& engine)
    : engine_(engines.at(engine)) {
  for (const sim::EngineEntry& entry : engines.entries()) {
    if (&entry != &engines.at(engine)) {
      others_.push_back({entry, entry.make(), nullptr});
    }
  }
  take();
}

EngineAudit::~EngineAudit() = default;

TrialAudit EngineAudit::take() {
  TrialAudit fresh;
  for (const Other& other : others_) {
    fresh.engines.push_back(other.entry.name);
  }
  return std::exchange(audit_, std::move(fresh));
}

// An engine that leaves out one struck run has not computed the trial.
bool EngineAudit::is_asked(const Other& other, const sim::MeshJob& job) {
  const sim::MeshConfig& mesh = job.run->config();
  const std::int64_t pe_cycles = job.run->cycles() * mesh.rows * mesh.columns;
  const bool is_quick = !other.entry.is_slow || pe_cycles <= kMostSteppedPeCycles;
  if (!other.mesh->covers(job) || !is_quick) {
    std::erase(audit_.engines, other.entry.name);
    return false;
  }
  return true;
}

void EngineAudit::disagree(const std::string& engine, const std::string& where,
                           const std::string& how) {
  if (audit_.disagreement.empty()) {
    audit_.disagreement = fmt::format("{} and {} part in {}{}", engine_.name, engine, where, how);
  }
}

void EngineAudit::on_run(const StruckRun& run) {
  for (const Other& other : others_) {
    if (!is_asked(other, run.job)) {
      continue;
    }
    const std::string difference =
        sim::first_difference(run.job, run.result, other.mesh->run(run.job));
    if (!difference.empty()) {
      const std::string& name = other.entry.name;
      const sim::MeshSites sites(run.job.run->config());
      disagree(
          name, "layer " + run.layer,
          fmt::format(", {}: {} says {}", sim::text_of_faults(run.job, sites), name, difference));
    }
  }
}

void EngineAudit::on_cells(const CellRun& run) {
  const auto compare = [&](const std::string& engine, const LayerEffect& other) {
    if (const std::string how = first_difference(run.strike, run.effect, other); !how.empty()) {
      disagree(engine, "layer " + run.layer, ": " + how);
    }
  };
  const auto compare_all = [&](sim::MemoryMethod method, const LayerEffect& effect) {
    for (const Other& other : others_) {
      if (other.entry.memories == method) {
        compare(other.entry.name, effect);
      }
    }
  };
  if (engine_.memories != sim::MemoryMethod::kFormula) {
    compare_all(sim::MemoryMethod::kFormula, run.trials.by_formula(run.strike));
  }
  // Each pass as the platform has read it, on the other meshes.
  const auto observe = [&](const sim::MeshJob& job, const std::vector<std::int32_t>& results) {
    for (const Other& other : others_) {
      if (other.entry.memories != sim::MemoryMethod::kMeshOnPlatform || !is_asked(other, job)) {
        continue;
      }
      if (other.mesh->run(job).outputs.front() != results) {
        disagree(other.entry.name, "layer " + run.layer,
                 ": the same operands give other results of a pass");
      }
    }
  };
  const LayerEffect simulated = run.trials.by_platform(run.strike, nullptr, observe);
  if (engine_.memories == sim::MemoryMethod::kPlatform) {
    compare("the platform", simulated);
  }
  compare_all(sim::MemoryMethod::kPlatform, simulated);
}

void EngineAudit::on_chip(const ChipStrike& strike) {
  for (Other& other : others_) {
    if (other.entry.make_core && other.cores == nullptr) {
      other.cores = std::make_unique<sim::ChipOnEngine>(other.entry.make_core());
    }
    const auto found = other.cores ? other.cores->strike(strike.run, strike.job) : std::nullopt;
    if (!found) {
      std::erase(audit_.engines, other.entry.name);
    } else if (const std::string how = sim::first_difference(strike.result, *found); !how.empty()) {
      disagree(other.entry.name,
               strike.job.faults.empty() ? "a codeword of a core"
                                         : strike.run.chip().text(strike.job.faults.front().site),
               ": " + how);
    }
  }
}

}  // namespace tilestrike::bridge

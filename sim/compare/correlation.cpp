// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/compare/correlation.h"

#include <algorithm>

#include "sim/compare/waveform.h"
#include "sim/mesh/engines.h"
#include "sim/mesh/mesh_replay.h"

namespace tilestrike::sim {
namespace {

// Runs of at most so many PEs x cycles are stepped from their first wavefront on.
constexpr std::int64_t kShortRun = std::int64_t{1} << 16;

bool starts_apart(const MeshJob& job) {
  return job.faulty_start != nullptr && job.faulty_start != job.golden_start;
}

// From which window on all that the faults can meet is right.
int first_window_of(const MeshJob& job, const MeshSites& sites) {
  const MeshConfig& config = job.run->config();
  if (starts_apart(job) || job.run->cycles() * config.rows * config.columns <= kShortRun) {
    return 0;
  }
  std::int64_t first_struck = job.run->cycles();
  for (const RegisterFault& fault : job.faults) {
    const WavefrontFault seen = on_wavefronts(*job.run, sites, fault);
    if (seen.from < seen.until) {
      first_struck = std::min(first_struck, seen.from);
    }
  }
  return plan_golden(*job.run, first_struck, {.active = true, .shadow = true}).first_window;
}

}  // namespace

std::string_view name_of(Phase phase) {
  constexpr std::string_view kNames[kPhases] = {"idle",           "preload",   "stream",
                                                "preload+stream", "drain",     "preload+drain",
                                                "stream+drain",   "all_three", "wait"};
  return kNames[static_cast<std::size_t>(phase)];
}

std::string_view name_of(Verdict verdict) {
  return verdict == Verdict::kAgree    ? "agree"
         : verdict == Verdict::kDiffer ? "differ"
                                       : "not_covered";
}

Phase phase_of(const MeshRun& run, const MeshSites& sites, const RegisterFault& fault) {
  const WavefrontFault seen = on_wavefronts(run, sites, fault);
  const Window window = run.window(run.window_of(seen.from));
  if (seen.from < 0 || seen.from >= seen.until ||
      (window.streams < 0 && window.loads < 0 && window.drains < 0)) {
    return Phase::kIdle;
  }
  const std::int64_t step = seen.from - window.start;
  const std::int64_t rows = run.config().rows;
  const Register kind = sites.describe(fault.site).kind;
  const bool is_below = kind == Register::kOutput || kind == Register::kDeskew;
  const bool preloads = window.loads >= 0 && step >= window.length - rows;
  const bool streams = window.streams >= 0 && step < run.steps(window.streams);
  const bool drains =
      run.config().is_weight_stationary() ? streams && is_below : window.drains >= 0 && step < rows;
  const int phase = (preloads ? 1 : 0) + (streams ? 2 : 0) + (drains ? 4 : 0);
  return phase == 0 ? Phase::kWait : static_cast<Phase>(phase);
}

Correlator::Correlator(const EngineSet& engines, const std::vector<std::string>& names,
                       std::int64_t most_stepped)
    : names_(names), most_stepped_(most_stepped) {
  for (const std::string& name : names_) {
    are_slow_.push_back(engines.at(name).is_slow);
    engines_.push_back(engines.make(name));
  }
}

// Machines are made once per mesh: the preload does not change them, but it is part of the mesh.
void Correlator::prepare(const MeshJob& job) {
  const MeshConfig& config = job.run->config();
  if (config_ && *config_ == config) {
    return;
  }
  machines_.clear();
  config_ = config;
  sites_.emplace(config);
  MeshJob any = job;
  any.wants_outputs = false;
  for (const auto& engine : engines_) {
    machines_.push_back(engine->covers(any) ? engine->machine(config, *sites_) : nullptr);
  }
}

bool Correlator::compares_states(const MeshConfig& config) {
  const MeshRun run(config, {{1, 1, 1}});
  MeshJob job;
  job.run = &run;
  prepare(job);
  return std::ranges::count_if(machines_, [](const auto& machine) { return machine != nullptr; }) >
         1;
}

bool Correlator::is_short(const MeshJob& job) const {
  return job.run->cycles() * config_->rows * config_->columns <= most_stepped_;
}

Correlator::Answer Correlator::ask(std::size_t engine, MeshJob job) {
  MeshEngine& asked = *engines_[engine];
  if (are_slow_[engine] && !is_short(job)) {
    return {};
  }
  for (const bool wants_end : {true, false}) {
    job.wants_end = wants_end;
    if (asked.covers(job) && asked.has_own_way(job)) {
      Answer answer{true, false, asked.run(job)};
      answer.has_end = wants_end && !answer.result.end.stationary[0].empty();
      return answer;
    }
  }
  return {};
}

std::optional<Disagreement> Correlator::parting_of(std::size_t first, std::size_t second,
                                                   const MeshJob& job) {
  const LockstepStart start{job.golden_start, first_window_of(job, *sites_)};
  Lockstep pair(*job.run, *job.operands, *sites_, *machines_[first], *machines_[second], start,
                Lockstep::Golden::kForgotten);
  const std::vector<RegisterFault> faults = in_order_of_effect(job.faults);
  return pair.strike(faults, starts_apart(job) ? job.faulty_start : nullptr).disagreement;
}

JobCorrelation Correlator::correlate(const MeshJob& job) {
  prepare(job);
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < engines_.size(); ++i) {
    answers.push_back(ask(i, job));
  }
  JobCorrelation found;
  for (const Answer& answer : answers) {
    found.covers.push_back(answer.is_covered);
  }
  if (const auto first = std::ranges::find(answers, true, &Answer::is_covered);
      first != answers.end()) {
    found.changed_word = first->result.before != first->result.after;
    found.activated = first->result.activated;
    found.corrupted = !first->result.changes.empty();
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    for (std::size_t j = i + 1; j < answers.size(); ++j) {
      PairVerdict& pair = found.pairs.emplace_back();
      pair.first = i;
      pair.second = j;
      if (!answers[i].is_covered || !answers[j].is_covered) {
        continue;
      }
      pair.has_end = answers[i].has_end && answers[j].has_end;
      pair.difference = difference_of(answers[i].result, answers[j].result, pair.has_end,
                                      job.run->config().columns);
      pair.has_states = machines_[i] != nullptr && machines_[j] != nullptr && is_short(job);
      if (pair.has_states) {
        pair.parting = parting_of(i, j, job);
      }
      pair.verdict = pair.difference || pair.parting ? Verdict::kDiffer : Verdict::kAgree;
    }
  }
  return found;
}

std::vector<std::string> Correlator::write_waveforms(const MeshJob& job, const std::string& folder,
                                                     const std::string& stem) {
  prepare(job);
  const int window = first_window_of(job, *sites_);
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < engines_.size(); ++i) {
    if (machines_[i] == nullptr) {
      continue;
    }
    const auto golden = engines_[i]->machine(*config_, *sites_);
    const auto faulty = engines_[i]->machine(*config_, *sites_);
    std::string path = folder;
    path.append("/").append(stem).append("_").append(names_[i]).append(".vcd");
    write_waveform(path, names_[i], job, *sites_, window, *golden, *faulty);
    paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace tilestrike::sim

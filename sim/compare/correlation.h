// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One struck run of the mesh on several engines, each compared with each: what they answer, and
// register by register where both step (docs/correlate.md).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/compare/engine_comparison.h"
#include "sim/compare/lockstep.h"
#include "sim/mesh/engine_set.h"

namespace tilestrike::sim {

/// What the mesh does with the wavefront that a register holds. Preload, stream and drain overlap:
/// a value up to kAll is the sum of those that take place.
enum class Phase {
  kIdle = 0,     // before the first wavefront, or in those that flush the pipes
  kPreload = 1,  // a row of a pass enters by the load pipe
  kStream = 2,   // a pass's operands enter
  kPreloadStream = 3,
  kDrain = 4,  // results leave: OS by the load pipe; WS in what holds them below the mesh
  kPreloadDrain = 5,
  kStreamDrain = 6,
  kAll = 7,
  kWait = 8,  // of a window, but nothing enters
};
inline constexpr int kPhases = 9;
std::string_view name_of(Phase phase);  // "idle", "preload", "preload+stream", ...
/// Of the first wavefront that the fault acts on.
Phase phase_of(const MeshRun& run, const MeshSites& sites, const RegisterFault& fault);

enum class Verdict {
  kAgree,
  kDiffer,
  kNotCovered,  // by at least one of the two
};
std::string_view name_of(Verdict verdict);  // "agree", "differ", "not_covered"

/// Two engines on one job; they are places in Correlator::engines(), first < second.
struct PairVerdict {
  std::size_t first = 0, second = 0;
  Verdict verdict = Verdict::kNotCovered;
  bool has_end = false;                        // the end states were compared, too
  bool has_states = false;                     // all registers were, after every edge: of a short
                                               // run from its start on, of a long one from the
                                               // windows that the faults depend on
  std::optional<EngineDifference> difference;  // of what the second answers
  std::optional<Disagreement> parting;         // the first register in which their machines differ
};

struct JobCorrelation {
  std::vector<bool> covers;  // by engine
  // As the first engine that covers the job says:
  bool changed_word = false;
  bool activated = false;
  bool corrupted = false;  // a result differs from golden
  std::vector<PairVerdict> pairs;
};

class Correlator {
 public:
  /// `names`: of `engines`, each once. A slow engine does not get runs of more than `most_stepped`
  /// PEs x cycles, and registers are not compared in those.
  Correlator(const EngineSet& engines, const std::vector<std::string>& names,
             std::int64_t most_stepped);

  const std::vector<std::string>& engines() const { return names_; }
  /// Whether two of the engines step, so that registers can be compared.
  bool compares_states(const MeshConfig& config);

  JobCorrelation correlate(const MeshJob& job);

  /// Writes FOLDER/STEM_ENGINE.vcd for each engine that steps (sim/compare/waveform.h); the paths.
  /// Throws Failure when a file cannot be written.
  std::vector<std::string> write_waveforms(const MeshJob& job, const std::string& folder,
                                           const std::string& stem);

 private:
  struct Answer {
    bool is_covered = false;
    bool has_end = false;
    MeshResult result;
  };
  void prepare(const MeshJob& job);
  Answer ask(std::size_t engine, MeshJob job);
  bool is_short(const MeshJob& job) const;
  std::optional<Disagreement> parting_of(std::size_t first, std::size_t second, const MeshJob& job);

  std::vector<std::string> names_;
  std::vector<bool> are_slow_;  // by engine
  std::vector<std::unique_ptr<MeshEngine>> engines_;
  const std::int64_t most_stepped_;
  std::optional<MeshConfig> config_;
  std::optional<MeshSites> sites_;
  std::vector<std::unique_ptr<MeshMachine>> machines_;  // of the engines; nullptr: does not step
};

}  // namespace tilestrike::sim

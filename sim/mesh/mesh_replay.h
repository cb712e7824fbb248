// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A job in wavefront order, window by window: golden and faulty mesh are stepped together while
// faults act, then their difference alone until nothing live differs (docs/mesh.md, "How a struck
// pass is computed"). Whoever owns time (the SystemC module, or a plain loop) says when a strike
// arrives and when a window is over.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "sim/mesh/engine.h"
#include "sim/mesh/wavefront_mesh.h"

namespace tilestrike::sim {

/// Which stationary registers are read at some wavefront.
struct StateReads {
  bool active = false;
  bool shadow = false;
};

/// What the windows before a wavefront must fetch, so that the golden registers that are read then
/// are right: those of first_window .. the one that holds the wavefront.
struct GoldenPlan {
  struct Fetches {
    bool load = false;
    bool stream = false;
  };
  int first_window = 0;
  std::vector<Fetches> fetches;
};
GoldenPlan plan_golden(const MeshRun& run, std::int64_t wavefront, StateReads reads);
/// The first window of that plan alone. `window` holds the wavefront; 0 where none does.
int first_golden_window(const MeshRun& run, const Window& window, std::int64_t wavefront,
                        StateReads reads);

/// What the effect of strikes on a wavefront depends on.
struct StrikeReads {
  StateReads state;
  bool stream = false;  // operands of the struck wavefronts
  void add(const StrikeReads& other);
};
/// Of a single strike where sums wrap; `propagate` of the window that it meets.
StrikeReads reads_of(const MeshConfig& config, Register kind, bool propagate);

class MeshReplay final : private StrikeObserver {
 public:
  /// `job` and what it points to must outlive the replay.
  MeshReplay(const MeshJob& job, const MeshSites& sites);

  /// Windows [first_window(), run->windows()) must be processed in order while !is_done().
  int first_window() const { return plan_.first_window; }
  /// A fault has arrived. Must be called before process_window() of a window that it meets; faults
  /// that arrive together, in the job's order.
  void arrive(const RegisterFault& fault);
  void process_window(int index);
  bool is_done() const { return is_done_; }
  MeshResult finish();

 private:
  void on_struck(const WavefrontFault& fault, std::int64_t wavefront, std::int32_t before,
                 std::int32_t after) override;
  void process_steps(const Window& window);
  void process_golden(const Window& window, std::int64_t first, std::int64_t count);
  void process_together(const Window& window, std::int64_t first, std::int64_t count);
  void advance_faulty(const Window& window, std::int64_t first, std::int64_t count,
                      std::int32_t* results);
  std::int32_t* output_lines(const Window& window, std::int64_t first, std::int64_t count);
  void process_difference(const Window& window, std::int64_t first, std::int64_t count);
  void collect(const Window& window, std::int64_t first, std::int64_t count);
  bool is_settled(std::int64_t wavefront) const;

  const MeshJob& job_;
  const MeshRun& run_;
  const MeshSites& sites_;
  EdgeInputs inputs_;
  std::vector<WavefrontFault> faults_;  // that have arrived, by is_met_before
  std::int64_t first_struck_;           // first wavefront that a fault meets
  std::int64_t last_struck_ = -1;
  StrikeReads reads_;
  GoldenPlan plan_;
  bool is_done_ = false;

  int first_column_ = 0;
  int columns_ = 0;
  std::optional<WavefrontMesh> golden_;      // not with wants_outputs
  std::optional<WavefrontMesh> faulty_;      // from the first strike on
  std::optional<WavefrontMesh> difference_;  // in place of both once no more faults act
  std::optional<EdgeInputs> difference_inputs_;
  std::vector<std::int32_t> golden_results_, faulty_results_;  // of the steps at hand
  std::vector<const WavefrontFault*> met_;                     // by the wavefront at hand

  std::optional<WavefrontFault> first_fault_;  // that changed a word, first in time
  Cycle first_change_ = 0;                     // of the first fault that changed a word
  MeshResult result_;
};

/// The whole of it in a plain loop.
MeshResult replay(const MeshJob& job, const MeshSites& sites);

/// The span of wavefronts on which a fault acts, and its site in words.
WavefrontFault on_wavefronts(const MeshRun& run, const MeshSites& sites,
                             const RegisterFault& fault);

}  // namespace tilestrike::sim

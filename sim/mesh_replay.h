// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A job in wavefront order, window by window: golden and faulty mesh are stepped together from the
// first struck wavefront until they agree again (docs/mesh.md, "How a struck pass is computed").
// Whoever owns time (the SystemC module, or a plain loop) says when a strike arrives and when a
// window is over.
#pragma once

#include <optional>
#include <vector>

#include "sim/engine.h"
#include "sim/wavefront_mesh.h"

namespace tilestrike::sim {

class MeshReplay final : private StrikeObserver {
 public:
  MeshReplay(const MeshJob& job, const MeshSites& sites);

  /// Windows [first_window(), run->windows()) must be processed in order while !done().
  int first_window() const { return first_window_; }
  /// A fault has arrived. Must be called before process_window() of a window that it meets.
  void arrive(const RegisterFault& fault);
  void process_window(int index);
  bool is_done() const { return is_done_; }
  MeshResult finish();

 private:
  void on_struck(const WavefrontFault& fault, std::int64_t wavefront, std::int32_t before,
                 std::int32_t after) override;
  bool fetches_stream(const Window& window) const;
  void process_golden(const Window& window, std::int64_t first, std::int64_t count);
  void process_together(const Window& window, std::int64_t first, std::int64_t count);
  void process_struck(const Window& window, std::int64_t step,
                      std::span<const WavefrontFault* const> faults);
  void collect(const Window& window, std::int64_t first, std::int64_t count);

  const MeshJob job_;
  const MeshRun& run_;
  const MeshSites& sites_;
  EdgeInputs inputs_;
  std::vector<WavefrontFault> faults_;
  std::int64_t first_struck_ = 0;  // first wavefront that a fault meets
  std::int64_t last_struck_ = -1;
  int first_window_ = 0;
  bool is_done_ = false;
  bool is_split_ = false;  // golden and faulty differ, or may
  std::optional<WavefrontMesh> golden_, faulty_;
  std::vector<std::int32_t> golden_results_, faulty_results_;
  bool has_struck_ = false;
  MeshResult result_;
};

/// The span of wavefronts on which a fault acts, and its site in words.
WavefrontFault on_wavefronts(const MeshRun& run, const MeshSites& sites,
                             const RegisterFault& fault);

}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The engine `stepped`: golden and faulty mesh side by side, every register at every edge.
#include <algorithm>

#include "sim/arithmetic.h"
#include "sim/edge_inputs.h"
#include "sim/engines.h"
#include "sim/stepped_mesh.h"

namespace tilestrike::sim {
namespace {

class SteppedRun {
 public:
  SteppedRun(const MeshJob& job, const MeshSites& sites)
      : job_(job),
        run_(*job.run),
        sites_(sites),
        faults_(in_order_of_effect(job.faults)),
        inputs_(*job.run, *job.operands),
        golden_(job.run->config(), sites),
        faulty_(job.run->config(), sites),
        idle_activations_(static_cast<std::size_t>(job.run->config().rows), 0),
        idle_columns_(static_cast<std::size_t>(job.run->config().columns), 0) {
    const MeshState* golden_start = job.golden_start;
    const MeshState* faulty_start = job.faulty_start != nullptr ? job.faulty_start : golden_start;
    if (golden_start != nullptr) {
      golden_.set_state(*golden_start);
    }
    if (faulty_start != nullptr) {
      faulty_.set_state(*faulty_start);
    }
    if (job.wants_outputs) {
      for (const PassShape& pass : run_.passes()) {
        result_.outputs.emplace_back(static_cast<std::size_t>(pass.rows) *
                                     static_cast<std::size_t>(pass.columns));
      }
    }
  }

  MeshResult run() {
    // After the last cycle the pipes run empty, without faults.
    const Cycle emptied = run_.cycles() + run_.largest_delay();
    for (Cycle state = 1; state <= emptied; ++state) {
      const EdgeValues edge = edge_of(state - 1);
      golden_.step(edge);
      faulty_.step(edge);
      if (state <= run_.cycles()) {
        strike(state);
        collect(state);
      }
    }
    result_.cycles = run_.cycles();
    result_.windows_simulated = run_.windows();
    result_.end = faulty_.state();
    std::sort(result_.deltas.begin(), result_.deltas.end());
    return std::move(result_);
  }

 private:
  EdgeValues edge_of(std::int64_t wavefront) {
    if (wavefront >= run_.cycles()) {
      return {idle_activations_.data(), idle_columns_.data(), idle_columns_.data(), false, false};
    }
    const Window window = run_.window(run_.window_of(wavefront));
    const std::int64_t step = wavefront - window.start;
    inputs_.enter(window);
    inputs_.fetch_load();
    inputs_.fetch_stream(step, 1);
    return {inputs_.activations(step), inputs_.vertical(step), inputs_.load(step), window.valid,
            window.propagate};
  }

  void strike(Cycle state) {
    for (const RegisterFault& fault : faults_) {
      const bool acts =
          fault.kind == FaultKind::kFlip ? fault.when.from == state : fault.when.contains(state);
      if (!acts) {
        continue;
      }
      const auto [before, after] = faulty_.strike(fault);
      if (before == after) {
        continue;
      }
      const MeshSite site = sites_.describe(fault.site);
      if (result_.before == result_.after) {
        const std::uint64_t mask = (std::uint64_t{1} << sites_.block(site.kind).bits) - 1;
        result_.before = static_cast<std::uint32_t>(before) & mask;
        result_.after = static_cast<std::uint32_t>(after) & mask;
      }
      result_.activated = result_.activated || is_live(run_, site, state - 1 - sites_.delay(site));
    }
  }

  // Takes the row that is due at this state, whatever `valid` says.
  void collect(Cycle state) {
    const MeshConfig& config = run_.config();
    const std::int64_t wavefront = state - config.rows - config.columns;
    if (wavefront < 0) {
      return;
    }
    const Window window = run_.window(run_.window_of(wavefront));
    const std::int64_t step = wavefront - window.start;
    const bool ws = config.is_weight_stationary();
    const int pass = ws ? window.streams : window.drains;
    const std::int64_t row = ws ? step : config.rows - 1 - step;
    if (pass < 0) {
      return;
    }
    const PassShape& shape = run_.passes()[static_cast<std::size_t>(pass)];
    if (row < 0 || row >= shape.rows) {
      return;
    }
    for (int c = 0; c < shape.columns; ++c) {
      const std::int32_t value = faulty_.collected(c);
      if (job_.wants_outputs) {
        result_.outputs[static_cast<std::size_t>(pass)]
                       [static_cast<std::size_t>(row * shape.columns + c)] = value;
      } else if (value != golden_.collected(c)) {
        result_.deltas.push_back({pass, static_cast<std::int32_t>(row), c,
                                  wrapped(std::int64_t{value} - golden_.collected(c))});
      }
    }
  }

  const MeshJob& job_;
  const MeshRun& run_;
  const MeshSites& sites_;
  const std::vector<RegisterFault> faults_;
  EdgeInputs inputs_;
  SteppedMesh golden_, faulty_;
  const std::vector<std::int8_t> idle_activations_;
  const std::vector<std::int32_t> idle_columns_;
  MeshResult result_;
};

class SteppedEngine final : public Engine {
 public:
  std::string_view name() const override { return kStepped; }
  bool covers(const MeshJob&) const override { return true; }
  MeshResult run(const MeshJob& job) override {
    return SteppedRun(job, sites_.of(job.run->config())).run();
  }

 private:
  LastSites sites_;
};

}  // namespace

std::unique_ptr<Engine> make_stepped_engine() { return std::make_unique<SteppedEngine>(); }

}  // namespace tilestrike::sim

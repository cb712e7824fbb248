// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/mesh_trials.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace tilestrike::bridge {
namespace {

// The pass that a window's wavefronts belong to, as seen by most registers: the one that streams,
// else the one that is loaded or drained. -1: none.
int pass_of(const sim::Window& window) {
  return window.streams >= 0 ? window.streams : window.loads >= 0 ? window.loads : window.drains;
}

}  // namespace

class MeshPath final : public StrikePath {
 public:
  MeshPath(MeshTrials& trials, std::span<const RegisterFault> faults)
      : trials_(trials), faults_(faults.begin(), faults.end()) {
    std::ranges::stable_sort(faults_, {},
                             [](const RegisterFault& fault) { return fault.when.from; });
  }

  void expose(TrialRun& run) override {
    if (!run.is_told()) {
      return;
    }
    for (const RegisterFault& fault : faults_) {
      const std::string until = fault.kind == FaultKind::kFlip ? ""
                                : fault.when.is_permanent()
                                    ? " for ever"
                                    : fmt::format(" until cycle {}", fault.when.until);
      run.tell("{} of {} at cycle {}{} of {}", name_of(fault.kind), trials_.sites_.text(fault.site),
               fault.when.from, until, schedule().cycles_per_inference());
    }
  }

  bool touches(std::size_t layer, const TrialRun& run) override {
    here_.clear();
    is_any_left_ = false;
    const Cycle end = schedule().layers()[layer].end();
    for (const RegisterFault& fault : faults_) {
      if (const std::optional<RegisterFault> seen = schedule().within_run(fault, layer)) {
        here_.push_back(*seen);
      }
      is_any_left_ = is_any_left_ || (fault.kind == FaultKind::kFlip ? fault.when.from >= end
                                                                     : fault.when.until > end);
    }
    const MeshLayer* on_mesh = trials_.mapping_.mesh_layer(layer);
    if (on_mesh == nullptr) {
      return false;
    }
    // Changed activations that a product loads as weights stay in the mesh for later faults to
    // meet.
    const bool loads_changed =
        on_mesh->weights.value >= 0 && is_any_left_ && run.values.is_changed(on_mesh->weights);
    return !here_.empty() || left_.has_value() || loads_changed;
  }

  LayerChange at_mesh(const BoundLayer& layer, const CleanSums& /*clean*/, TrialRun& run) override {
    const MeshLayer& mesh_layer = layer.mesh_layer();
    const sim::MeshState start = trials_.mapping_.state_before(mesh_layer, run.golden);
    const sim::MeshState end =
        is_any_left_ ? trials_.mapping_.state_after(mesh_layer, run.golden) : sim::MeshState();
    for (const RegisterFault& fault : here_) {
      describe(mesh_layer, fault, run);
    }
    sim::MeshJob job;
    job.run = mesh_layer.run;
    job.operands = &layer.operands();
    job.faults = here_;
    job.golden_start = &start;
    job.faulty_start = left_ ? &*left_ : nullptr;
    job.wants_end = is_any_left_;
    sim::MeshResult simulated = trials_.simulate(job);
    if (run.observer() != nullptr) {
      run.observer()->on_run(
          {run.name_of_layer(layer.layer()), trials_.engine_name_, job, simulated});
    }
    count(simulated, layer, run);
    left_.reset();
    if (is_any_left_ && simulated.end != end) {
      left_ = std::move(simulated.end);
    }
    LayerChange change;
    change.deltas = accumulator_deltas(layer, simulated.changes);
    return change;
  }

  LayerChange at(std::size_t /*layer*/, TrialRun& /*run*/) override { return {}; }
  bool is_over(std::size_t /*layer*/) const override { return !is_any_left_; }

  void end(TrialRun& run) override {
    if (!has_struck_) {
      run.tell("no layer is on the mesh at that time");
    }
  }

  MaskedAt explain(const TrialRun& run) const override {
    const TrialResult& result = run.result;
    return run.changed_output                ? MaskedAt::kNetwork
           : result.changed_accumulators > 0 ? MaskedAt::kRequantisation
           : result.activated                ? MaskedAt::kTile
           : !met_a_pass_                    ? MaskedAt::kIdle
           : result.before == result.after   ? MaskedAt::kUnchanged
                                             : MaskedAt::kDead;
  }

 private:
  const Schedule& schedule() const { return trials_.mapping_.schedule(); }

  void describe(const MeshLayer& layer, const RegisterFault& fault, TrialRun& run) {
    const sim::MeshSite site = trials_.sites_.describe(fault.site);
    const Cycle state = std::max<Cycle>(fault.when.from, 1);
    const Cycle wavefront = state - 1 - trials_.sites_.delay(site);
    const sim::Window window = layer.run->window(layer.run->window_of(wavefront));
    const int pass = wavefront < 0 ? -1 : pass_of(window);
    met_a_pass_ = met_a_pass_ || pass >= 0;
    if (has_struck_) {
      return;
    }
    has_struck_ = true;
    TrialResult& result = run.result;
    result.layer = run.name_of_layer(layer.layer);
    result.pass = pass;
    result.step = wavefront < 0 ? -1 : wavefront - window.start;
    if (pass < 0) {
      run.tell("layer {}: state {} of its run, wavefront {}: no pass is there", result.layer, state,
               wavefront);
      return;
    }
    const Tile tile = layer.tiling->tile(pass);
    run.tell(
        "layer {}: state {} of {} of its run; the register holds wavefront {}, step {} of the "
        "window "
        "that streams pass {}, loads pass {} and drains pass {}",
        result.layer, state, layer.run->cycles(), wavefront, result.step, window.streams,
        window.loads, window.drains);
    run.tell(
        "pass {} of {}: group {}, rows {} .. {}, depth {} .. {}, columns {} .. {} of the layer's "
        "product",
        pass, layer.tiling->passes(), tile.group, tile.row, tile.row + tile.shape.rows - 1,
        tile.depth, tile.depth + tile.shape.depth - 1, tile.column,
        tile.column + tile.shape.columns - 1);
  }

  static void count(const sim::MeshResult& simulated, const BoundLayer& layer, TrialRun& run) {
    TrialResult& result = run.result;
    result.passes_simulated += simulated.windows_simulated;
    result.hung = result.hung || simulated.hung;
    result.activated = result.activated || simulated.activated;
    if (result.before == result.after && simulated.before != simulated.after) {
      result.before = simulated.before;
      result.after = simulated.after;
      run.tell("the struck word: {:#x} -> {:#x}", result.before, result.after);
    }
    run.tell("{}: simulated {} windows; activated: {}; {} results of passes differ",
             run.name_of_layer(layer.layer()), simulated.windows_simulated,
             simulated.activated ? "yes" : "no", simulated.changes.size());
  }

  MeshTrials& trials_;
  std::vector<RegisterFault> faults_;   // in the order of time
  std::vector<RegisterFault> here_;     // within the run of the layer at hand
  bool is_any_left_ = false;            // acts after the layer at hand
  std::optional<sim::MeshState> left_;  // c0 and c1 that an earlier layer left, where not golden
  bool has_struck_ = false;             // a fault fell into a layer's run on the mesh
  bool met_a_pass_ = false;             // a fault fell into a pass
};

MeshTrials::MeshTrials(const dnn::Network& network, const Mapping& mapping,
                       const sim::EngineSet& engines, const std::string& engine, const Judge& judge,
                       dnn::Differential* differential)
    : network_(network),
      mapping_(mapping),
      sites_(mapping.accelerator().mesh),
      guard_(Guard::make(mapping.accelerator().guard)),
      judge_(judge),
      differential_(differential),
      engine_name_(engine),
      engine_(engines.make(engine)) {
  if (!engines.at(engine).covers_all) {
    stand_in_ = engines.stand_in().make();
  }
}

sim::MeshResult MeshTrials::simulate(const sim::MeshJob& job) {
  return stand_in_ == nullptr || engine_->covers(job) ? engine_->run(job) : stand_in_->run(job);
}

std::unique_ptr<StrikePath> MeshTrials::path(std::span<const RegisterFault> faults) {
  return std::make_unique<MeshPath>(*this, faults);
}

TrialResult MeshTrials::run(const dnn::Tape& golden, std::span<const RegisterFault> faults,
                            RunObserver* observer, ImageId image) {
  TrialRun run(network_, mapping_, golden, observer, image, differential_);
  return run_trial(run, *path(faults), guard(), judge_);
}

}  // namespace tilestrike::bridge

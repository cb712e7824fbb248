// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/set_while.h"
#include "bridge/effects/splice.h"
#include "bridge/trial/judge.h"
#include "sim/compare/engine_comparison.h"

namespace tilestrike::bridge {
namespace {

const at::Tensor& golden_tensor(const dnn::Tape& golden, dnn::ValueId id) {
  return golden.values[static_cast<std::size_t>(id.value)].toTensor();
}

// The pass that a window's wavefronts belong to, as seen by most registers: the one that streams,
// else the one that is loaded or drained. -1: none.
int pass_of(const sim::Window& window) {
  return window.streams >= 0 ? window.streams : window.loads >= 0 ? window.loads : window.drains;
}

}  // namespace

struct TrialRunner::Progress {
  Progress(const dnn::Network& network, const dnn::Tape& tape, Story* told,
           std::vector<StruckLayer>* kept)
      : golden(tape), story(told), struck(kept), run(network, tape) {}

  const dnn::Tape& golden;
  Story* story;
  std::vector<StruckLayer>* struck;
  dnn::Divergence run;
  TrialResult result;
  std::optional<sim::MeshState> left;  // c0 and c1 that an earlier layer left, where not golden
  bool has_struck = false;             // a fault fell into a layer's run on the mesh
  bool met_a_pass = false;             // ... and a pass was there
  bool changed_output = false;         // a struck layer's stored output differed

  void tell(std::string_view line) {
    if (story != nullptr) {
      story->lines.emplace_back(line);
    }
  }
};

TrialRunner::TrialRunner(const dnn::Network& network, Mapping& mapping, const std::string& engine,
                         JudgeKind judge)
    : network_(network),
      mapping_(mapping),
      sites_(mapping.accelerator().mesh),
      judge_(judge),
      engine_(sim::make_engine(engine)) {
  if (engine != "systemc") {
    fallback_ = sim::make_engine("systemc");
  }
}

sim::MeshResult TrialRunner::simulate(const sim::MeshJob& job) {
  return fallback_ == nullptr || engine_->covers(job) ? engine_->run(job) : fallback_->run(job);
}

TrialAudit TrialRunner::audit(const dnn::Tape& golden, std::span<const RegisterFault> faults) {
  if (others_.empty()) {
    for (const std::string& name : sim::engine_names()) {
      if (name != engine_->name()) {
        others_.push_back(sim::make_engine(name));
      }
    }
  }
  TrialAudit audit;
  for (const auto& other : others_) {
    audit.engines.emplace_back(other->name());
  }
  const SetWhile auditing(audit_, &audit);
  run(golden, faults, nullptr, nullptr);
  return audit;
}

void TrialRunner::each_struck_run(const dnn::Tape& golden, std::span<const RegisterFault> faults,
                                  const VisitRun& visit) {
  const SetWhile visiting(visit_, &visit);
  run(golden, faults, nullptr, nullptr);
}

// An engine that leaves out one struck run has not computed the trial.
void TrialRunner::compare_engines(const MeshLayer& layer, const sim::MeshJob& job,
                                  const sim::MeshResult& result) {
  for (const auto& other : others_) {
    const std::string name(other->name());
    if (!can_audit(*other, job)) {
      std::erase(audit_->engines, name);
      continue;
    }
    const std::string difference = sim::first_difference(job, result, other->run(job));
    if (!difference.empty() && audit_->disagreement.empty()) {
      audit_->disagreement = fmt::format("{} and {} part in layer {}, {}: {} says {}",
                                         engine_->name(), name, network_.layers[layer.layer].name,
                                         sim::text_of_faults(job, sites_), name, difference);
    }
  }
}

void TrialRunner::describe(const MeshLayer& layer, const RegisterFault& fault, Progress& progress) {
  const sim::MeshSite site = sites_.describe(fault.site);
  const Cycle state = std::max<Cycle>(fault.when.from, 1);
  const Cycle wavefront = state - 1 - sites_.delay(site);
  const sim::Window window = layer.run->window(layer.run->window_of(wavefront));
  const int pass = wavefront < 0 ? -1 : pass_of(window);
  progress.met_a_pass = progress.met_a_pass || pass >= 0;
  if (progress.has_struck) {
    return;
  }
  progress.has_struck = true;
  TrialResult& result = progress.result;
  result.layer = network_.layers[layer.layer].name;
  result.pass = pass;
  result.step = wavefront < 0 ? -1 : wavefront - window.start;
  if (pass < 0) {
    progress.tell(fmt::format("layer {}: state {} of its run, wavefront {}: no pass is there",
                              result.layer, state, wavefront));
    return;
  }
  const Tile tile = layer.tiling->tile(pass);
  progress.tell(fmt::format(
      "layer {}: state {} of {} of its run; the register holds wavefront {}, step {} of the window "
      "that streams pass {}, loads pass {} and drains pass {}",
      result.layer, state, layer.run->cycles(), wavefront, result.step, window.streams,
      window.loads, window.drains));
  progress.tell(
      fmt::format("pass {} of {}: group {}, rows {} .. {}, depth {} .. {}, columns {} .. {} of the "
                  "layer's product",
                  pass, layer.tiling->passes(), tile.group, tile.row,
                  tile.row + tile.shape.rows - 1, tile.depth, tile.depth + tile.shape.depth - 1,
                  tile.column, tile.column + tile.shape.columns - 1));
}

void TrialRunner::run_on_mesh(MeshLayer& layer, std::span<const RegisterFault> faults,
                              bool are_more_to_come, Progress& progress) {
  const bool reads_changed = progress.run.reads_changed(layer.layer);
  const at::Tensor& input = progress.run.value(layer.input).toTensor();
  const bool is_product = layer.weights.value >= 0;
  const at::Tensor right = is_product ? progress.run.value(layer.weights).toTensor() : at::Tensor();
  const sim::MeshState start = mapping_.state_before(layer, progress.golden);
  const sim::MeshState end =
      are_more_to_come ? mapping_.state_after(layer, progress.golden) : sim::MeshState();
  layer.set_operands(input, right);
  for (const RegisterFault& fault : faults) {
    describe(layer, fault, progress);
  }

  sim::MeshJob job;
  job.run = layer.run;
  job.operands = layer.operands.get();
  job.faults = faults;
  job.golden_start = &start;
  job.faulty_start = progress.left ? &*progress.left : nullptr;
  job.wants_end = are_more_to_come;
  sim::MeshResult simulated = simulate(job);
  if (audit_ != nullptr) {
    compare_engines(layer, job, simulated);
  }
  if (visit_ != nullptr) {
    (*visit_)(network_.layers[layer.layer].name, job);
  }
  progress.left.reset();
  if (are_more_to_come && simulated.end != end) {
    progress.left = std::move(simulated.end);
  }

  TrialResult& result = progress.result;
  result.passes_simulated += simulated.windows_simulated;
  result.hung = result.hung || simulated.hung;
  result.activated = result.activated || simulated.activated;
  if (result.before == result.after && simulated.before != simulated.after) {
    result.before = simulated.before;
    result.after = simulated.after;
    progress.tell(fmt::format("the struck word: {:#x} -> {:#x}", result.before, result.after));
  }
  progress.tell(fmt::format("{}: simulated {} windows; activated: {}; {} results of passes differ",
                            network_.layers[layer.layer].name, simulated.windows_simulated,
                            simulated.activated ? "yes" : "no", simulated.deltas.size()));

  const std::vector<AccumulatorDelta> deltas =
      accumulator_deltas(layer, mapping_.accelerator().mesh.overflow, simulated.deltas);
  StruckLayer struck{layer.layer, input, right, {}, {}, {}};
  if (!deltas.empty() || reads_changed) {
    const at::Tensor clean = reads_changed ? layer.kernel->accumulate(input, right)
                                           : progress.golden.accumulators[layer.layer];
    struck.accumulators = deltas.empty() ? clean : spliced(clean, deltas);
    struck.output = layer.kernel->requantise(struck.accumulators);
    const std::int64_t accumulators =
        dnn::count_different(struck.accumulators, progress.golden.accumulators[layer.layer]);
    const std::int64_t outputs = progress.run.set(layer.output, struck.output);
    result.changed_accumulators += accumulators;
    result.changed_outputs += outputs;
    progress.changed_output = progress.changed_output || outputs > 0;
    if (!deltas.empty()) {
      progress.tell(fmt::format(
          "{} accumulators of {} differ from golden, the first by {}; after requantisation {} "
          "outputs of {}",
          accumulators, struck.accumulators.numel(), deltas.front().delta, outputs,
          struck.output.numel()));
    }
  }
  if (progress.struck != nullptr) {
    struck.result = std::move(simulated);
    progress.struck->push_back(std::move(struck));
  }
}

void TrialRunner::conclude(Progress& progress) {
  TrialResult& result = progress.result;
  const at::Tensor golden = on_host(golden_tensor(progress.golden, network_.output));
  const at::Tensor faulty = on_host(progress.run.output());
  const auto floats = [](const at::Tensor& tensor) {
    return std::span<const float>(tensor.data_ptr<float>(),
                                  static_cast<std::size_t>(tensor.numel()));
  };
  result.judgement = judge(floats(golden), floats(faulty), result.hung, judge_);
  if (result.judgement.outcome != Outcome::kMasked) {
    result.logits.assign(floats(faulty).begin(), floats(faulty).end());
  } else if (progress.changed_output) {
    result.masked_at = MaskedAt::kNetwork;
  } else if (result.changed_accumulators > 0) {
    result.masked_at = MaskedAt::kRequantisation;
  } else if (result.activated) {
    result.masked_at = MaskedAt::kTile;
  } else if (!progress.met_a_pass) {
    result.masked_at = MaskedAt::kIdle;
  } else {
    result.masked_at = result.before == result.after ? MaskedAt::kUnchanged : MaskedAt::kDead;
  }
  const Judgement& judged = result.judgement;
  std::string line = fmt::format("outcome: {}", name_of(judged.outcome));
  if (judged.outcome == Outcome::kMasked) {
    line += fmt::format(", at {}", name_of(result.masked_at));
  } else {
    line += fmt::format(
        "; top-1 class {} (golden {}), SDC-1 {}, SDC-5 {}, SDC-10 % {}, SDC-20 % {}",
        judged.faulty_class, judged.golden_class, judged.sdc_1 ? "yes" : "no",
        judged.sdc_5 ? "yes" : "no", judged.sdc_10 ? "yes" : "no", judged.sdc_20 ? "yes" : "no");
  }
  progress.tell(line);
}

TrialResult TrialRunner::run(const dnn::Tape& golden, std::span<const RegisterFault> faults,
                             Story* story, std::vector<StruckLayer>* struck) {
  Progress progress(network_, golden, story, struck);
  std::vector<RegisterFault> in_time(faults.begin(), faults.end());
  std::stable_sort(in_time.begin(), in_time.end(),
                   [](const auto& x, const auto& y) { return x.when.from < y.when.from; });
  const Schedule& schedule = mapping_.schedule();
  for (const RegisterFault& fault : in_time) {
    const std::string until = fault.kind == FaultKind::kFlip ? ""
                              : fault.when.is_permanent()
                                  ? " for ever"
                                  : fmt::format(" until cycle {}", fault.when.until);
    progress.tell(fmt::format("{} of {} at cycle {}{} of {}", name_of(fault.kind),
                              sites_.text(fault.site), fault.when.from, until,
                              schedule.cycles_per_inference()));
  }

  std::vector<RegisterFault> here;
  for (std::size_t layer = 0; layer < network_.layers.size(); ++layer) {
    here.clear();
    const Cycle end = schedule.layers()[layer].end();
    bool is_any_left = false;
    for (const RegisterFault& fault : in_time) {
      if (const std::optional<RegisterFault> seen = schedule.within_run(fault, layer)) {
        here.push_back(*seen);
      }
      is_any_left = is_any_left || (fault.kind == FaultKind::kFlip ? fault.when.from >= end
                                                                   : fault.when.until > end);
    }
    MeshLayer* on_mesh = mapping_.mesh_layer(layer);
    // Changed activations that a product loads as weights stay in the mesh for later faults to
    // meet.
    const bool loads_changed = on_mesh != nullptr && on_mesh->weights.value >= 0 && is_any_left &&
                               progress.run.is_changed(on_mesh->weights);
    if (on_mesh != nullptr && (!here.empty() || progress.left || loads_changed)) {
      run_on_mesh(*on_mesh, here, is_any_left, progress);
    } else if (progress.run.reads_changed(layer)) {
      progress.run.run(layer);
    }
    if (!is_any_left && !progress.run.is_alive_after(layer)) {
      if (progress.has_struck && progress.changed_output) {
        progress.tell(fmt::format("after layer {} everything alive equals golden",
                                  network_.layers[layer].name));
      }
      break;
    }
  }
  if (!progress.has_struck) {
    progress.tell("no layer is on the mesh at that time");
  }
  conclude(progress);
  return std::move(progress.result);
}

}  // namespace tilestrike::bridge

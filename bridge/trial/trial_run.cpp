// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/trial_run.h"

#include <algorithm>
#include <string>

#include "dnn/count_different.h"

namespace tilestrike::bridge {
namespace {

void ask(const Guard& guard, const MeshLayer& layer, std::span<const AccumulatorDelta> changes,
         TrialRun& run) {
  const std::string found = guard.find(layer.tiling->gemm(), changes);
  if (!found.empty()) {
    run.result.is_guarded = true;
    run.tell("layer {}: the guard finds that {}", run.name_of_layer(layer.layer), found);
  }
}

/// What a struck layer's tensors are where they are put together whole.
struct WholeLayer {
  at::Tensor accumulators, output;
};

/// `clean` with the deltas, requantised. Undefined tensors: both are golden.
WholeLayer put_together(const MeshLayer& layer, const at::Tensor& clean,
                        std::span<const AccumulatorDelta> deltas, TrialRun& run,
                        dnn::Divergence::Spliced& different) {
  WholeLayer whole;
  whole.accumulators = deltas.empty() ? clean : spliced(clean, deltas);
  whole.output = layer.kernel->requantise(whole.accumulators);
  different.accumulators =
      dnn::count_different(whole.accumulators, run.golden.accumulators[layer.layer]);
  different.outputs = run.values.set(layer.output, whole.output);
  return whole;
}

void run_on_mesh(const MeshLayer& layer, TrialRun& run, StrikePath& path, const Guard* guard) {
  const bool reads_changed = run.values.reads_changed(layer.layer);
  const at::Tensor input = run.values.value(layer.input).toTensor();  // whole, for the engine
  const at::Tensor right =
      layer.weights.value >= 0 ? run.values.value(layer.weights).toTensor() : at::Tensor();
  const CleanSums clean(layer, run, input, right);
  const BoundLayer bound(layer, input, right);
  const LayerChange change = path.at_mesh(bound, clean, run);
  if (guard != nullptr && !change.deltas.empty()) {
    ask(*guard, layer, change.deltas, run);
  }
  WholeLayer whole;
  if (!change.deltas.empty() || reads_changed) {
    dnn::Divergence::Spliced different;
    const auto from_lists =
        run.wants_layers() ? std::nullopt : run.values.splice(layer.layer, change.deltas);
    if (from_lists) {
      different = *from_lists;
    } else {
      whole = put_together(layer, clean.accumulators(), change.deltas, run, different);
    }
    run.result.changed_accumulators += different.accumulators;
    run.result.changed_outputs += different.outputs;
    run.changed_output = run.changed_output || different.outputs > 0;
    if (!change.deltas.empty()) {
      run.tell(
          "{} accumulators of {} differ from golden, the first by {}; after requantisation {} "
          "outputs of {}",
          different.accumulators, run.golden.accumulators[layer.layer].numel(),
          change.deltas.front().delta, different.outputs,
          run.golden.accumulators[layer.layer].numel());
    }
  }
  if (run.wants_layers()) {
    run.observer()->on_layer({run, layer.layer, &bound, whole.accumulators, whole.output});
  }
}

void run_beside_mesh(std::size_t layer, TrialRun& run, StrikePath& path) {
  const LayerChange change = path.at(layer, run);
  const bool is_changed = !change.operands.empty() || run.values.reads_changed(layer);
  if (change.operands.empty()) {
    run.values.run(layer);
  } else {
    const std::int64_t outputs = run.values.run_reading(layer, change.operands);
    run.result.changed_outputs += outputs;
    run.changed_output = run.changed_output || outputs > 0;
    run.tell("layer {} reads {} wrong words; {} of its outputs differ from golden",
             run.name_of_layer(layer), run.result.changed_words, outputs);
  }
  if (run.wants_layers()) {
    const c10::IValue& output = run.values.value(run.network.layers[layer].outputs.front());
    run.observer()->on_layer({run,
                              layer,
                              nullptr,
                              {},
                              is_changed && output.isTensor() ? output.toTensor() : at::Tensor()});
  }
}

std::span<const float> floats_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

const char* yes(bool is) { return is ? "yes" : "no"; }

/// Of an answer without a class of its own.
void tell_parts(TrialRun& run) {
  const Judgement& judged = run.result.judgement;
  std::string parts;
  if (judged.share_differing >= 0.0) {
    parts = fmt::format("; {:.3g} % of its parts differ", 100.0 * judged.share_differing);
    parts += judged.first_differing < 0
                 ? ""
                 : fmt::format(", the first of them number {}", judged.first_differing);
  }
  run.tell("outcome: {}{}; relative L2 {:.3g}, SDC-1 {}, SDC-10 % {}, SDC-20 % {}",
           name_of(judged.outcome), parts, judged.relative_l2, yes(judged.sdc_1),
           yes(judged.sdc_10), yes(judged.sdc_20));
}

void tell_verdict(TrialRun& run) {
  const Judgement& judged = run.result.judgement;
  switch (judged.outcome) {
    case Outcome::kMasked:
      run.tell("outcome: masked, at {}", name_of(run.result.masked_at));
      break;
    case Outcome::kCorrected:
      run.tell("outcome: corrected");
      break;
    case Outcome::kDue:
      run.tell("outcome: due; without the stop: {}", name_of(run.result.without_stop));
      break;
    default:
      if (judged.golden_class < 0) {
        tell_parts(run);
        break;
      }
      run.tell(
          "outcome: {}; top-1 class {} (golden {}), SDC-1 {}, SDC-5 {}, SDC-10 % {}, SDC-20 % {}",
          name_of(judged.outcome), judged.faulty_class, judged.golden_class, yes(judged.sdc_1),
          yes(judged.sdc_5), yes(judged.sdc_10), yes(judged.sdc_20));
  }
}

/// Whether the layer has been computed, rather than waited for.
bool run_in_bulk(std::size_t layer, TrialRun& run) {
  if (run.values.splice(layer, {})) {
    return true;
  }
  if (run.may_wait && run.values.suits_batches(layer)) {
    return false;
  }
  run.values.run_reading(layer, {});
  return true;
}

/// Ends the run where nothing is left that differs, or will.
void finish_layer(std::size_t layer, TrialRun& run, const StrikePath& path) {
  if (path.is_over(layer) && !run.values.is_alive_after(layer)) {
    if (run.changed_output) {
      run.tell("after layer {} everything alive equals golden", run.name_of_layer(layer));
    }
    run.next_layer = run.network.layers.size();
  }
}

}  // namespace

void go_on(TrialRun& run, const StrikePath& path) {
  run.is_waiting = false;
  finish_layer(run.next_layer++, run, path);
}

const at::Tensor& CleanSums::accumulators() const {
  if (!computed_.defined()) {
    computed_ = run_.values.reads_changed(layer_.layer) ? layer_.kernel->accumulate(input_, right_)
                                                        : run_.golden.accumulators[layer_.layer];
  }
  return computed_;
}

bool run_layers(TrialRun& run, StrikePath& path, const Guard* guard, std::size_t until) {
  if (!run.is_exposed) {
    path.expose(run);
    run.is_exposed = true;
  }
  const std::size_t layers = run.network.layers.size();
  while (run.next_layer < std::min(until, layers)) {
    const std::size_t layer = run.next_layer++;
    if (path.touches(layer, run)) {
      const MeshLayer* on_mesh = run.mapping.mesh_layer(layer);
      if (on_mesh != nullptr) {
        run_on_mesh(*on_mesh, run, path, guard);
      } else {
        run_beside_mesh(layer, run, path);
      }
    } else if (run.values.reads_changed(layer) && !run_in_bulk(layer, run)) {
      run.next_layer = layer;
      run.is_waiting = true;
      return true;
    }
    finish_layer(layer, run, path);
  }
  return run.next_layer < layers;
}

TrialResult conclude(TrialRun& run, StrikePath& path, const Judge& judge) {
  run.answer = on_host(run.values.output());
  path.end(run);
  const at::Tensor golden =
      on_host(run.golden.values[static_cast<std::size_t>(run.network.output.value)].toTensor());
  judge.conclude(run.image, floats_of(golden), floats_of(run.answer), run.result);
  if (run.result.judgement.outcome == Outcome::kMasked) {
    run.result.masked_at = path.explain(run);
  }
  tell_verdict(run);
  if (run.observer() != nullptr) {
    run.observer()->on_end(run);
  }
  return std::move(run.result);
}

TrialResult run_trial(TrialRun& run, StrikePath& path, const Guard* guard, const Judge& judge) {
  run_layers(run, path, guard, run.network.layers.size());
  return conclude(run, path, judge);
}

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The one loop and the one verdict (docs/architecture.md): an inference goes its own way from the
// first layer that a strike touches, as long as anything alive differs from golden. How a strike
// acts on a layer is its path's own.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bridge/effects/splice.h"
#include "bridge/exposure/codeword_in_time.h"
#include "bridge/schedule/mapping.h"
#include "bridge/trial/guard.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/run_observer.h"
#include "bridge/words/trial_result.h"
#include "dnn/differential/divergence.h"
#include "dnn/executor.h"

namespace tilestrike::bridge {

/// All state of one trial: what of its inference differs from the golden one, and what is known of
/// it so far. Network, mapping, tape and observer must outlive it.
class TrialRun {
 public:
  /// `observer` and `differential` may be null.
  TrialRun(const dnn::Network& network, const Mapping& mapping, const dnn::Tape& golden,
           RunObserver* observer, ImageId image = ImageId(0),
           dnn::Differential* differential = nullptr)
      : network(network),
        mapping(mapping),
        golden(golden),
        image(image),
        values(network, golden, differential),
        observer_(observer) {}

  bool is_told() const { return observer_ != nullptr && observer_->listens(); }
  bool wants_layers() const { return observer_ != nullptr && observer_->wants_layers(); }
  template <class... Parts>
  void tell(fmt::format_string<Parts...> text, Parts&&... parts) {
    if (is_told()) {
      observer_->on_line(fmt::format(text, std::forward<Parts>(parts)...));
    }
  }
  /// Counts what ECC has found at a read. `where`: gives what is told of the place, where it is.
  template <class Where>
  void add(const Findings& findings, const Where& where) {
    const std::int64_t all = findings.corrected + findings.detected;
    result.corrected_codewords += findings.corrected;
    result.detected_codewords += findings.detected;
    result.activated = result.activated || all > 0;
    if (all > 0 && is_told()) {
      tell("{}: {} codewords corrected, {} detected and not corrected", where(), findings.corrected,
           findings.detected);
    }
  }
  RunObserver* observer() const { return observer_; }
  const std::string& name_of_layer(std::size_t layer) const { return network.layers[layer].name; }

  const dnn::Network& network;
  const Mapping& mapping;
  const dnn::Tape& golden;
  const ImageId image;  // whose golden run it is: judges know its label
  dnn::Divergence values;
  TrialResult result;
  bool is_exposed = false;      // the path has found what is struck
  std::size_t next_layer = 0;   // that is to be run
  bool may_wait = false;        // before a layer that is computed whole, for others
  bool is_waiting = false;      // before next_layer
  bool changed_output = false;  // a struck layer's stored output differed
  at::Tensor answer;            // on the host, as it is read; undefined until the end

 private:
  RunObserver* observer_;
};

/// What a layer on the mesh computes from a run's inputs if nothing is struck: computed when it is
/// asked for.
class CleanSums {
 public:
  /// All must outlive this object. `right`: the second operand of a product, or undefined.
  CleanSums(const MeshLayer& layer, const TrialRun& run, const at::Tensor& input,
            const at::Tensor& right)
      : layer_(layer), run_(run), input_(input), right_(right) {}
  const at::Tensor& accumulators() const;

 private:
  const MeshLayer& layer_;
  const TrialRun& run_;
  const at::Tensor& input_;
  const at::Tensor& right_;
  mutable at::Tensor computed_;
};

/// What a strike changes in one layer.
struct LayerChange {
  /// Of a layer on the mesh: what its accumulators are more than `clean`. Sorted, no zeros.
  std::vector<AccumulatorDelta> deltas;
  /// Of another layer: operands that it reads in the place of its values.
  std::vector<std::pair<dnn::ValueId, at::Tensor>> operands;
};

/// A layer that a strike has touched, for observers; all of it lives for the call.
struct TouchedLayer {
  const TrialRun& run;
  std::size_t layer = 0;
  const BoundLayer* bound = nullptr;  // null: it is not on the mesh
  // Undefined where it has read and computed as in the golden run; beside the mesh no accumulators.
  at::Tensor accumulators, output;
};

/// One way in which a strike meets an inference. Made for one trial; the calls come in this order:
/// expose(), then for each layer touches(), at() or at_mesh() where it does, and is_over(); end();
/// explain().
class StrikePath {
 public:
  virtual ~StrikePath() = default;
  /// Finds what is struck, and tells it.
  virtual void expose(TrialRun& run) = 0;
  /// Whether the layer's own run is struck; else it runs in bulk where its inputs differ.
  virtual bool touches(std::size_t layer, const TrialRun& run) = 0;
  /// Of a layer that is not on the mesh.
  virtual LayerChange at(std::size_t layer, TrialRun& run) = 0;
  /// Of a layer on the mesh.
  virtual LayerChange at_mesh(const BoundLayer& layer, const CleanSums& clean, TrialRun& run) = 0;
  /// Whether no layer after this one is touched unless values differ there.
  virtual bool is_over(std::size_t layer) const = 0;
  /// After the last layer: the answer is read.
  virtual void end(TrialRun& run) = 0;
  /// Where a masked fault has ended.
  virtual MaskedAt explain(const TrialRun& run) const = 0;
};

/// The one loop: runs layers from run.next_layer on, up to `until` or until nothing alive differs;
/// whether any is left to run. A trial may wait in between: all its state is in `run` and `path`.
/// A run that may_wait stops before a layer that is computed whole and suits batches, which is for
/// the caller to compute (go_on). `guard` may be null.
bool run_layers(TrialRun& run, StrikePath& path, const Guard* guard, std::size_t until);

/// Of a run whose next layer, for which it waited, has been computed.
void go_on(TrialRun& run, const StrikePath& path);

/// The one verdict, on a trial of which no layer is left to run.
TrialResult conclude(TrialRun& run, StrikePath& path, const Judge& judge);

/// Runs the trial to its end and judges it.
TrialResult run_trial(TrialRun& run, StrikePath& path, const Guard* guard, const Judge& judge);

}  // namespace tilestrike::bridge

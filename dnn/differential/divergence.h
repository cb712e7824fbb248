// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A run beside the golden one: only what differs is kept and computed, as lists of changed elements
// where they are short (docs/differential.md).
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "dnn/differential/differential.h"
#include "dnn/network.h"
#include "dnn/tape.h"

namespace tilestrike::dnn {

/// Values that come out equal, bit for bit, are golden again at once.
class Divergence {
 public:
  /// All must outlive this object. `differential` null: every layer that reads something changed
  /// is computed whole, with the same values.
  Divergence(const Network& network, const Tape& golden, Differential* differential = nullptr);

  /// The value as this run sees it.
  const c10::IValue& value(ValueId id) const;
  bool is_changed(ValueId id) const { return changed_[static_cast<std::size_t>(id.value)].is; }
  /// Gives a value of this run. Returns how many elements differ from golden, bit for bit (NaN
  /// equals the same NaN); 0: the value is golden again.
  std::int64_t set(ValueId id, const at::Tensor& tensor);
  /// An element, as Change::now has it, and others in the place of some, each once. Of a
  /// value on the host that Elements suit.
  std::int32_t element(ValueId id, std::uint32_t index) const;
  void put(ValueId id, std::span<const Change> elements);
  /// Whether any input of the layer differs from golden.
  bool reads_changed(std::size_t layer) const;
  /// Computes the layer if it reads something changed; otherwise its outputs are golden.
  void run(std::size_t layer);
  /// Computes the layer with other tensors in the place of some of its inputs, which themselves
  /// stay as they are. Returns how many elements of its outputs differ from golden.
  std::int64_t run_reading(std::size_t layer,
                           std::span<const std::pair<ValueId, at::Tensor>> replaced);

  /// Whether the layer may be computed for several runs of one image each at once.
  bool suits_batches(std::size_t layer) const;
  /// Computes a layer that suits batches whole, for all runs at once. Requires that a batch gives
  /// the bits that each image alone gives.
  static void run_together(std::size_t layer, std::span<Divergence* const> runs);

  struct Spliced {
    std::int64_t accumulators = 0, outputs = 0;  // that differ from golden
  };
  /// Computes a layer from lists; the accumulators of a matrix layer differ by `deltas` from what
  /// its inputs give. Nothing: it has no list form, or too much differs, and nothing is done.
  std::optional<Spliced> splice(std::size_t layer, std::span<const AccumulatorDelta> deltas);

  /// The same of a float matrix layer with struck weights, in the constants, of these outputs.
  std::optional<Spliced> splice_channels(std::size_t layer, std::span<const std::int64_t> channels);

  /// Whether anything that differs is still read by a layer after `layer`, or is the output.
  bool is_alive_after(std::size_t layer) const;
  at::Tensor output() const { return value(network_.output).toTensor(); }

 private:
  struct Changed {
    bool is = false;
    bool is_list = false;
    Changes list;
    mutable c10::IValue tensor;  // of a list: made when it is asked for
  };
  void set_golden(ValueId id);
  void set_changed(ValueId id, Changed changed);
  void set_list(ValueId id, Changes list);
  std::optional<Spliced> run_lists(std::size_t layer, std::span<const AccumulatorDelta> deltas,
                                   std::span<const std::int64_t> channels);

  const Network& network_;
  const Tape& golden_;
  Differential* differential_;
  std::vector<std::int32_t> last_use_;
  std::vector<Changed> changed_;  // by ValueId
  std::vector<ValueId> changed_ids_;
};

}  // namespace tilestrike::dnn

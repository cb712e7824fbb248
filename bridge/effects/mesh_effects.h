// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What wrong reads of operands and wrong words of the accumulator memory do to a layer's results.
// Integer sums are linear: a read of A[m][k] that is off by d changes row m of that pass's results
// by d * B[k][..], whatever else happens (docs/memory_schedule.md, "What a strike does").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bridge/effects/layer_effect.h"
#include "bridge/effects/splice.h"
#include "bridge/exposure/codeword_in_time.h"
#include "bridge/exposure/layer_reads.h"
#include "bridge/exposure/residency.h"
#include "bridge/schedule/mapping.h"

namespace tilestrike::bridge {

class MeshEffects {
 public:
  /// All must outlive this object.
  MeshEffects(const Residency& residency, const BoundLayer& layer, const LayerReads& reads);

  /// What wrong reads change in the passes' results: sorted, no zeros. `is_read_wrong`: whether any
  /// read gave another value.
  std::vector<sim::OutputChange> of_operands(bool& is_read_wrong) const;

  struct Sums {
    Findings findings;
    bool is_changed = false;  // the last reader met another value
  };
  /// Follows one struck codeword of accumulators through the depth folds, and puts what its last
  /// reader finds into `deltas` (relative to `clean`, the accumulators without any strike).
  Sums of_sums(const Occupant& occupant, CodewordInTime& word,
               std::span<const sim::OutputChange> of_passes, std::span<const std::int32_t> clean,
               OnDue on_due, std::vector<AccumulatorDelta>& deltas) const;

 private:
  std::int32_t weight_read(const Tile& tile, int pass, std::int64_t depth,
                           std::int64_t column) const;
  std::int32_t sum_of_pass(int pass, std::int64_t row, std::int64_t column,
                           std::span<const sim::OutputChange> of_passes) const;
  std::int64_t weight_element(std::int64_t group, std::int64_t depth, std::int64_t column) const {
    const GemmShape& gemm = layer_.tiling().gemm();
    return (group * gemm.columns + column) * gemm.depth + depth;
  }

  const Residency& residency_;
  const BoundLayer& layer_;
  const LayerReads& reads_;
  const ScheduledLayer& scheduled_;
  bool has_wrong_weights_ = false;
};

/// The engine `closed_form`: no pass is simulated.
LayerEffect effect_by_formula(const Residency& residency, LayerReader& reader, OnDue on_due,
                              const MeshStrike& strike);

}  // namespace tilestrike::bridge

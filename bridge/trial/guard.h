// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Checks of a layer's accumulators, between the mesh and requantisation: what protects a network
// beside ECC (docs/architecture.md, "Guards").
#pragma once

#include <memory>
#include <span>
#include <string>

#include "bridge/effects/splice.h"
#include "bridge/layout/tiling.h"

namespace tilestrike::bridge {

class Guard {
 public:
  /// nullptr: nothing checks.
  static std::unique_ptr<Guard> make(GuardKind kind);
  virtual ~Guard() = default;

  /// What it finds wrong of a layer, for people; empty: nothing. `changes`: what the accumulators
  /// are more than the layer's operands, as they were written, would give. Sorted, no zeros.
  virtual std::string find(const GemmShape& layer,
                           std::span<const AccumulatorDelta> changes) const = 0;
  /// Multiply-accumulates that it takes of a layer, over the layer's own.
  virtual double overhead(const GemmShape& layer) const = 0;
};

/// The sum of each column of a layer's product, modulo 2^32, against the product of the sums of the
/// activations with the column's weights (Huang and Abraham, IEEE Trans. Computers C-33(6), 1984,
/// with column checksums alone). The checker has operands of its own, as they were written, and is
/// not struck: what it misses are changes of one column that cancel out.
class ColumnSums final : public Guard {
 public:
  std::string find(const GemmShape& layer,
                   std::span<const AccumulatorDelta> changes) const override;
  double overhead(const GemmShape& layer) const override {
    return 1.0 / static_cast<double>(layer.rows);
  }
};

}  // namespace tilestrike::bridge

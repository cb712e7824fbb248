// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Jobs for the mesh with random operands, and the plain matrix product that they must give.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <ostream>
#include <vector>

#include "base/random.h"
#include "sim/mesh/arithmetic.h"
#include "sim/mesh/engine.h"

namespace tilestrike::sim {

/// What operands are drawn from: all values, or the ends of their range and zero.
enum class Draw { kUniform, kExtreme };

/// Random operands of every pass of a run, within the passes' shapes.
class RandomOperands final : public Operands {
 public:
  RandomOperands(const MeshRun& run, RandomStream& random, Draw draw = Draw::kUniform)
      : config_(run.config()), draw_(draw) {
    for (const PassShape& shape : run.passes()) {
      Pass pass{shape, {}, {}, {}};
      fill(pass.activations, shape.rows * shape.depth, random);
      fill(pass.weights, shape.depth * shape.columns, random);
      fill(pass.accumulators, shape.rows * shape.columns, random);
      passes_.push_back(std::move(pass));
    }
  }

  void activations(int pass, int first, int count, std::int8_t* out) const override {
    const Pass& from = passes_[static_cast<std::size_t>(pass)];
    const bool ws = config_.is_weight_stationary();
    for (int n = 0; n < count; ++n) {
      for (int r = 0; r < (ws ? from.shape.depth : from.shape.rows); ++r) {
        out[n * config_.rows + r] =
            ws ? activation(pass, first + n, r) : activation(pass, r, first + n);
      }
    }
  }
  void weights(int pass, int first, int count, std::int8_t* out) const override {
    for (int n = 0; n < count; ++n) {
      for (int c = 0; c < passes_[static_cast<std::size_t>(pass)].shape.columns; ++c) {
        out[n * config_.columns + c] = weight(pass, first + n, c);
      }
    }
  }
  void accumulators(int pass, int first, int count, std::int32_t* out) const override {
    for (int n = 0; n < count; ++n) {
      for (int c = 0; c < passes_[static_cast<std::size_t>(pass)].shape.columns; ++c) {
        out[n * config_.columns + c] = accumulator(pass, first + n, c);
      }
    }
  }

  std::int8_t activation(int pass, int row, int depth) const {
    const Pass& from = passes_[static_cast<std::size_t>(pass)];
    return from.activations[static_cast<std::size_t>(row * from.shape.depth + depth)];
  }
  std::int8_t weight(int pass, int depth, int column) const {
    const Pass& from = passes_[static_cast<std::size_t>(pass)];
    return from.weights[static_cast<std::size_t>(depth * from.shape.columns + column)];
  }
  std::int32_t accumulator(int pass, int row, int column) const {
    const Pass& from = passes_[static_cast<std::size_t>(pass)];
    return from.accumulators[static_cast<std::size_t>(row * from.shape.columns + column)];
  }

  /// accumulators + activations x weights, in the order of the mesh.
  std::vector<std::int32_t> product(int pass) const {
    const PassShape& shape = passes_[static_cast<std::size_t>(pass)].shape;
    std::vector<std::int32_t> result;
    for (int i = 0; i < shape.rows; ++i) {
      for (int j = 0; j < shape.columns; ++j) {
        std::int32_t sum = accumulator(pass, i, j);
        for (int k = 0; k < shape.depth; ++k) {
          sum = sum_of(sum, std::int64_t{activation(pass, i, k)} * weight(pass, k, j),
                       config_.overflow);
        }
        result.push_back(sum);
      }
    }
    return result;
  }

 private:
  struct Pass {
    PassShape shape;
    std::vector<std::int8_t> activations, weights;
    std::vector<std::int32_t> accumulators;
  };

  template <class Number>
  void fill(std::vector<Number>& numbers, int count, RandomStream& random) {
    constexpr Number kEnds[] = {std::numeric_limits<Number>::min(),
                                std::numeric_limits<Number>::max(), 0};
    for (int i = 0; i < count; ++i) {
      numbers.push_back(draw_ == Draw::kExtreme ? kEnds[random.below(3)]
                                                : static_cast<Number>(random.next()));
    }
  }

  MeshConfig config_;
  Draw draw_;
  std::vector<Pass> passes_;
};

/// A pass of random shape that fits the mesh, edge tiles included.
inline PassShape random_shape(const MeshConfig& config, RandomStream& random, int longest) {
  const auto upto = [&](int most) {
    return 1 + static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(most)));
  };
  return config.is_weight_stationary()
             ? PassShape{upto(longest), upto(config.rows), upto(config.columns)}
             : PassShape{upto(config.rows), upto(longest), upto(config.columns)};
}

inline std::vector<MeshConfig> all_configs(int rows, int columns) {
  std::vector<MeshConfig> all;
  for (const Dataflow dataflow : {Dataflow::kWeightStationary, Dataflow::kOutputStationary}) {
    for (const Preload preload : {Preload::kOverlapped, Preload::kSerial}) {
      for (const Overflow overflow : {Overflow::kWrap, Overflow::kSaturate}) {
        all.push_back({rows, columns, dataflow, overflow, preload});
      }
    }
  }
  return all;
}

inline RegisterFault flip_of(std::uint64_t site, Cycle cycle) {
  return {SiteId(site), FaultKind::kFlip, {cycle, cycle + 1}};
}

inline std::ostream& operator<<(std::ostream& out, const OutputChange& change) {
  return out << "pass " << change.pass << " (" << change.row << ", " << change.column << ") by "
             << change.delta();
}

}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The operands of a layer's passes, cut from its input on demand: im2col as addressing, so that a
// struck pass touches only the patch that it needs. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <vector>

#include "bridge/layout/tiling.h"
#include "sim/mesh/engine.h"

namespace tilestrike::bridge {

/// Where the elements that a layer's passes read lie in its input: of a layer, for all inferences.
class OperandPlaces {
 public:
  /// `tiling` must outlive this object.
  OperandPlaces(const Tiling& tiling, const sim::MeshConfig& mesh);

 private:
  friend class LayerOperands;
  struct DepthPlace {  // where depth k of a group lies, relative to an output position's corner
    std::int64_t offset;
    std::int64_t dy, dx;
  };
  const Tiling& tiling_;
  const GemmShape& gemm_;
  sim::MeshConfig mesh_;
  std::vector<DepthPlace> by_depth_;
  std::int64_t reach_y_ = 0, reach_x_ = 0;
};

/// The operands of one inference. Cheap to make and to copy.
class LayerOperands final : public sim::Operands {
 public:
  /// `input`: int8, contiguous: (C, H, W) of a convolution, (groups, rows, depth) of a product,
  /// (rows, depth) else; may be null where only weights are read. `weights`: int8, (groups *
  /// columns) x depth. `bias`: int32 (groups * columns), or null. All on the host; everything must
  /// outlive this object.
  LayerOperands(const OperandPlaces& places, const std::int8_t* input, const std::int8_t* weights,
                const std::int32_t* bias)
      : places_(&places), input_(input), weights_(weights), bias_(bias) {}

  void activations(int pass, int first, int count, std::int8_t* out) const override;
  void weights(int pass, int first, int count, std::int8_t* out) const override;
  void accumulators(int pass, int first, int count, std::int32_t* out) const override;
  void activation_lane(const sim::MeshConfig& mesh, int pass, int lane, int first, int count,
                       std::int8_t* out) const override;
  void weight_column(const sim::MeshConfig& mesh, int pass, int column, int first, int count,
                     std::int8_t* out) const override;
  std::int32_t accumulator(const sim::MeshConfig& mesh, int pass, int row,
                           int column) const override;

  /// A[row][depth] of one group: zero where a convolution's padding is.
  std::int8_t activation(std::int64_t group, std::int64_t row, std::int64_t depth) const;
  std::int8_t weight(std::int64_t group, std::int64_t depth, std::int64_t column) const;
  std::int32_t bias(std::int64_t group, std::int64_t column) const;

 private:
  using DepthPlace = OperandPlaces::DepthPlace;
  struct Corner {  // of an output position's patch
    std::int64_t y, x;
    std::int64_t offset;
    bool is_inside;  // the whole patch lies in the image
  };
  Corner corner(std::int64_t group, std::int64_t row) const;
  std::int8_t at(const Corner& corner, const DepthPlace& place) const;

  const OperandPlaces* places_;
  const std::int8_t* input_;
  const std::int8_t* weights_;
  const std::int32_t* bias_;
};

}  // namespace tilestrike::bridge

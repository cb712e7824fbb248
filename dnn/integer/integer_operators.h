// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The kernels of integer layers other than the matrix layers (docs/integer_network.md has their
// arithmetic). Each reads its operands from the layer's arguments, in order.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "dnn/integer/kernels.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

using KernelPointer = std::shared_ptr<const Kernel>;

/// Real numbers -> int8, and back to real numbers of a type.
KernelPointer make_quantise(Quantisation quantisation);
KernelPointer make_dequantise(Quantisation quantisation,
                              c10::ScalarType type = c10::ScalarType::Float);

/// From int8, or sums of it, to int8 of another scale and zero point.
struct Rescaling {
  FixedPoint ratio;    // with the result's zero point
  int input_zero = 0;  // of each element
};
KernelPointer make_requantise(const Rescaling& rescaling);

/// A residual addition; a fused ReLU is in `clamp`.
KernelPointer make_addition(const ScaledAddition& ratios, Clamp clamp);

/// An activation of its own; the scale stays.
KernelPointer make_clamp(Clamp clamp);

struct PoolWindow {
  std::array<std::int64_t, 2> kernel{1, 1}, stride{1, 1}, padding{0, 0}, dilation{1, 1};
  bool ceil_mode = false;
};
/// The scale stays.
KernelPointer make_max_pool2d(const PoolWindow& window);

/// Windows whose sums float32 holds exactly (at most kMostPooled elements), neither dilated nor in
/// ceil mode; zeros of the padding count. The ratio contains the division.
inline constexpr std::int64_t kMostPooled = (std::int64_t{1} << 24) / 256;
KernelPointer make_average_pool2d(const PoolWindow& window, const Rescaling& rescaling);

/// The mean over some dimensions of at most 2^23 elements; the ratio contains the division.
inline constexpr std::int64_t kMostAveraged = std::int64_t{1} << 23;
KernelPointer make_mean(std::vector<std::int64_t> dimensions, bool keep_dimensions,
                        const Rescaling& rescaling);

/// One per operand; none: it is quantised as the result is.
KernelPointer make_concatenation(std::int64_t dimension,
                                 std::vector<std::optional<Rescaling>> rescalings);

/// One that a float layer reads in an integer network.
struct IslandInput {
  std::size_t position = 0;   // among the inputs of the layer in the integer network
  Quantisation quantisation;  // int8: it is dequantised to `type`, else it stays as it is
  c10::ScalarType type = c10::ScalarType::Float;
};

/// A float layer as it is, in an integer network: int8 inputs are dequantised, outputs quantised.
/// `inner` numbers its values: its inputs, in the order of `inputs`, then its outputs.
KernelPointer make_float_island(Layer inner, std::vector<IslandInput> inputs,
                                std::vector<Quantisation> outputs);

}  // namespace tilestrike::dnn

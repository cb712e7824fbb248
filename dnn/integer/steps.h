// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A float network read as the steps of an integer network: constants computed, batch norm folded,
// activations fused. Scales are not yet chosen, but those that the network brings (PT2E) are found.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dnn/integer/calibrate.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/integer/integer_operators.h"
#include "dnn/network.h"
#include "dnn/roles.h"

namespace tilestrike::dnn {

/// An activation's bounds in real numbers; of ReLU 0 and infinity.
struct RealClamp {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// A convolution or linear layer with float weights w[o][k] * factor[o].
struct FloatMatrix {
  MatrixShape shape;
  at::Tensor weight;  // float32, contiguous, on the CPU; (O, ...) as MatrixKernel takes it;
                      // weights of another type are rounded to float32 once
  std::vector<double> factor;  // (O), of a folded batch norm
  std::vector<double> bias;    // (O)
  // Where the weights come from: the stored tensors that they are computed from, and the one
  // parameter of their size among these; empty: there is none, or several.
  std::vector<ValueId> origin, bias_origin;
  std::string weight_name, bias_name;
  // Of a network that is quantised already: its int8 weights, and their scales (O).
  at::Tensor stored;
  std::vector<double> stored_scale;
};

struct Step {
  enum class Kind {
    kMatrix,         // int8 in; int8 or float out
    kProduct,        // of two int8 values; int8 or float out
    kAddition,       // int8 in and out
    kAveragePool,    // int8 in and out
    kMean,           // int8 in and out
    kConcatenation,  // int8 in and out
    kClamp,          // int8 to int8, or float to float: the scale stays
    kMaxPool,        // int8 to int8, or float to float: the scale stays
    kMove,           // elements move, as in flatten: int8 to int8, or float to float
    kConversion,     // real numbers of another type: the same int8, or float to float
    kFloat,          // float in and out
    kSize,           // reads a shape: no elements
    // Of a network that is quantised already:
    kQuantise,    // float or int8 in; int8 as `output` says
    kDequantise,  // its output is its int8 input under another name
  };

  Kind kind = Kind::kFloat;
  const Layer* layer = nullptr;  // the float layer, which names the step
  std::vector<ValueId>
      inputs;  // operands; of kFloat, kMove and kSize all values that it computes from
  std::vector<ValueId> outputs;
  std::vector<std::string> notes;

  FloatMatrix matrix;
  std::array<std::int64_t, 3> product{1, 1, 1};  // rows, depth, columns of kProduct
  std::optional<RealClamp> clamp;                // of kClamp, or fused
  PoolWindow window;                             // of kMaxPool and kAveragePool
  std::int64_t averaged = 1;                     // elements of a mean, of kAveragePool and kMean
  std::vector<std::int64_t> dimensions;          // of kMean and kConcatenation
  bool keep_dimensions = false;                  // of kMean
  Quantisation output;  // of kQuantise, and where the network brings it; else not int8
};

/// Steps that compute on int8 whatever reads them.
bool is_integer_only(Step::Kind kind);

struct Steps {
  std::vector<Step> steps;
  Values constants;                     // by ValueId of the float network, with those computed here
  std::map<ValueId, ConstantUse> uses;  // of the float network's constants
};

/// The parameter that a constant of the network is, or is computed from: the one of its role and
/// size; empty: there is none, or several.
std::string parameter_name(const Network& network, const Steps& steps, ValueId constant,
                           TensorRole role);

/// The steps of a network; `network` must outlive them.
Steps steps_of(const Network& network, const std::vector<ValueStatistics>& statistics);

}  // namespace tilestrike::dnn

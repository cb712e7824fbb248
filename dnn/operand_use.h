// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What operators do with their operands, as far as the roles of stored tensors go (dnn/roles.h).
// An operator that is not known here is taken to compute element by element.
#pragma once

#include <cstdint>
#include <string_view>

namespace tilestrike::dnn {

/// What an operator does with its operands, as far as roles go.
enum class Does {
  kProduct,      // sums of products: what is trained in there is a weight
  kLookup,       // takes elements at indices from its first operand
  kNormalise,    // to zero mean or unit variance; its other operands are scale, shift, statistics
  kMultiply,     // element by element
  kDivide,       // the first operand by the second
  kAdd,          // or subtract
  kRoot,         // of a variance or a sum of squares
  kMove,         // the elements stay what they are: views, casts, copies, parts
  kFire,         // neurons over ticks: the first operand is currents, the others parameters
  kReadShape,    // no element is read
  kReadShapeOf,  // of all but the first operand no element is read
  kOther,
};

/// Of the short name of an operator: whether what it gives is elements of its operand, each as it
/// is, and padding.
bool moves_elements(std::string_view name);

/// What a value is wanted as; a later one outweighs an earlier one.
enum class Demand { kNone, kBuffer, kParameter, kNormalisation, kBias, kWeight };

/// Of the short name of an operator: "conv2d".
Does does_of(std::string_view name);

/// An argument that says which elements are meant, not what they are.
bool is_index(std::string_view argument);
/// An argument that is the scale or the zero point of stored integers.
bool is_scale(std::string_view argument);

/// What an operand of a product, of so many dimensions, is to it.
Demand demand_in_product(std::string_view op, std::string_view argument, std::int64_t dimensions);

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The operators that a convolutional network calls most, called without boxing and with their
// constants at hand: where the caches are cold, a boxed call costs a microsecond, 4 % of a small
// network. All other operators do without.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "dnn/network.h"

namespace tilestrike::dnn {

/// For the layer it was made for and for copies of it whose values have other ids: it reads them
/// through layer.inputs, of which there must be as many. The constants among the arguments are in
/// the call.
using DirectCall = std::function<at::Tensor(const Layer& layer, const Values& values)>;

/// Empty: there is none for the layer's target, or its arguments do not suit one (computed sizes,
/// numbers in place of tensors).
DirectCall direct_call(const Layer& layer);

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which elements of a layer's input reach a neuron, and by which weight: addressing alone.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

/// Called with the index of an input, row-major in the layer's input, and of a weight, in those of
/// the one step that has any. An input that lies in several windows of a sum comes several times.
using VisitTap = std::function<void(std::int64_t input, std::int64_t weight)>;

/// Visits all taps of a neuron of a layer whose steps are sums and flatten, one with weights, and
/// flatten. What lies in the padding is none.
void visit_taps(const std::vector<SynapseStep>& steps, std::int64_t neuron, const VisitTap& visit);

/// The step with weights.
const SynapseStep& product_of(const std::vector<SynapseStep>& steps);

/// The row (linear) or channel (conv2d) of the weights that a neuron has.
std::int64_t output_of(const SynapseStep& product, std::int64_t neuron);

/// Whether an input may lie in several windows of a sum.
bool has_overlap(const std::vector<SynapseStep>& steps);

}  // namespace tilestrike::dnn

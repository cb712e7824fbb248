// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Whether a spiking network is one that can be computed, in floats and in integers.
#pragma once

#include <string>

#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

/// Every layer has its weights in one step, before which sums and averages stand; all numbers are
/// finite, no time step is longer than a tau, only spikes go on to the next layer, and the last
/// layer gives the answer that is asked for. Throws Failure with all errors, which name the node;
/// `where` is the file, or empty.
void check_spiking_model(const SpikingModel& model, const std::string& where);

/// Whether the neurons can only add up what comes: the network ended in weights, and got neurons
/// without a leak, whose threshold is infinite.
bool never_fires(const FloatNeurons& neurons);

/// "(2, 34, 34)".
std::string sizes_text(const Sizes& sizes);

}  // namespace tilestrike::dnn

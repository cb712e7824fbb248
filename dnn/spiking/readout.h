// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The answer of a spiking network: what of its last neurons becomes logits.
#pragma once

#include <memory>

#include "dnn/network.h"
#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

/// (ticks, images, neurons...) -> float32 (images, sizes...): `factor` times the membrane after the
/// last tick, the number of spikes, or T less the first tick with a spike, 0 where there is none.
/// The layer's input is membranes or spikes; int8, int32 or float32.
std::shared_ptr<const Kernel> make_readout(Readout readout, double factor, Sizes sizes);

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Sum and average pooling of the layers of a spiking network.
#pragma once

#include <memory>

#include "dnn/network.h"
#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

/// Of a pooling step, on (ticks, images, channels, lines, columns), padding with zeros that count.
/// int8: sums, which must fit (spiking_network.cpp looks). float32: summed line by line, each sum
/// rounded; an average is the sum divided by the window's size.
std::shared_ptr<const Kernel> make_spike_pooling(const SynapseStep& step);

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Layers of a spiking network that change no element.
#pragma once

#include <memory>

#include "dnn/network.h"
#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

/// Images (N, sizes...) -> the same numbers as of one tick, (1, N, sizes...). Its run throws
/// Failure for images of other sizes.
std::shared_ptr<const Kernel> make_one_tick(Sizes sizes);

/// (ticks, images, ...) -> (ticks, images, sizes...).
std::shared_ptr<const Kernel> make_flatten(Sizes sizes);

/// Throws Failure where images (N, ...) do not have these sizes.
void check_images(const at::Tensor& images, const Sizes& sizes);

}  // namespace tilestrike::dnn

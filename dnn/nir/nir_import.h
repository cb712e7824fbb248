// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// From a NIR file and its side file to a spiking network (docs/spiking.md, "NIR files").
#pragma once

#include <string>

#include "dnn/spiking/settings.h"
#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

/// `path`: NAME.nir; NAME.spiking.yaml lies beside it. A network that ends in weights gets neurons
/// that add up what comes: IF with r = 1 per time step and an infinite threshold. Throws Failure,
/// which names the node, or the key of the side file, and the cure.
SpikingModel import_nir(const std::string& path, const SpikingOverrides& overrides = {});

}  // namespace tilestrike::dnn

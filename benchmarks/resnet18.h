// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// ResNet-18 (He et al., CVPR 2016) with drawn weights: 11.7 million parameters, made by hand so
// that a benchmark needs no Python.
#pragma once

#include "dnn/network.h"

namespace tilestrike::dnn {

/// Takes float32 (N, 3, H, W), gives (N, 1000).
Network make_resnet18();

}  // namespace tilestrike::dnn

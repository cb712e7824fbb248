// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// ResNet-18 and ResNet-50 (He et al., CVPR 2016) with drawn weights: 11.7 and 25.6 million
// parameters, made by hand so that a benchmark needs no Python.
#pragma once

#include "dnn/network.h"

namespace tilestrike::dnn {

/// They take float32 (N, 3, H, W) and give (N, 1000).
Network make_resnet18();
Network make_resnet50();

}  // namespace tilestrike::dnn

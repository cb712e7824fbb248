// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A network and one image that it takes, for questions that no data answer: its shapes, layers and
// schedule.
#pragma once

#include "bridge/study/study.h"
#include "dnn/inputs.h"
#include "dnn/network.h"

namespace tilestrike::bridge {

/// Imported on the host, whatever device the source names.
dnn::Network network_on_cpu(NetworkSource source);
dnn::Inputs made_up_image(const dnn::Network& network);

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The slow way, for proof: one inference with all tiles of all layers through an engine, the
// registers carried from layer to layer, with or without faults.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/fault.h"
#include "bridge/schedule/mapping.h"

namespace tilestrike::bridge {

struct FullRun {
  dnn::Tape tape;  // every value and every accumulator, as the simulated hardware gave them
  std::int64_t passes = 0;
};

/// One inference that follows a fault-free one. `image`: float32 (1, ...).
FullRun simulate_all(const dnn::Network& network, const Mapping& mapping, sim::MeshEngine& engine,
                     const dnn::Inputs& image, std::span<const RegisterFault> faults = {});

}  // namespace tilestrike::bridge

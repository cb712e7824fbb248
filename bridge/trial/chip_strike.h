// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A struck chip of neuromorphic cores, for observers. No LibTorch in this header.
#pragma once

#include "sim/chip/chip_result.h"
#include "sim/chip/chip_run.h"

namespace tilestrike::bridge {

/// All of it lives for the call.
struct ChipStrike {
  const sim::ChipRun& run;
  const sim::ChipJob& job;
  const sim::ChipResult& result;
};

}  // namespace tilestrike::bridge

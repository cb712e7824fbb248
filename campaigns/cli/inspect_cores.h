// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// `tilestrike inspect` of a spiking network on neuromorphic cores.
#pragma once

#include <string>

#include "bridge/study/inspect_cores.h"

namespace tilestrike::campaigns::cli {

std::string text_of_cores(const bridge::CoresSummary& summary,
                          const bridge::AcceleratorConfig& accelerator);
std::string json_of_cores(const bridge::CoresSummary& summary);

}  // namespace tilestrike::campaigns::cli

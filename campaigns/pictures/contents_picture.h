// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A picture of what an accelerator's memories hold over one inference: cycles to the right,
// addresses down, a colour for each layer, dead space grey.
#pragma once

#include <string>

#include "bridge/exposure/memory_contents.h"
#include "campaigns/pictures/svg.h"

namespace tilestrike::campaigns {

SvgPicture draw_contents(const bridge::InferenceContents& contents, const std::string& title);

/// Share of a memory's byte-cycles over one period that hold something still to be read.
double live_share(const bridge::MemoryContents& memory, Cycle period);

}  // namespace tilestrike::campaigns

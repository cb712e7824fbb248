// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The schedule's loads as spans of address and time (bridge/exposure/memory_contents.h).
#pragma once

#include <string>
#include <vector>

#include "bridge/exposure/memory_contents.h"
#include "bridge/schedule/schedule.h"

namespace tilestrike::bridge {

/// `schedule` has memories. `answer`: the stored tensor that is read when the inference has ended.
InferenceContents contents_of(const Schedule& schedule, std::vector<std::string> layer_names,
                              int answer);

}  // namespace tilestrike::bridge

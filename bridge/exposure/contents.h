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

/// How many codewords of a memory hold what stays over inferences and is read by each, and how many
/// others what each inference writes and reads. What nobody reads is in neither.
struct CodewordsInUse {
  std::uint64_t resident = 0, renewed = 0;
};
CodewordsInUse codewords_in_use(const MemoryContents& contents, Cycle period,
                                std::int64_t codeword_bytes);

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the memories of an accelerator hold over one inference of a network, load by load, for
// pictures. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "bridge/accelerator/accelerator.h"
#include "bridge/words/network_source.h"

namespace tilestrike::bridge {

/// Bytes that hold something that is still to be read: a strike in a cycle from `from` on and
/// before `until` can meet a reader.
struct ContentSpan {
  std::int64_t address = 0, bytes = 0;
  Cycle from = 0;   // the first of them is written
  Cycle until = 0;  // the last of them is read
  sim::MemoryContent kind = sim::MemoryContent::kWeights;
  std::size_t layer = 0;   // that reads them, or, of a tensor in the backing memory, computes it
  std::string what;        // "tile 3", "block 0", a tensor's name
  bool is_fetched = true;  // by an inference; else a constant that waits for the next boot
};

struct MemoryContents {
  std::string name;  // of the memory
  std::int64_t capacity_bytes = 0;
  std::vector<ContentSpan> spans;  // by kind, then by time of loading
};

struct InferenceContents {
  std::vector<MemoryContents> memories;  // as in the accelerator's file
  std::vector<std::string> layers;
  Cycle period = 0;  // from one inference to the next
};

/// Of one inference with the accelerator's schedule. Images as for inspect(). Throws Failure where
/// the accelerator has no memories.
InferenceContents inspect_memories(const NetworkSource& source,
                                   const AcceleratorConfig& accelerator);

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which constants of a network show the same memory: tied weights, and parts of one weight.
#pragma once

#include <vector>

#include "dnn/network.h"

namespace tilestrike::dnn {

/// Constants of which each shares memory with another one, and all of that memory.
struct SharedMemory {
  at::Tensor whole;              // dense
  ValueId name{-1};              // the constant that is the whole, else the first one
  std::vector<ValueId> members;  // in the order in which they were given
};

/// Groups the constants by their memory: every word belongs to one group. A constant that is not
/// dense is brought into memory of its own. Throws Failure for constants of different types in one
/// memory, or of which a part has gaps that no other one fills.
std::vector<SharedMemory> shared_memories(Network& network, const std::vector<ValueId>& constants);

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A memory as a study knows it.
#pragma once

#include <cstdint>
#include <string>

#include "sim/memory/memory_config.h"

namespace tilestrike::bridge {

/// A memory of a study's accelerator.
struct StudyMemory {
  std::string name;
  sim::MemoryConfig config;
  std::uint64_t used_codewords = 0;  // all that ever hold anything come before this one
  /// Codewords whose content stays over inferences, each of which reads it, and others that each
  /// inference writes and reads. What remains of the memory holds nothing that an inference reads.
  std::uint64_t resident_codewords = 0, renewed_codewords = 0;
};

}  // namespace tilestrike::bridge

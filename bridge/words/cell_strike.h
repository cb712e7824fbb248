// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strikes on memory cells and on words within one inference.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/ids.h"
#include "sim/memory/array_geometry.h"
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

/// A fault of one memory cell. A flip acts once, just after the clock edge of cycle `when.from`; a
/// stuck-at holds the cell over `when`.
struct CellFault {
  std::size_t memory = 0;  // of Study::memories()
  sim::CodewordBit bit;
  FaultKind kind = FaultKind::kFlip;  // never kRandom: the caller draws it
  CycleWindow when;
};

/// Where the scrubber of each memory is when the struck inference begins: so many cycles into a
/// round, 0 .. period - 1; nothing where none comes by. By memory of Study::memories(); may be
/// empty where no memory has a scrubber.
using ScrubPhases = std::vector<std::optional<Cycle>>;

/// Cells struck within one inference of one image; cycles count as in Study::strike().
struct CellStrike {
  std::span<const CellFault> faults;                   // sorted by memory, then bit, no cell twice
  std::span<const std::optional<Cycle>> scrub_phases;  // of ScrubPhases
};

/// Faults on the activations of one inference of one image.
struct WordStrike {
  ImageId image;
  std::vector<WordFault> faults;  // normalised (base/fault.h), each word once
};

}  // namespace tilestrike::bridge

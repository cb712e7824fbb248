// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Whether two engines found the same of a job, and where they part.
#pragma once

#include <optional>
#include <string>

#include "sim/mesh/engine.h"

namespace tilestrike::sim {

/// The first thing in which two results of a job differ.
struct EngineDifference {
  enum class What { kOutput, kActivated, kStruckWord, kCycles, kEndState };
  What what = What::kOutput;
  std::int32_t pass = -1, row = -1, column = -1;  // of kOutput: the first result that differs
  std::string text;                               // of the other against the expected
};
/// "output", "activated", "struck_word", "cycles", "end_state".
std::string_view name_of(EngineDifference::What what);

/// Looks at changes and outputs, `activated`, the struck word, the cycles and, where `has_end` says
/// so, at the end states. How many windows an engine looked at is its own affair.
std::optional<EngineDifference> difference_of(const MeshResult& expected, const MeshResult& other,
                                              bool has_end, int mesh_columns);

/// The same of two results of a job, in words. Empty: nothing.
std::string first_difference(const MeshJob& job, const MeshResult& expected,
                             const MeshResult& other);

/// "flip of partial_sum[3][5] bit 12 at state 17" for each fault of a job.
std::string text_of_faults(const MeshJob& job, const MeshSites& sites);

}  // namespace tilestrike::sim

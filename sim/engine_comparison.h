// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Whether two engines found the same of a job, and where they part.
#pragma once

#include <string>

#include "sim/engine.h"

namespace tilestrike::sim {

/// The first thing in which two results of a job differ, in words: a result of a pass, `activated`,
/// the struck word, the cycles, the end state. Empty: nothing. How many windows an engine looked at
/// is its own affair.
std::string first_difference(const MeshJob& job, const MeshResult& expected,
                             const MeshResult& other);

/// "flip of partial_sum[3][5] bit 12 at state 17" for each fault of a job.
std::string text_of_faults(const MeshJob& job, const MeshSites& sites);

}  // namespace tilestrike::sim

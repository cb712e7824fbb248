// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The program `tilestrike`, for whatever engines it has.
#pragma once

#include "sim/mesh/engine_set.h"

namespace tilestrike::campaigns::cli {

/// Parses the command line, runs the command, and turns errors into text; the exit code. --load
/// adds to the engines.
int run_program(int argc, char** argv, sim::EngineSet engines);

}  // namespace tilestrike::campaigns::cli

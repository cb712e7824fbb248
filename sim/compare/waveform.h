// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A struck run of the mesh as a waveform: every register by name, in a value change dump
// (IEEE 1364, clause 18), which GTKWave and other viewers read.
#pragma once

#include <string>

#include "sim/mesh/engine.h"
#include "sim/mesh/mesh_machine.h"

namespace tilestrike::sim {

/// At most so many states are written.
inline constexpr Cycle kMostStatesInWaveform = 1000;

/// Steps two machines that are as after reset from a window's first wavefront on, one of them with
/// the job's faults, and writes the registers and collected results of both: scopes ENGINE.golden
/// and ENGINE.faulty, in them pe_R_C, skew_row_R, skew_column_C and below_C. Time is the state of
/// the run, 1 ns each; `struck` is 1 in states in which a fault acts. It begins R + C states before
/// the first fault and ends R + C states after all registers are golden again, or once
/// kMostStatesInWaveform are written. Throws Failure when the file cannot be written.
void write_waveform(const std::string& path, const std::string& engine, const MeshJob& job,
                    const MeshSites& sites, int first_window, MeshMachine& golden,
                    MeshMachine& faulty);

}  // namespace tilestrike::sim

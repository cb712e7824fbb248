// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A struck core as a waveform: its registers by name, the words of its running state, and the words
// that are struck, in a value change dump (IEEE 1364, clause 18), which GTKWave and other viewers
// read.
#pragma once

#include <span>
#include <string>

#include "base/fault.h"
#include "sim/core/core_machine.h"
#include "sim/core/core_run.h"

namespace tilestrike::sim {

/// At most so many edges are written.
inline constexpr Cycle kMostEdgesInWaveform = 4000;

/// Steps two machines from the begin of the tick of the first fault on, one of them with the
/// faults, and writes both: scopes ENGINE.golden and ENGINE.faulty. Time is the cycle of the golden
/// inference, 1 ns each; it ends where all storage agrees again at the begin of a tick and no fault
/// is left, with the inference, or once kMostEdgesInWaveform are written. Throws Failure where the
/// file cannot be written.
void write_core_waveform(const std::string& path, const std::string& engine, const CoreRun& run,
                         std::span<const RegisterFault> faults, CoreMachine& golden,
                         CoreMachine& faulty);

}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A dump of one trial, as who looks on while it runs. No LibTorch in this header.
#pragma once

#include <memory>
#include <string>

#include "bridge/trial/run_observer.h"

namespace tilestrike::bridge {

/// Writes into a folder when the trial has ended; it is made at once, to know in time whether it
/// can be: layers.json, faulty.json and, of strikes on the mesh, struck_pass.json, of strikes on
/// tensors struck_words.json (bridge/study/dump.h). Throws Failure (kMachine) when it cannot.
std::unique_ptr<RunObserver> dump_of_trial(const std::string& folder);

}  // namespace tilestrike::bridge

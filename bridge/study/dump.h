// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Dumps that an outsider checks with NumPy alone (python/check_dump.py): every layer's operands,
// accumulators and outputs, and the struck pass of a trial.
#pragma once

#include <string>
#include <vector>

#include "bridge/schedule/mapping.h"
#include "bridge/trial/trial.h"

namespace tilestrike::bridge {

/// Makes the folder. Throws Failure (kMachine) when it cannot.
void make_folder(const std::string& folder);

/// layers.json and one .npy per array: name, kind and geometry of each layer, its input, weight,
/// bias, accumulators, requantisation constants and output.
void dump_layers(const std::string& folder, const dnn::Network& network, const dnn::Tape& tape);

/// struck_pass.json: activations (M, K), weights (K, N), accumulators_in (M, N), golden and faulty
/// results (M, N) of the first pass whose results differ (else of the pass that was struck), and
/// faulty.json: accumulators and output of each struck layer that differ from golden.
void dump_struck(const std::string& folder, const dnn::Network& network, Mapping& mapping,
                 const TrialResult& result, const std::vector<StruckLayer>& struck);

}  // namespace tilestrike::bridge

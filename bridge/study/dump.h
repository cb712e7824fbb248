// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Dumps that an outsider checks with NumPy alone (python/check_dump.py): every layer's operands,
// accumulators and outputs, and the struck pass of a trial.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/schedule/mapping.h"
#include "bridge/study/word_run.h"

namespace tilestrike::bridge {

/// Makes the folder. Throws Failure (kMachine) when it cannot.
void make_folder(const std::string& folder);

/// layers.json and one .npy per array: name, kind and geometry of each layer, its input, weight,
/// bias, accumulators, requantisation constants and output.
void dump_layers(const std::string& folder, const dnn::Network& network, const dnn::Tape& tape);

/// struck_words.json: of each struck tensor the numbers of its struck words, what their faults keep
/// and flip, and of constants the words before and after (int64 arrays).
void dump_words(const std::string& folder, const WordRun& run);

/// A layer that a trial has struck.
struct StruckLayer {
  std::size_t layer = 0;
  std::optional<BoundLayer> bound;  // on the mesh, with what it has read
  at::Tensor accumulators;          // faulty; undefined when they equal golden, and beside it
  at::Tensor output;                // faulty; undefined when it equals golden
  std::vector<sim::OutputChange> changes;  // of its passes, where they were simulated
};

/// faulty.json: accumulators and output of each struck layer that differ from golden. Where passes
/// of the mesh were struck, struck_pass.json: activations (M, K), weights (K, N), accumulators_in
/// (M, N), golden and faulty results (M, N) of the first pass whose results differ, else of pass
/// `met` of the first layer (-1: none).
void dump_struck(const std::string& folder, const dnn::Network& network,
                 const std::vector<StruckLayer>& struck, std::int64_t met);

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the user's files give to the inputs of a network.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/input_files.h"
#include "dnn/data.h"
#include "dnn/inputs.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

struct InputData {
  Inputs inputs;
  at::Tensor labels;                  // as in DataSet
  std::string labels_path;            // empty: there are none
  bool are_labels_of_images = false;  // they came with a data set, and nobody named them
  std::int64_t total = 0;             // rows that the files have
};

/// The chosen rows of the file of each input. Inputs of float32 are images, as in
/// load_data; all others are numbers of tokens, masks and the like: a .npy of integers or of bool,
/// taken as they are. `labels` may be empty. Throws Failure, as load_data does, and: another number
/// of files than of inputs, a name that is no input's, files of different lengths, numbers that the
/// input's type cannot hold. `model` is the network's file, for messages.
InputData load_inputs(const Network& network, const std::string& model, const InputFiles& files,
                      const std::string& labels, RowChoice choice = {});

/// For a model that does not say what types its inputs have: float32, where the file has floating
/// point or images, else the file's own.
struct NamedInput {
  std::string name;  // as in the file list; empty: by its place
  at::Tensor rows;
};
std::vector<NamedInput> load_untyped(const InputFiles& files, RowChoice choice = {});

/// Which of the given names is that of each input: by name, or all by their places. Throws Failure
/// where they do not fit; `described` are the inputs for its message.
std::vector<std::size_t> files_by_input(const std::vector<std::string>& given,
                                        const std::vector<std::string>& inputs,
                                        const std::vector<std::string>& described,
                                        const std::string& model);

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A study whose faults strike the words of tensors: weights, activations and what else a network
// stores. It needs no accelerator (docs/tensor_faults.md).
#pragma once

#include <memory>

#include "bridge/study/study.h"

namespace tilestrike::bridge {

/// Imports the network, stores it in the format that is asked for, and runs the golden inference of
/// all images twice. Throws Failure for anything that is wrong with the inputs.
std::unique_ptr<Study> open_tensor_study(const StudyInputs& inputs);

}  // namespace tilestrike::bridge

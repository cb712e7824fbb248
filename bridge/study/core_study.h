// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The study of a spiking network on a chip of neuromorphic cores.
#pragma once

#include <memory>

#include "bridge/study/study.h"

namespace tilestrike::bridge {

/// For an accelerator that has cores. Throws Failure as Study::open() does.
std::unique_ptr<Study> open_core_study(const StudyInputs& inputs);

}  // namespace tilestrike::bridge

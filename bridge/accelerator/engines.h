// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/mesh/engine_set.h"

namespace tilestrike::bridge {

/// All engines of this build, those of rtl/ included.
sim::EngineSet engines_of_this_build();

}  // namespace tilestrike::bridge

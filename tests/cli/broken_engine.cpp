// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Linked into the program `tilestrike_broken`: one engine more, which strikes a wrong bit.
#include "tests/sim/defective_mesh.h"

namespace {

const tilestrike::sim::EngineRegistration registration("broken", [] {
  return std::unique_ptr<tilestrike::sim::Engine>(
      std::make_unique<tilestrike::sim::DefectiveEngine>());
});

}  // namespace

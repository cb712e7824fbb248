// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The program with one engine more, which strikes a wrong bit: of a mesh and of a core.
#include <memory>
#include <utility>

#include "bridge/accelerator/engines.h"
#include "campaigns/cli/program.h"
#include "tests/sim/defective_core.h"
#include "tests/sim/defective_mesh.h"

int main(int argc, char** argv) {
  tilestrike::sim::EngineSet engines = tilestrike::bridge::engines_of_this_build();
  engines.add(tilestrike::sim::defective_engine());
  engines.set_core("broken",
                   [] { return std::make_unique<tilestrike::sim::DefectiveCoreEngine>(); });
  return tilestrike::campaigns::cli::run_program(argc, argv, std::move(engines));
}

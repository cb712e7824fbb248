// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/accelerator/engines.h"
#include "campaigns/cli/program.h"

int main(int argc, char** argv) {
  return tilestrike::campaigns::cli::run_program(argc, argv,
                                                 tilestrike::bridge::engines_of_this_build());
}

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/version.h"

namespace tilestrike::campaigns {

std::vector<std::pair<std::string, std::string>> versions() {
  return {{"tilestrike", TS_VERSION},
          {"compiler", "C++ " __VERSION__},
          {"systemc", TS_SYSTEMC_VERSION},
          {"libtorch", TS_TORCH_VERSION}};
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "rtl/lockstep.h"

namespace tilestrike::rtl {

std::string Disagreement::text(const sim::MeshSites& sites) const {
  std::string place = "result of column " + std::to_string(column);
  if (site) {
    const std::string bit = sites.text(sites.id_of(*site));
    place = bit.substr(0, bit.rfind(" bit "));
  }
  return place + " at cycle " + std::to_string(state) + ": " + std::to_string(first) + " against " +
         std::to_string(second);
}

}  // namespace tilestrike::rtl

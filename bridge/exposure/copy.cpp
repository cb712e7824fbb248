// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/copy.h"

#include <fmt/format.h>

namespace tilestrike::bridge {

std::string Copies::text(const Occupant& occupant, std::string_view layer) const {
  return fmt::format(
      "{} of layer {} since {}", sim::name_of(role_), layer,
      occupant.written == kBoot ? "boot" : fmt::format("cycle {}", occupant.written));
}

}  // namespace tilestrike::bridge

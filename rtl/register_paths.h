// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Where each register of the mesh lies in the RTL.
#pragma once

#include <string>

#include "sim/mesh_sites.h"

namespace tilestrike::rtl {

struct RegisterPath {
  std::string scope;  // of the instance or generate block, below the top module
  std::string name;
  std::string text() const { return scope + "." + name; }
};

/// The register that `site` is a bit of.
RegisterPath path_of(const sim::MeshSite& site);

}  // namespace tilestrike::rtl

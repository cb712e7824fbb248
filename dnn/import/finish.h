// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The last steps of an import: what nothing reads goes, and the layers get their names.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

/// What a layer's name is made of.
struct Origin {
  std::string module;    // path of the innermost module; empty at the top
  bool is_leaf = false;  // the module is one of torch.nn, not the user's
};

/// A layer as it was imported; layers that depend on weights alone stand among the others.
struct ImportedLayer {
  Layer layer;
  Origin origin;
  bool is_constant = false;
  std::optional<Error> refused;  // it cannot be run
};

/// Moves the layers that something reads into the network, drops the values that nothing reads, and
/// numbers the rest again. Throws Failure with all of those that cannot be run but are read, each
/// operator once. Layers have names then, each one only once: the path of the module, with
/// the operator where the module is no layer of its own, and a number where that is there already.
void finish(std::vector<ImportedLayer> layers, Network& network);

}  // namespace tilestrike::dnn

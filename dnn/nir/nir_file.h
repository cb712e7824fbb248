// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a NIR file says (https://neuroir.org), before it means anything: named nodes of a type with
// values, and edges between them. Files of all versions of the format up to 1 are read.
#pragma once

#include <string>
#include <vector>

#include "dnn/nir/hdf5_tree.h"

namespace tilestrike::dnn {

struct NirNode {
  std::string name;
  std::string type;
  Hdf5Group content;  // its values; groups, where it is a graph itself
};

struct NirEdge {
  std::string from, to;
};

struct NirGraph {
  std::string path;
  std::string version;         // empty: the file does not say
  std::vector<NirNode> nodes;  // by name
  std::vector<NirEdge> edges;

  /// For messages: "FILE:/node/nodes/NAME".
  std::string where(const std::string& node) const { return path + ":/node/nodes/" + node; }
};

/// Throws Failure, which names the place in the file and the cure.
NirGraph read_nir(const std::string& path);

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/nir/nir_file.h"

#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace tilestrike::dnn {
namespace {

constexpr const char* kWriteNir = "write the file with nir.write() of the Python package nir";

/// The one text that a group's value holds; fails where it is none.
std::string text_in(const Hdf5Group& group, const std::string& key, const std::string& where) {
  const auto found = group.values.find(key);
  if (found == group.values.end()) {
    fail(ErrorCode::kInvalidInput, "there is no '" + key + "' here", where, kWriteNir);
  }
  if (!found->second.is_text || found->second.texts.size() != 1) {
    fail(ErrorCode::kInvalidInput, "'" + key + "' is not one text", where, kWriteNir);
  }
  return found->second.texts.front();
}

Hdf5Group& group_in(Hdf5Group& group, const std::string& key, const std::string& where) {
  const auto found = group.groups.find(key);
  if (found == group.groups.end()) {
    fail(ErrorCode::kInvalidInput, "there is no group '" + key + "', so this is no NIR file", where,
         kWriteNir);
  }
  return found->second;
}

void check_version(const NirGraph& graph) {
  const auto major = parse_integer(graph.version.substr(0, graph.version.find('.')));
  if (!graph.version.empty() && (!major || *major > 1)) {
    fail(ErrorCode::kVersionMismatch, "the file is of version " + graph.version + " of NIR",
         graph.path + ":/version", "versions up to 1 are read; write it with the package nir 1.x");
  }
}

/// Names, or, before version 0.1, numbers of nodes.
std::vector<NirEdge> edges_of(const Hdf5Group& node, const std::string& path) {
  const std::string where = path + ":/node/edges";
  const auto found = node.values.find("edges");
  if (found == node.values.end()) {
    fail(ErrorCode::kInvalidInput, "there are no edges", where, kWriteNir);
  }
  const Hdf5Value& value = found->second;
  if (std::ssize(value.texts) + std::ssize(value.numbers) > 2 * kMostHdf5Objects) {
    fail(ErrorCode::kInvalidInput,
         "there are more than " + std::to_string(kMostHdf5Objects) + " edges", where,
         "take edges out: a straight line of nodes has fewer of them than nodes; " +
             std::string(kWriteNir));
  }
  std::vector<std::string> ends = value.texts;
  for (const double number : value.numbers) {
    if (!(number >= 0 && number < kMostHdf5Objects)) {
      fail(ErrorCode::kInvalidInput, "an edge has an end that is no node", where, kWriteNir);
    }
    ends.push_back(std::to_string(static_cast<std::int64_t>(number)));
  }
  if (!ends.empty() && (value.sizes.size() != 2 || value.sizes[1] != 2)) {
    fail(ErrorCode::kInvalidInput, "the edges are not pairs of names", where, kWriteNir);
  }
  std::vector<NirEdge> edges;
  for (std::size_t i = 0; i + 1 < ends.size(); i += 2) {
    edges.push_back({ends[i], ends[i + 1]});
  }
  return edges;
}

bool is_wanted(const std::string& place) {
  const bool is_of_graph = place == "/version" || place == "/node" || place.starts_with("/node/");
  const bool is_node = place == "/node/nodes/metadata";  // a node of that name
  return is_of_graph && (is_node || !place.ends_with("/metadata"));
}

}  // namespace

NirGraph read_nir(const std::string& path) {
  Hdf5Group root = read_hdf5(path, &is_wanted);
  NirGraph graph;
  graph.path = path;
  if (root.values.contains("version")) {
    graph.version = text_in(root, "version", path);
    check_version(graph);
  }
  Hdf5Group& node = group_in(root, "node", path);
  const std::string type = text_in(node, "type", path + ":/node");
  if (type != "NIRGraph") {
    fail(ErrorCode::kUnsupported, "the file holds a single " + type + ", no NIRGraph",
         path + ":/node/type", "put it between an Input and an Output, in a NIRGraph");
  }
  Hdf5Group& nodes = group_in(node, "nodes", path + ":/node");
  if (!nodes.values.empty()) {
    fail(ErrorCode::kInvalidInput, "this is no group of a node's values",
         graph.where(nodes.values.begin()->first), kWriteNir);
  }
  for (auto& [name, content] : nodes.groups) {
    const std::string type_of_node = text_in(content, "type", graph.where(name));
    graph.nodes.push_back({name, type_of_node, std::move(content)});
  }
  graph.edges = edges_of(node, path);
  return graph;
}

}  // namespace tilestrike::dnn

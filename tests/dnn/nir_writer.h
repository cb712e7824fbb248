// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// NIR files for tests, written without Python: good ones, and what is changed in them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tilestrike::dnn {

struct NirTestValue {
  enum class Type { kFloat32, kFloat64, kInt64, kText };
  Type type = Type::kFloat32;
  std::vector<std::int64_t> sizes;  // empty: a single one
  std::vector<double> numbers;
  std::string text;
};

NirTestValue floats(std::vector<std::int64_t> sizes, std::vector<double> numbers);
NirTestValue doubles(std::vector<std::int64_t> sizes, std::vector<double> numbers);
NirTestValue integers(std::vector<double> numbers);  // one dimension
NirTestValue number(double one, NirTestValue::Type type = NirTestValue::Type::kInt64);
NirTestValue text(std::string text);

struct NirTestNode {
  std::string type;
  std::map<std::string, NirTestValue> values;
};

struct NirTestFile {
  std::string version = "1.0.8";
  std::map<std::string, NirTestNode> nodes;
  std::vector<std::pair<std::string, std::string>> edges;
  /// As before 1.0: contiguous data; else in chunks, shuffled and deflated.
  bool is_old = false;
  /// As before 0.1: edges are numbers of nodes.
  bool has_numbered_edges = false;

  void write(const std::string& path) const;
};

/// Nodes in a line, in the order given.
NirTestFile nir_line(const std::vector<std::pair<std::string, NirTestNode>>& nodes);

}  // namespace tilestrike::dnn

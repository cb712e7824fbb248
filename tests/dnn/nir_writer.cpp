// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/dnn/nir_writer.h"

#include <hdf5.h>

#include <algorithm>
#include <stdexcept>

namespace tilestrike::dnn {
namespace {

/// HDF5's calls must not fail here.
hid_t must(hid_t result) {
  if (result < 0) {
    throw std::runtime_error("the test's file cannot be written");
  }
  return result;
}

hid_t text_type() {
  const hid_t type = must(H5Tcopy(H5T_C_S1));
  must(H5Tset_size(type, H5T_VARIABLE));
  must(H5Tset_cset(type, H5T_CSET_UTF8));
  return type;
}

void write_texts(hid_t group, const std::string& name, const std::vector<hsize_t>& sizes,
                 const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  for (const std::string& one : texts) {
    pointers.push_back(one.c_str());
  }
  const hid_t type = text_type();
  const hid_t space =
      sizes.empty() ? must(H5Screate(H5S_SCALAR))
                    : must(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr));
  const hid_t data =
      must(H5Dcreate2(group, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  if (!texts.empty()) {
    must(H5Dwrite(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()));
  }
  H5Dclose(data);
  H5Sclose(space);
  H5Tclose(type);
}

void write_numbers(hid_t group, const std::string& name, const NirTestValue& value, bool is_old) {
  using Type = NirTestValue::Type;
  const std::vector<hsize_t> sizes(value.sizes.begin(), value.sizes.end());
  const hid_t stored = value.type == Type::kFloat32   ? H5T_IEEE_F32LE
                       : value.type == Type::kFloat64 ? H5T_IEEE_F64LE
                                                      : H5T_STD_I64LE;
  const hid_t creation = must(H5Pcreate(H5P_DATASET_CREATE));
  if (!is_old && !sizes.empty()) {
    std::vector<hsize_t> chunk = sizes;
    for (hsize_t& size : chunk) {
      size = std::max<hsize_t>(1, (2 * size + 2) / 3);  // the last chunk is cut off
    }
    must(H5Pset_chunk(creation, static_cast<int>(chunk.size()), chunk.data()));
    must(H5Pset_shuffle(creation));
    must(H5Pset_deflate(creation, 4));
  }
  const hid_t space =
      sizes.empty() ? must(H5Screate(H5S_SCALAR))
                    : must(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr));
  const hid_t data =
      must(H5Dcreate2(group, name.c_str(), stored, space, H5P_DEFAULT, creation, H5P_DEFAULT));
  must(H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, value.numbers.data()));
  H5Dclose(data);
  H5Sclose(space);
  H5Pclose(creation);
}

hid_t make_group(hid_t parent, const std::string& name) {
  return must(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
}

}  // namespace

NirTestValue floats(std::vector<std::int64_t> sizes, std::vector<double> numbers) {
  return {NirTestValue::Type::kFloat32, std::move(sizes), std::move(numbers), {}};
}

NirTestValue doubles(std::vector<std::int64_t> sizes, std::vector<double> numbers) {
  return {NirTestValue::Type::kFloat64, std::move(sizes), std::move(numbers), {}};
}

NirTestValue integers(std::vector<double> numbers) {
  const auto size = static_cast<std::int64_t>(numbers.size());
  return {NirTestValue::Type::kInt64, {size}, std::move(numbers), {}};
}

NirTestValue number(double one, NirTestValue::Type type) { return {type, {}, {one}, {}}; }

NirTestValue text(std::string text) { return {NirTestValue::Type::kText, {}, {}, std::move(text)}; }

void NirTestFile::write(const std::string& path) const {
  const hid_t access = must(H5Pcreate(H5P_FILE_ACCESS));
  must(H5Pset_fapl_core(access, 1 << 16, 1));  // made in memory, written at once
  const hid_t file = must(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access));
  H5Pclose(access);
  if (!version.empty()) {
    write_texts(file, "version", {}, {version});
  }
  const hid_t graph = make_group(file, "node");
  write_texts(graph, "type", {}, {"NIRGraph"});
  std::vector<std::string> ends;
  for (const auto& [from, to] : edges) {
    ends.insert(ends.end(), {from, to});
  }
  if (has_numbered_edges) {
    NirTestValue value = integers({});
    value.sizes = {static_cast<std::int64_t>(edges.size()), 2};
    for (const std::string& end : ends) {
      value.numbers.push_back(std::stod(end));
    }
    write_numbers(graph, "edges", value, is_old);
  } else {
    write_texts(graph, "edges", {edges.size(), 2}, ends);
  }
  const hid_t all = make_group(graph, "nodes");
  for (const auto& [name, node] : nodes) {
    const hid_t group = make_group(all, name);
    write_texts(group, "type", {}, {node.type});
    for (const auto& [key, value] : node.values) {
      if (value.type == NirTestValue::Type::kText) {
        write_texts(group, key, {}, {value.text});
      } else {
        write_numbers(group, key, value, is_old);
      }
    }
    H5Gclose(group);
  }
  H5Gclose(all);
  H5Gclose(graph);
  H5Fclose(file);
}

NirTestFile nir_line(const std::vector<std::pair<std::string, NirTestNode>>& nodes) {
  NirTestFile file;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    file.nodes[nodes[i].first] = nodes[i].second;
    if (i > 0) {
      file.edges.emplace_back(nodes[i - 1].first, nodes[i].first);
    }
  }
  return file;
}

}  // namespace tilestrike::dnn

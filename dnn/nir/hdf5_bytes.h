// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The bytes of a data set, out of the file and unpacked. HDF5 says where they lie; they are read
// and unpacked here, so that no size in the file decides how much memory is written.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "dnn/nir/hdf5_map.h"

namespace tilestrike::dnn {

using Bytes = std::vector<unsigned char>;

class Hdf5Bytes {
 public:
  explicit Hdf5Bytes(const std::string& path);

  /// All elements of a data set, as the file has them, row-major. Throws Failure.
  Bytes read(const Hdf5Data& data, const std::string& where);

  /// The text that a reference (length, address, index: 16 bytes) names in one of the file's heaps.
  /// Throws Failure.
  std::string heap_text(const unsigned char* reference, const std::string& where);

 private:
  using Heap = std::map<std::uint64_t, std::string>;  // objects by their index
  Bytes bytes_at(std::uint64_t offset, std::uint64_t count, const std::string& where);
  Bytes read_chunks(const Hdf5Data& data, std::int64_t bytes, const std::string& where);
  const Heap& heap_at(std::uint64_t address, const std::string& where);

  std::ifstream file_;
  std::int64_t file_size_ = 0;
  std::map<std::uint64_t, Heap> heaps_;  // by address
  std::uint64_t heap_bytes_ = 0;
};

}  // namespace tilestrike::dnn

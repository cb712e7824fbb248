// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The bytes of a data set, out of the file and unpacked. HDF5 says where they lie; they are read
// and unpacked here, so that no size in the file decides how much memory is written.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace tilestrike::dnn {

using Bytes = std::vector<unsigned char>;

class Hdf5Bytes {
 public:
  explicit Hdf5Bytes(const std::string& path);

  std::int64_t file_size() const { return file_size_; }

  /// All elements of a data set, of `element` bytes each as the file has them, row-major. The
  /// caller has bounded the product of the sizes. Throws Failure.
  Bytes read(hid_t dataset, const std::vector<std::int64_t>& sizes, std::int64_t element,
             const std::string& where);

  /// The text that a reference of kReferenceBytes bytes (length, address, index) names in one of
  /// the file's heaps. Throws Failure.
  std::string heap_text(const unsigned char* reference, const std::string& where);
  static constexpr std::int64_t kReferenceBytes = 16;

 private:
  using Heap = std::map<std::uint64_t, std::string>;  // objects by their index
  Bytes bytes_at(std::uint64_t offset, std::uint64_t count, const std::string& where);
  Bytes read_chunks(hid_t dataset, hid_t creation, const std::vector<std::int64_t>& sizes,
                    std::int64_t element, const std::string& where);
  const Heap& heap_at(std::uint64_t address, const std::string& where);

  std::ifstream file_;
  std::int64_t file_size_ = 0;
  std::map<std::uint64_t, Heap> heaps_;  // by address
  std::uint64_t heap_bytes_ = 0;
};

}  // namespace tilestrike::dnn

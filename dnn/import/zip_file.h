// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Reads zip archives, in a file or in memory. What is read is checked against its checksum, and no
// entry can give more bytes than the archive could hold.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace tilestrike::dnn {

/// The archive is damaged; what() says how.
class ZipError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ZipFile {
 public:
  /// Reads the directory. A file that is none, or has none, has no entries.
  explicit ZipFile(const std::string& path);
  /// An archive within another: its bytes (uint8).
  explicit ZipFile(at::Tensor bytes);

  /// In the order of their names.
  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return entries_.contains(name); }
  /// The bytes of an entry (uint8, on the CPU). Throws ZipError.
  at::Tensor read(const std::string& name);
  std::string read_text(const std::string& name);

 private:
  struct Entry {
    std::uint64_t method = 0, checksum = 0, packed = 0, size = 0, header = 0;
  };
  void read_directory();
  /// Exactly so many bytes. Throws ZipError at the end.
  void read_at(std::uint64_t offset, std::uint64_t count, void* to);
  std::string text_at(std::uint64_t offset, std::uint64_t count);
  /// What the extra fields of an entry say where 32 bits do not suffice.
  static void widen(const std::string& extra, Entry& entry);

  std::ifstream file_;
  at::Tensor bytes_;  // defined: instead of the file
  std::uint64_t size_ = 0;
  std::map<std::string, Entry> entries_;
};

}  // namespace tilestrike::dnn

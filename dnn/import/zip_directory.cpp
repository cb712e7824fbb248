// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/zip_directory.h"

#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <optional>

namespace tilestrike::dnn {
namespace {

// Sizes and places of fields are those of the ZIP specification (APPNOTE 6.3).
constexpr std::uint64_t kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20, kEntrySize = 46;
constexpr std::uint64_t kLongestComment = 65535;

class Bytes {
 public:
  explicit Bytes(const std::string& path) : file_(path, std::ios::binary | std::ios::ate) {
    size_ = file_ ? static_cast<std::uint64_t>(file_.tellg()) : 0;
  }
  std::uint64_t size() const { return size_; }

  /// Shorter at the end of the file.
  std::string read(std::uint64_t offset, std::uint64_t count) {
    if (offset >= size_) {
      return {};
    }
    std::string bytes(std::min(count, size_ - offset), '\0');
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(offset));
    file_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return bytes;
  }

 private:
  std::ifstream file_;
  std::uint64_t size_ = 0;
};

/// A little-endian number; 0 beyond the end.
std::uint64_t number(const std::string& bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count && at + i < bytes.size(); ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return value;
}

struct Place {
  std::uint64_t offset = 0, size = 0;
};

std::optional<Place> directory_of(Bytes& file) {
  const std::uint64_t longest = kEndSize + kLongestComment;
  const std::uint64_t begin = file.size() > longest ? file.size() - longest : 0;
  const std::string tail = file.read(begin, longest);
  const std::size_t end = tail.rfind("PK\x05\x06");
  if (end == std::string::npos || tail.size() - end < kEndSize) {
    return std::nullopt;
  }
  const std::uint64_t at = begin + end;
  const std::string locator =
      at < kLocatorSize ? std::string() : file.read(at - kLocatorSize, kLocatorSize);
  if (locator.starts_with("PK\x06\x07")) {
    const std::string end64 = file.read(number(locator, 8, 8), kEnd64Size);
    if (end64.starts_with("PK\x06\x06") && end64.size() == kEnd64Size) {
      return Place{number(end64, 48, 8), number(end64, 40, 8)};
    }
  }
  return Place{number(tail, end + 16, 4), number(tail, end + 12, 4)};
}

}  // namespace

std::map<std::string, std::uint32_t> zip_checksums(const std::string& path) {
  Bytes file(path);
  std::map<std::string, std::uint32_t> checksums;
  const std::optional<Place> place = directory_of(file);
  if (!place) {
    return checksums;
  }
  const std::string directory = file.read(place->offset, place->size);
  std::size_t at = 0;
  while (directory.compare(at, 4, "PK\x01\x02") == 0 && directory.size() - at >= kEntrySize) {
    const std::size_t name = number(directory, at + 28, 2);
    const std::size_t extra = number(directory, at + 30, 2) + number(directory, at + 32, 2);
    checksums[directory.substr(at + kEntrySize, name)] =
        static_cast<std::uint32_t>(number(directory, at + 16, 4));
    at += kEntrySize + name + extra;
    if (at > directory.size()) {
      break;
    }
  }
  return checksums;
}

std::uint32_t checksum_of(const void* bytes, std::size_t count) {
  return static_cast<std::uint32_t>(
      crc32_z(crc32_z(0, nullptr, 0), static_cast<const unsigned char*>(bytes), count));
}

}  // namespace tilestrike::dnn

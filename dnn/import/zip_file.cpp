// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/zip_file.h"

#include <ATen/ops/empty.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

namespace tilestrike::dnn {
namespace {

// Sizes and places of fields are those of the ZIP specification (APPNOTE 6.3).
constexpr std::uint64_t kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20, kEntrySize = 46;
constexpr std::uint64_t kHeaderSize = 30, kLongestComment = 65535;
constexpr std::uint64_t kStored = 0, kDeflated = 8;
constexpr std::uint64_t kIn64Bits = 0xffffffff;  // of a field of 32 bits: see the extra field
constexpr std::uint64_t kMostInflation = 1032;   // deflate cannot do more

/// A little-endian number; 0 beyond the end.
std::uint64_t number(const std::string& bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count && at + i < bytes.size(); ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return value;
}

void inflate_into(const at::Tensor& packed, const at::Tensor& to, const std::string& name) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    throw ZipError("there is no memory to unpack record " + name);
  }
  constexpr std::int64_t kMostAtOnce = 1 << 30;  // zlib counts in 32 bits
  auto* from = static_cast<unsigned char*>(packed.mutable_data_ptr());
  auto* out = static_cast<unsigned char*>(to.mutable_data_ptr());
  std::int64_t left_in = packed.numel(), left_out = to.numel();
  int status = Z_OK;
  stream.next_in = from;
  stream.next_out = out;
  while (status == Z_OK) {
    const auto in = static_cast<uInt>(std::min(left_in, kMostAtOnce));
    const auto room = static_cast<uInt>(std::min(left_out, kMostAtOnce));
    stream.avail_in = in;
    stream.avail_out = room;
    status = inflate(&stream, Z_NO_FLUSH);
    left_in -= in - stream.avail_in;
    left_out -= room - stream.avail_out;
    if (status == Z_OK && in == stream.avail_in && room == stream.avail_out) {
      status = Z_BUF_ERROR;  // neither reads nor writes: it would never end
    }
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END || left_out != 0) {
    throw ZipError("record " + name + " cannot be unpacked");
  }
}

}  // namespace

ZipFile::ZipFile(const std::string& path) : file_(path, std::ios::binary | std::ios::ate) {
  size_ = file_ ? static_cast<std::uint64_t>(file_.tellg()) : 0;
  read_directory();
}

ZipFile::ZipFile(at::Tensor bytes) : bytes_(std::move(bytes)) {
  size_ = static_cast<std::uint64_t>(bytes_.numel());
  read_directory();
}

void ZipFile::read_at(std::uint64_t offset, std::uint64_t count, void* to) {
  if (offset > size_ || count > size_ - offset) {
    throw ZipError("it ends too early");
  }
  if (count == 0) {
    return;
  }
  if (bytes_.defined()) {
    std::memcpy(to, static_cast<const char*>(bytes_.const_data_ptr()) + offset, count);
    return;
  }
  file_.clear();
  file_.seekg(static_cast<std::streamoff>(offset));
  file_.read(static_cast<char*>(to), static_cast<std::streamsize>(count));
  if (!file_) {
    throw ZipError("it cannot be read to its end");
  }
}

std::string ZipFile::text_at(std::uint64_t offset, std::uint64_t count) {
  if (offset >= size_) {
    return {};
  }
  std::string text(std::min(count, size_ - offset), '\0');
  read_at(offset, text.size(), text.data());
  return text;
}

void ZipFile::widen(const std::string& extra, Entry& entry) {
  for (std::size_t at = 0; at + 4 <= extra.size(); at += 4 + number(extra, at + 2, 2)) {
    if (number(extra, at, 2) != 1) {
      continue;
    }
    std::size_t field = at + 4;
    for (std::uint64_t* wide : {&entry.size, &entry.packed, &entry.header}) {
      if (*wide == kIn64Bits) {
        *wide = number(extra, field, 8);
        field += 8;
      }
    }
  }
}

void ZipFile::read_directory() {
  const std::uint64_t longest = kEndSize + kLongestComment;
  const std::uint64_t begin = size_ > longest ? size_ - longest : 0;
  const std::string tail = text_at(begin, longest);
  const std::size_t end = tail.rfind("PK\x05\x06");
  if (end == std::string::npos || tail.size() - end < kEndSize) {
    return;
  }
  std::uint64_t offset = number(tail, end + 16, 4), size = number(tail, end + 12, 4);
  const std::uint64_t at_end = begin + end;
  const std::string locator =
      at_end < kLocatorSize ? std::string() : text_at(at_end - kLocatorSize, kLocatorSize);
  if (locator.starts_with("PK\x06\x07")) {
    const std::string end64 = text_at(number(locator, 8, 8), kEnd64Size);
    if (end64.starts_with("PK\x06\x06") && end64.size() == kEnd64Size) {
      offset = number(end64, 48, 8);
      size = number(end64, 40, 8);
    }
  }
  const std::string directory = text_at(offset, size);
  std::size_t at = 0;
  while (at < directory.size() && directory.size() - at >= kEntrySize &&
         directory.compare(at, 4, "PK\x01\x02") == 0) {
    const std::size_t name = number(directory, at + 28, 2);
    const std::size_t extra = number(directory, at + 30, 2);
    Entry entry;
    entry.method = number(directory, at + 10, 2);
    entry.checksum = number(directory, at + 16, 4);
    entry.packed = number(directory, at + 20, 4);
    entry.size = number(directory, at + 24, 4);
    entry.header = number(directory, at + 42, 4);
    const std::string rest = directory.substr(at + kEntrySize, name + extra);
    widen(rest.size() > name ? rest.substr(name) : std::string(), entry);
    entries_[rest.substr(0, name)] = entry;
    at += kEntrySize + name + extra + number(directory, at + 32, 2);
  }
}

std::vector<std::string> ZipFile::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    names.push_back(name);
  }
  return names;
}

at::Tensor ZipFile::read(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    throw ZipError("it has no record " + name);
  }
  const Entry& entry = found->second;
  const std::string header = text_at(entry.header, kHeaderSize);
  if (header.size() != kHeaderSize || !header.starts_with("PK\x03\x04")) {
    throw ZipError("record " + name + " does not begin where the directory says");
  }
  const std::uint64_t data =
      entry.header + kHeaderSize + number(header, 26, 2) + number(header, 28, 2);
  if (data > size_ || entry.packed > size_ - data) {
    throw ZipError("record " + name + " reaches beyond the end of the file");
  }
  if ((entry.method != kStored && entry.method != kDeflated) ||
      (entry.method == kStored && entry.packed != entry.size) ||
      entry.size > (entry.packed + 1) * kMostInflation) {
    throw ZipError("record " + name +
                   " claims more bytes than it can hold, or is packed in a way "
                   "that no archive of PyTorch's is");
  }
  at::Tensor bytes = at::empty({static_cast<std::int64_t>(entry.size)}, c10::kByte);
  if (entry.method == kStored) {
    read_at(data, entry.size, bytes.mutable_data_ptr());
  } else {
    const at::Tensor packed = at::empty({static_cast<std::int64_t>(entry.packed)}, c10::kByte);
    read_at(data, entry.packed, packed.mutable_data_ptr());
    inflate_into(packed, bytes, name);
  }
  const auto* first = static_cast<const unsigned char*>(bytes.const_data_ptr());
  if (crc32_z(crc32_z(0, nullptr, 0), first, entry.size) != entry.checksum) {
    throw ZipError("the bytes of record " + name + " do not have their checksum (CRC-32)");
  }
  return bytes;
}

std::string ZipFile::read_text(const std::string& name) {
  const at::Tensor bytes = read(name);
  return {static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()};
}

}  // namespace tilestrike::dnn

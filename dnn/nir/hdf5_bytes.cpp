// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/nir/hdf5_bytes.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int64_t kMostInflation = 1032;  // deflate cannot do more
// Sizes and places of fields are those of the HDF5 File Format Specification, version 3.0.
constexpr std::uint64_t kHeapHeader = 16, kHeapObjectHeader = 16;
constexpr std::uint64_t kMostHeapBytes = 1 << 26;  // of texts, in all

[[noreturn]] void damaged(const std::string& what, const std::string& where) {
  fail(ErrorCode::kInvalidInput, what, where, "the file is damaged; write it again");
}

std::uint64_t number(const unsigned char* bytes, int count) {
  std::uint64_t value = 0;
  for (int i = 0; i < count; ++i) {
    value |= std::uint64_t{bytes[i]} << (8 * i);
  }
  return value;
}

/// Exactly `size` bytes out of a deflated stream.
Bytes inflated(Bytes& packed, std::size_t size, const std::string& where) {
  Bytes out(size);
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) {
    fail(ErrorCode::kMachine, "there is no memory to unpack the data", where, "free some memory");
  }
  stream.next_in = packed.data();
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(size);
  const int status = inflate(&stream, Z_FINISH);
  const bool is_whole = status == Z_STREAM_END && stream.avail_out == 0;
  const bool is_more = status == Z_BUF_ERROR && stream.avail_out == 0;
  inflateEnd(&stream);
  if (is_more) {
    damaged("the deflated data hold more than the data set's shape says", where);
  }
  if (!is_whole) {
    damaged("the deflated data cannot be unpacked", where);
  }
  return out;
}

/// Byte i of all elements stands together; here they are put back.
Bytes unshuffled(const Bytes& from, std::size_t element) {
  const std::size_t count = from.size() / element;
  Bytes out(from.size());
  for (std::size_t byte = 0; byte < element; ++byte) {
    for (std::size_t i = 0; i < count; ++i) {
      out[i * element + byte] = from[byte * count + i];
    }
  }
  return out;
}

std::int64_t chunk_bytes(const Hdf5Data& data) {
  auto bytes = static_cast<std::int64_t>(data.element);
  for (const std::int64_t size : data.chunk) {
    bytes *= size;
  }
  return bytes;
}

/// The bytes of a chunk as they are stored, unpacked by all filters that it did not skip.
Bytes unpacked(Bytes bytes, const Hdf5Data& data, std::uint64_t skipped, const std::string& where) {
  const auto size = static_cast<std::size_t>(chunk_bytes(data));
  for (std::size_t i = data.filters.size(); i-- > 0;) {
    if (i < 64 && (skipped >> i & 1) != 0) {
      continue;
    }
    if (data.filters[i] == Hdf5Filter::kDeflate) {
      bytes = inflated(bytes, size, where);
    } else {
      bytes = unshuffled(bytes, data.element);
    }
  }
  if (bytes.size() != size) {
    damaged("a chunk of the data set holds " + std::to_string(bytes.size()) + " bytes, not " +
                std::to_string(size),
            where);
  }
  return bytes;
}

/// Copies what of a chunk, which begins at `first`, lies within the data set.
void place_chunk(const Bytes& chunk, const Hdf5Data& data, const std::vector<std::int64_t>& first,
                 Bytes& to) {
  const std::size_t rank = data.sizes.size();
  const std::vector<std::int64_t> ones(rank, 1);
  std::vector<std::int64_t> within(rank), at(rank, 0);  // the first element of a row of the chunk
  for (std::size_t i = 0; i < rank; ++i) {
    within[i] = std::min(data.chunk[i], data.sizes[i] - first[i]);
  }
  const auto element = static_cast<std::int64_t>(data.element);
  const std::int64_t row = within.back() * element;
  within.back() = 1;  // a row at once
  do {
    std::int64_t from = 0, place = 0;
    for (std::size_t i = 0; i < rank; ++i) {
      from = from * data.chunk[i] + at[i];
      place = place * data.sizes[i] + first[i] + at[i];
    }
    std::memcpy(to.data() + place * element, chunk.data() + from * element,
                static_cast<std::size_t>(row));
  } while (next_place(at, ones, within));
}

}  // namespace

Hdf5Bytes::Hdf5Bytes(const std::string& path) : file_(path, std::ios::binary | std::ios::ate) {
  file_size_ = file_ ? static_cast<std::int64_t>(file_.tellg()) : 0;
}

Bytes Hdf5Bytes::bytes_at(std::uint64_t offset, std::uint64_t count, const std::string& where) {
  const auto size = static_cast<std::uint64_t>(file_size_);
  if (offset > size || count > size - offset) {
    damaged("the data lie beyond the end of the file", where);
  }
  Bytes bytes(count);
  file_.clear();
  file_.seekg(static_cast<std::streamoff>(offset));
  file_.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
  if (!file_) {
    fail(ErrorCode::kMachine, "the file cannot be read to its end", where, "check the disk");
  }
  return bytes;
}

Bytes Hdf5Bytes::read_chunks(const Hdf5Data& data, std::int64_t bytes, const std::string& where) {
  Bytes all(static_cast<std::size_t>(bytes));
  std::vector<std::int64_t> first(data.sizes.size(), 0);
  for (const Hdf5Piece& piece : data.pieces) {
    if (chunk_bytes(data) / kMostInflation > static_cast<std::int64_t>(piece.bytes)) {
      damaged("the data set holds less than its shape says", where);
    }
    const Bytes stored = bytes_at(piece.address, piece.bytes, where);
    place_chunk(unpacked(stored, data, piece.skipped, where), data, first, all);
    next_place(first, data.chunk, data.sizes);
  }
  return all;
}

Bytes Hdf5Bytes::read(const Hdf5Data& data, const std::string& where) {
  const std::int64_t bytes = data.count() * static_cast<std::int64_t>(data.element);
  if (bytes == 0 || !data.compact.empty()) {
    return {data.compact.begin(), data.compact.end()};
  }
  std::int64_t stored = 0;
  for (const Hdf5Piece& piece : data.pieces) {
    stored +=
        static_cast<std::int64_t>(std::min(piece.bytes, static_cast<std::uint64_t>(file_size_)));
  }
  if (bytes / (data.chunk.empty() ? 1 : kMostInflation) > stored) {
    damaged("the data set holds less than its shape says", where);
  }
  return data.chunk.empty()
             ? bytes_at(data.pieces[0].address, static_cast<std::uint64_t>(bytes), where)
             : read_chunks(data, bytes, where);
}

const Hdf5Bytes::Heap& Hdf5Bytes::heap_at(std::uint64_t address, const std::string& where) {
  const auto known = heaps_.find(address);
  if (known != heaps_.end()) {
    return known->second;
  }
  const Bytes header = bytes_at(address, kHeapHeader, where);
  const std::uint64_t size = number(header.data() + 8, 8);
  heap_bytes_ += std::min(size, kMostHeapBytes + 1);
  if (std::memcmp(header.data(), "GCOL", 4) != 0 || heap_bytes_ > kMostHeapBytes) {
    damaged("a text lies in no heap of the file, or the heaps are too large", where);
  }
  const Bytes bytes = bytes_at(address, size, where);
  Heap heap;
  for (std::uint64_t at = kHeapHeader; at + kHeapObjectHeader <= size;) {
    const std::uint64_t index = number(bytes.data() + at, 2);
    const std::uint64_t length = number(bytes.data() + at + 8, 8);
    at += kHeapObjectHeader;
    if (index == 0) {
      break;  // what is left is free
    }
    if (length > size - at) {
      damaged("a text is longer than the heap that it lies in", where);
    }
    heap[index].assign(reinterpret_cast<const char*>(bytes.data()) + at, length);
    at += (length + 7) / 8 * 8;
  }
  return heaps_[address] = std::move(heap);
}

std::string Hdf5Bytes::heap_text(const unsigned char* reference, const std::string& where) {
  const std::uint64_t length = number(reference, 4);
  const std::uint64_t address = number(reference + 4, 8);
  if (length == 0) {
    return {};
  }
  const Heap& heap = heap_at(address, where);
  const auto found = heap.find(number(reference + 12, 4));
  if (found == heap.end() || found->second.size() < length) {
    damaged("a text is not in its heap", where);
  }
  return found->second.substr(0, length);
}

}  // namespace tilestrike::dnn

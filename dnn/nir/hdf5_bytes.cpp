// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/nir/hdf5_bytes.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "dnn/nir/hdf5_handle.h"

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

/// How a data set is cut into chunks, and what its chunks went through.
struct Chunks {
  std::vector<std::int64_t> sizes;
  std::vector<H5Z_filter_t> filters;  // in the order of writing
  std::int64_t bytes = 0;             // of one chunk
};

Chunks chunks_of(hid_t creation, std::size_t rank, std::int64_t element, const std::string& where) {
  std::vector<hsize_t> sizes(rank);
  if (H5Pget_chunk(creation, static_cast<int>(rank), sizes.data()) != static_cast<int>(rank)) {
    hdf5_failed("the data set's chunks cannot be told", where);
  }
  Chunks chunks;
  chunks.bytes = element;
  for (const hsize_t size : sizes) {
    const std::int64_t most = std::int64_t{1} << 31;  // HDF5 itself takes less than 2^32
    if (size == 0 || size > static_cast<hsize_t>(most / chunks.bytes)) {
      damaged("a chunk of the data set is empty or beyond 2 GiB", where);
    }
    chunks.sizes.push_back(static_cast<std::int64_t>(size));
    chunks.bytes *= static_cast<std::int64_t>(size);
  }
  const int count = hdf5_checked(H5Pget_nfilters(creation), "its filters cannot be told", where);
  for (int i = 0; i < count; ++i) {
    std::size_t values = 0;
    unsigned flags = 0;
    chunks.filters.push_back(H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values,
                                            nullptr, 0, nullptr, nullptr));
  }
  return chunks;
}

/// The bytes of a chunk as they are stored, unpacked by all filters that it did not skip.
Bytes unpacked(Bytes bytes, const Chunks& chunks, unsigned skipped, std::int64_t element,
               const std::string& where) {
  for (std::size_t i = chunks.filters.size(); i-- > 0;) {
    if ((skipped >> i & 1) != 0) {
      continue;
    }
    if (chunks.filters[i] == H5Z_FILTER_DEFLATE) {
      bytes = inflated(bytes, static_cast<std::size_t>(chunks.bytes), where);
    } else {
      bytes = unshuffled(bytes, static_cast<std::size_t>(element));
    }
  }
  if (bytes.size() != static_cast<std::size_t>(chunks.bytes)) {
    damaged("a chunk of the data set holds " + std::to_string(bytes.size()) + " bytes, not " +
                std::to_string(chunks.bytes),
            where);
  }
  return bytes;
}

/// Copies what of a chunk lies within the data set.
void place_chunk(const Bytes& chunk, const Chunks& chunks, const std::vector<hsize_t>& first,
                 const std::vector<std::int64_t>& sizes, std::int64_t element, Bytes& to) {
  const std::size_t rank = sizes.size();
  std::vector<std::int64_t> at(rank, 0);  // the first element of a row of the chunk
  const auto within = [&](std::size_t i) {
    return std::min(chunks.sizes[i], sizes[i] - static_cast<std::int64_t>(first[i]));
  };
  const std::int64_t row = within(rank - 1) * element;
  for (bool is_done = false; !is_done;) {
    std::int64_t from = 0, place = 0;
    for (std::size_t i = 0; i < rank; ++i) {
      from = from * chunks.sizes[i] + at[i];
      place = place * sizes[i] + static_cast<std::int64_t>(first[i]) + at[i];
    }
    std::memcpy(to.data() + place * element, chunk.data() + from * element,
                static_cast<std::size_t>(row));
    is_done = true;
    for (std::size_t i = rank - 1; i-- > 0;) {
      if (++at[i] < within(i)) {
        is_done = false;
        break;
      }
      at[i] = 0;
    }
  }
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

Bytes Hdf5Bytes::read_chunks(hid_t dataset, hid_t creation, const std::vector<std::int64_t>& sizes,
                             std::int64_t element, const std::string& where) {
  const Chunks chunks = chunks_of(creation, sizes.size(), element, where);
  std::int64_t bytes = element;
  for (const std::int64_t size : sizes) {
    bytes *= size;
  }
  Bytes all(static_cast<std::size_t>(bytes));
  std::vector<hsize_t> first(sizes.size(), 0);
  for (bool is_done = bytes == 0; !is_done;) {
    unsigned skipped = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t stored = 0;
    hdf5_checked(H5Dget_chunk_info_by_coord(dataset, first.data(), &skipped, &address, &stored),
                 "a chunk of the data set cannot be found", where);
    if (address == HADDR_UNDEF || stored == 0 ||
        chunks.bytes / kMostInflation > static_cast<std::int64_t>(stored)) {
      damaged("a chunk of the data set is missing, or holds less than its shape says", where);
    }
    place_chunk(unpacked(bytes_at(address, stored, where), chunks, skipped, element, where), chunks,
                first, sizes, element, all);
    is_done = true;
    for (std::size_t i = sizes.size(); i-- > 0;) {
      first[i] += static_cast<hsize_t>(chunks.sizes[i]);
      if (first[i] < static_cast<hsize_t>(sizes[i])) {
        is_done = false;
        break;
      }
      first[i] = 0;
    }
  }
  return all;
}

Bytes Hdf5Bytes::read(hid_t dataset, const std::vector<std::int64_t>& sizes, std::int64_t element,
                      const std::string& where) {
  const Hdf5Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  hdf5_checked(creation.id(), "the data set cannot be read", where);
  std::int64_t bytes = element;
  for (const std::int64_t size : sizes) {
    bytes *= size;
  }
  const H5D_layout_t layout = H5Pget_layout(creation.id());
  const auto stored = static_cast<std::int64_t>(H5Dget_storage_size(dataset));
  const std::int64_t inflation = layout == H5D_CHUNKED ? kMostInflation : 1;
  if (bytes > 0 && (stored <= 0 || bytes / inflation > stored || stored / 2 > file_size_)) {
    damaged("the data set holds less than its shape says", where);
  }
  if (layout == H5D_CHUNKED) {
    return read_chunks(dataset, creation.id(), sizes, element, where);
  }
  if (layout == H5D_CONTIGUOUS) {
    return bytes == 0 ? Bytes()
                      : bytes_at(H5Dget_offset(dataset), static_cast<std::uint64_t>(bytes), where);
  }
  Bytes all(static_cast<std::size_t>(stored));
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
  hdf5_checked(H5Dread(dataset, type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()),
               "the data set cannot be read", where);
  all.resize(static_cast<std::size_t>(bytes));
  return all;
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

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Where the data of an HDF5 file lie, as HDF5's library says. The library is asked in a process of
// its own, since a damaged file makes it crash, or run for ever.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dnn/nir/hdf5_tree.h"

namespace tilestrike::dnn {

enum class Hdf5Kind : std::uint8_t {
  kSigned,
  kUnsigned,
  kFloat,
  kText,      // of a fixed length, filled up with zeros
  kHeapText,  // a reference to one of the file's heaps
};

/// A piece of the file. Of a chunk: which filters it has skipped, a bit for each.
struct Hdf5Piece {
  std::uint64_t address = 0, bytes = 0, skipped = 0;
};

enum class Hdf5Filter : std::uint8_t { kDeflate, kShuffle };

/// A data set whose shape, type and filters are among those that are read.
struct Hdf5Data {
  std::vector<std::int64_t> sizes;
  Hdf5Kind kind = Hdf5Kind::kFloat;
  std::uint64_t element = 0;  // bytes of one element
  bool is_big_endian = false;
  std::vector<std::int64_t> chunk;  // sizes of one; empty: there are no chunks
  std::vector<Hdf5Filter> filters;  // in the order of writing
  std::vector<Hdf5Piece> pieces;    // chunks, row-major, or one; none: it is empty, or compact
  std::string compact;              // the bytes, where they lie with the shape

  std::int64_t count() const {
    std::int64_t all = 1;
    for (const std::int64_t size : sizes) {
      all *= size;
    }
    return all;
  }
};

struct Hdf5Entry {
  std::uint64_t parent = 0;  // number of its group's entry; the root is 0, and its own parent
  std::string name, place;
  bool is_group = true;
  Hdf5Data data;  // where it is none
};

/// All entries, groups before what is in them. Throws Failure.
std::vector<Hdf5Entry> map_hdf5(const std::string& path, const Hdf5Wanted& wants);

/// Goes on to the next place of a grid, by steps in each dimension, up to the sizes. False, and at
/// the begin again: there is none.
bool next_place(std::vector<std::int64_t>& place, const std::vector<std::int64_t>& steps,
                const std::vector<std::int64_t>& sizes);

}  // namespace tilestrike::dnn

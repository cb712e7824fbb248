// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Groups and data sets of an HDF5 file, read with distrust: whatever the file claims about its size
// is checked before memory is taken. HDF5's headers stay in dnn/nir/hdf5_*; no LibTorch.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tilestrike::dnn {

/// What is refused beyond these is no network that could be struck.
inline constexpr int kMostHdf5Nesting = 32;
inline constexpr std::int64_t kMostHdf5Objects = 100'000;
inline constexpr std::int64_t kMostHdf5Numbers = std::int64_t{1} << 27;  // 1 GiB, unpacked, in all

/// A data set: numbers (of integers or floats, up to 64 bits), or texts; row-major.
struct Hdf5Value {
  std::vector<std::int64_t> sizes;  // empty: a single one
  bool is_text = false;
  std::vector<double> numbers;
  std::vector<std::string> texts;
};

struct Hdf5Group {
  std::map<std::string, Hdf5Value> values;
  std::map<std::string, Hdf5Group> groups;
};

/// Which objects are read, by their paths in the file ("/node/edges"); the others are not opened.
using Hdf5Wanted = std::function<bool(const std::string& place)>;

/// The root group. Opens for reading alone and takes no lock. Refused are soft and external links,
/// data in other files, filters other than deflate and shuffle, and sizes beyond the bounds above.
/// Throws Failure: where is "FILE:/PLACE".
Hdf5Group read_hdf5(const std::string& path, const Hdf5Wanted& wants);

}  // namespace tilestrike::dnn

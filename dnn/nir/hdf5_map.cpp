// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/nir/hdf5_map.h"

#include <hdf5.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "dnn/nir/hdf5_handle.h"
#include "dnn/nir/own_process.h"
#include "dnn/nir/wire.h"

namespace tilestrike::dnn {

void each(auto& wire, Hdf5Piece& piece) {
  wire(piece.address), wire(piece.bytes), wire(piece.skipped);
}

void each(auto& wire, Hdf5Entry& entry) {
  Hdf5Data& data = entry.data;
  wire(entry.parent), wire(entry.name), wire(entry.place), wire(entry.is_group);
  wire(data.sizes), wire(data.kind), wire(data.element), wire(data.is_big_endian);
  wire(data.chunk), wire(data.filters), wire(data.pieces), wire(data.compact);
}

namespace {

constexpr int kMostDimensions = 8;
constexpr std::int64_t kMostChunkBytes = std::int64_t{1} << 31;  // HDF5 itself: below 2^32
constexpr std::int64_t kReferenceBytes = 16;                     // to a heap
constexpr std::int64_t kFileBytesPerSecond = 1 << 22;            // of processor time, at least
constexpr std::int64_t kMemoryPerFileByte = 4;
constexpr std::int64_t kMostFileBytesCounted = std::int64_t{1} << 30;
constexpr const char* kWriteAgain = "write the file again, with h5py or the Python package nir";

/// HDF5 writes what fails to stderr unless it is told not to.
class QuietHdf5 {
 public:
  QuietHdf5() {
    H5open();
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~QuietHdf5() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  QuietHdf5(const QuietHdf5&) = delete;
  QuietHdf5& operator=(const QuietHdf5&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

[[noreturn]] void refuse(const std::string& what, const std::string& where,
                         const std::string& cure = kWriteAgain) {
  fail(ErrorCode::kInvalidInput, what, where, cure);
}

/// How a data set stores its numbers.
struct NumberType {
  hid_t id;
  Hdf5Kind kind;
  bool is_big_endian;
};

std::vector<NumberType> number_types() {
  using enum Hdf5Kind;
  return {{H5T_IEEE_F32LE, kFloat, false},   {H5T_IEEE_F64LE, kFloat, false},
          {H5T_STD_I64LE, kSigned, false},   {H5T_STD_I32LE, kSigned, false},
          {H5T_STD_I16LE, kSigned, false},   {H5T_STD_I8LE, kSigned, false},
          {H5T_STD_U64LE, kUnsigned, false}, {H5T_STD_U32LE, kUnsigned, false},
          {H5T_STD_U16LE, kUnsigned, false}, {H5T_STD_U8LE, kUnsigned, false},
          {H5T_IEEE_F32BE, kFloat, true},    {H5T_IEEE_F64BE, kFloat, true},
          {H5T_STD_I64BE, kSigned, true},    {H5T_STD_I32BE, kSigned, true}};
}

herr_t first_reason(unsigned, const H5E_error2_t* error, void* text) {
  auto& reason = *static_cast<std::string*>(text);
  if (reason.empty() && error->desc != nullptr) {
    reason = error->desc;
  }
  return 0;
}

struct Link {
  std::string name;
  H5L_type_t type;
};

herr_t add_link(hid_t, const char* name, const H5L_info_t* info, void* links) {
  auto& all = *static_cast<std::vector<Link>*>(links);
  all.push_back({name, info->type});
  return all.size() > static_cast<std::size_t>(kMostHdf5Objects) ? 1 : 0;
}

class Mapper {
 public:
  Mapper(const std::string& path, const Hdf5Wanted& wants)
      : path_(path), wants_(wants), file_(opened(path)) {
    const Hdf5Handle creation(H5Fget_create_plist(file_.id()), H5Pclose);
    std::size_t address_bytes = 0, length_bytes = 0;
    hsize_t user_block = 0;
    hdf5_checked(H5Pget_sizes(creation.id(), &address_bytes, &length_bytes),
                 "the file cannot be read", path);
    hdf5_checked(H5Pget_userblock(creation.id(), &user_block), "the file cannot be read", path);
    if (address_bytes != 8 || length_bytes != 8 || user_block != 0) {
      refuse("the file has a user block, or addresses that are not of 64 bits", path);
    }
  }

  std::vector<Hdf5Entry> map() {
    entries_.emplace_back();
    map_group(file_.id(), 0, 0);
    return std::move(entries_);
  }

 private:
  static Hdf5Handle opened(const std::string& path);
  std::string where(const std::string& place) const {
    return path_ + ":" + (place.empty() ? "/" : place);
  }
  std::vector<Link> links_of(hid_t group, const std::string& place);
  void map_group(hid_t group, std::uint64_t entry, int depth);
  Hdf5Data map_data(hid_t dataset, const std::string& place);
  void map_sizes(hid_t dataset, Hdf5Data& data, const std::string& place);
  void map_type(hid_t dataset, Hdf5Data& data, const std::string& place) const;
  void map_filters(hid_t creation, Hdf5Data& data, const std::string& place) const;
  void map_chunk(hid_t creation, Hdf5Data& data, const std::string& place) const;
  void map_pieces(hid_t dataset, Hdf5Data& data, const std::string& place);
  void map_compact(hid_t dataset, Hdf5Data& data, const std::string& place) const;

  std::string path_;
  const Hdf5Wanted& wants_;
  Hdf5Handle file_;
  std::vector<Hdf5Entry> entries_;
  std::int64_t objects_ = 0, numbers_ = 0, chunks_ = 0;
};

Hdf5Handle Mapper::opened(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    fail(ErrorCode::kNotFound, "no such file", path, "check the path");
  }
  if (!std::filesystem::is_regular_file(path, error)) {
    fail(ErrorCode::kInvalidInput, "this is no regular file", path, "name the .nir file");
  }
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  hdf5_checked(H5Pset_file_locking(access.id(), 0, 1), "locks cannot be switched off", path);
  Hdf5Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose);
  hdf5_checked(file.id(), "this is no HDF5 file, or a damaged one", path);
  return file;
}

std::vector<Link> Mapper::links_of(hid_t group, const std::string& place) {
  std::vector<Link> links;
  hdf5_checked(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, &add_link, &links),
               "the group cannot be read", where(place));
  objects_ += static_cast<std::int64_t>(links.size());
  if (objects_ > kMostHdf5Objects) {
    refuse("the file has more than " + std::to_string(kMostHdf5Objects) + " objects", path_);
  }
  for (const Link& link : links) {
    if (std::ranges::any_of(link.name, [](unsigned char c) { return c < ' ' || c == 127; })) {
      refuse("a name in this group has characters that cannot be printed", where(place));
    }
  }
  return links;
}

void Mapper::map_group(hid_t group, std::uint64_t entry, int depth) {
  const std::string place = entries_[entry].place;
  if (depth > kMostHdf5Nesting) {
    refuse("groups are nested beyond " + std::to_string(kMostHdf5Nesting), where(place));
  }
  for (const Link& link : links_of(group, place)) {
    const std::string here = place + "/" + link.name;
    if (!wants_(here)) {
      continue;
    }
    if (link.type != H5L_TYPE_HARD) {
      refuse("this is a link to somewhere else", where(here), "write the data themselves there");
    }
    const Hdf5Handle object(H5Oopen(group, link.name.c_str(), H5P_DEFAULT), H5Oclose);
    hdf5_checked(object.id(), "the object cannot be opened", where(here));
    const H5I_type_t type = H5Iget_type(object.id());
    if (type != H5I_GROUP && type != H5I_DATASET) {
      refuse("this is neither a group nor a data set", where(here));
    }
    entries_.push_back({entry, link.name, here, type == H5I_GROUP, {}});
    if (type == H5I_GROUP) {
      map_group(object.id(), entries_.size() - 1, depth + 1);
    } else {
      entries_.back().data = map_data(object.id(), here);
    }
  }
}

/// Fills in the sizes; elements are counted against the bound.
void Mapper::map_sizes(hid_t dataset, Hdf5Data& data, const std::string& place) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
  hdf5_checked(space.id(), "its shape cannot be read", where(place));
  if (H5Sget_simple_extent_type(space.id()) == H5S_NULL) {
    refuse("the data set is empty", where(place));
  }
  const int rank = hdf5_checked(H5Sget_simple_extent_ndims(space.id()), "its shape cannot be read",
                                where(place));
  if (rank > kMostDimensions) {
    refuse("it has " + std::to_string(rank) + " dimensions, and at most " +
               std::to_string(kMostDimensions) + " are read",
           where(place));
  }
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  hdf5_checked(H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr),
               "its shape cannot be read", where(place));
  std::int64_t count = 1;
  for (const hsize_t size : sizes) {
    if (size > static_cast<hsize_t>(kMostHdf5Numbers) ||
        (count *= static_cast<std::int64_t>(size)) > kMostHdf5Numbers - numbers_) {
      refuse("its shape says that it holds more numbers than a file may, which is " +
                 std::to_string(kMostHdf5Numbers),
             where(place));
    }
    data.sizes.push_back(static_cast<std::int64_t>(size));
  }
  numbers_ += count;
}

void Mapper::map_type(hid_t dataset, Hdf5Data& data, const std::string& place) const {
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
  hdf5_checked(type.id(), "its type cannot be read", where(place));
  data.element = H5Tget_size(type.id());
  if (H5Tget_class(type.id()) == H5T_STRING) {
    const bool is_in_heap = H5Tis_variable_str(type.id()) > 0;
    data.kind = is_in_heap ? Hdf5Kind::kHeapText : Hdf5Kind::kText;
    data.element = is_in_heap ? kReferenceBytes : data.element;
    if (data.element < 1 || data.element > kMostHdf5TextBytes) {
      refuse("its texts are empty or too long", where(place));
    }
    return;
  }
  for (const NumberType& number : number_types()) {
    if (H5Tequal(type.id(), number.id) > 0) {
      data.kind = number.kind;
      data.is_big_endian = number.is_big_endian;
      return;
    }
  }
  refuse("its type is none that is read", where(place),
         "known are integers of up to 64 bits, float32, float64, and text");
}

void Mapper::map_filters(hid_t creation, Hdf5Data& data, const std::string& place) const {
  const int filters =
      hdf5_checked(H5Pget_nfilters(creation), "its filters cannot be told", where(place));
  for (int i = 0; i < filters; ++i) {
    std::size_t values = 0;
    unsigned flags = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values,
                                               nullptr, 0, nullptr, nullptr);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE) {
      refuse("its data are packed by filter " + std::to_string(filter), where(place),
             "known are deflate (gzip) and shuffle; write with compression='gzip'");
    }
    data.filters.push_back(filter == H5Z_FILTER_DEFLATE ? Hdf5Filter::kDeflate
                                                        : Hdf5Filter::kShuffle);
  }
}

/// Sizes of a chunk.
void Mapper::map_chunk(hid_t creation, Hdf5Data& data, const std::string& place) const {
  std::vector<hsize_t> sizes(data.sizes.size());
  const int rank = static_cast<int>(sizes.size());
  if (rank == 0 || H5Pget_chunk(creation, rank, sizes.data()) != rank) {
    hdf5_failed("its chunks cannot be told", where(place));
  }
  auto bytes = static_cast<std::int64_t>(data.element);
  for (const hsize_t size : sizes) {
    if (size == 0 || size > static_cast<hsize_t>(kMostChunkBytes / bytes)) {
      refuse("a chunk of it is empty or beyond 2 GiB", where(place));
    }
    bytes *= static_cast<std::int64_t>(size);
    data.chunk.push_back(static_cast<std::int64_t>(size));
  }
}

/// Where all chunks lie.
void Mapper::map_pieces(hid_t dataset, Hdf5Data& data, const std::string& place) {
  std::vector<std::int64_t> first(data.sizes.size(), 0);
  for (bool is_more = data.count() > 0; is_more;
       is_more = next_place(first, data.chunk, data.sizes)) {
    const std::vector<hsize_t> offset(first.begin(), first.end());
    unsigned skipped = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t stored = 0;
    hdf5_checked(H5Dget_chunk_info_by_coord(dataset, offset.data(), &skipped, &address, &stored),
                 "a chunk of it cannot be found", where(place));
    if (address == HADDR_UNDEF || stored == 0) {
      refuse("the data set holds less than its shape says: a chunk is missing", where(place));
    }
    if (++chunks_ > kMostHdf5Chunks) {
      refuse("the file has more than " + std::to_string(kMostHdf5Chunks) + " chunks", path_);
    }
    data.pieces.push_back({address, stored, skipped});
  }
}

void Mapper::map_compact(hid_t dataset, Hdf5Data& data, const std::string& place) const {
  if (data.kind == Hdf5Kind::kHeapText) {
    refuse("texts of any length in compact storage are not read", where(place));
  }
  const auto bytes = static_cast<std::uint64_t>(data.count()) * data.element;
  if (bytes > H5Dget_storage_size(dataset)) {
    refuse("the data set holds less than its shape says", where(place));
  }
  data.compact.resize(bytes);
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
  hdf5_checked(H5Dread(dataset, type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, data.compact.data()),
               "the data set cannot be read", where(place));
}

Hdf5Data Mapper::map_data(hid_t dataset, const std::string& place) {
  const Hdf5Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  hdf5_checked(creation.id(), "the data set cannot be read", where(place));
  const H5D_layout_t layout = H5Pget_layout(creation.id());
  const bool is_elsewhere =
      layout == H5D_VIRTUAL || hdf5_checked(H5Pget_external_count(creation.id()),
                                            "the data cannot be found", where(place)) > 0;
  if (is_elsewhere) {
    refuse("its data are in another file", where(place), "write the data themselves there");
  }
  Hdf5Data data;
  map_filters(creation.id(), data, place);
  map_sizes(dataset, data, place);
  map_type(dataset, data, place);
  if (layout == H5D_CHUNKED) {
    map_chunk(creation.id(), data, place);
    map_pieces(dataset, data, place);
  } else if (layout == H5D_COMPACT) {
    map_compact(dataset, data, place);
  } else if (layout == H5D_CONTIGUOUS) {
    data.pieces.push_back({H5Dget_offset(dataset), H5Dget_storage_size(dataset), 0});
  } else {
    refuse("its data are laid out in an unknown way", where(place));
  }
  return data;
}

}  // namespace

bool next_place(std::vector<std::int64_t>& place, const std::vector<std::int64_t>& steps,
                const std::vector<std::int64_t>& sizes) {
  for (std::size_t i = place.size(); i-- > 0;) {
    place[i] += steps[i];
    if (place[i] < sizes[i]) {
      return true;
    }
    place[i] = 0;
  }
  return false;
}

void hdf5_failed(const std::string& what, const std::string& where) {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, &first_reason, &reason);
  refuse(what + (reason.empty() ? "" : " (HDF5 says: " + reason + ")"), where);
}

std::vector<Hdf5Entry> map_hdf5(const std::string& path, const Hdf5Wanted& wants) {
  std::error_code error;
  const std::uintmax_t found = std::filesystem::file_size(path, error);
  const auto size =
      static_cast<std::int64_t>(error ? 0 : std::min<std::uintmax_t>(found, kMostFileBytesCounted));
  ProcessLimits limits;  // more for files of many objects
  limits.seconds += static_cast<int>(size / kFileBytesPerSecond);
  limits.memory += kMemoryPerFileByte * size;
  const auto work = [&] {
    const QuietHdf5 quiet;
    std::vector<Hdf5Entry> entries = Mapper(path, wants).map();
    WireWriter wire;
    wire(entries);
    return wire.bytes();
  };
  WireReader wire(in_own_process(work, limits, "HDF5, at work on this file,", path,
                                 std::string("the file is damaged; ") + kWriteAgain));
  std::vector<Hdf5Entry> entries;
  wire(entries);
  return entries;
}

}  // namespace tilestrike::dnn

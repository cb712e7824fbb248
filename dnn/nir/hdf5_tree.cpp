// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/nir/hdf5_tree.h"

#include <hdf5.h>

#include <algorithm>
#include <bit>
#include <filesystem>

#include "base/error.h"
#include "dnn/nir/hdf5_bytes.h"
#include "dnn/nir/hdf5_handle.h"

namespace tilestrike::dnn {
namespace {

constexpr int kMostDimensions = 8;
constexpr std::int64_t kMostTextBytes = 1 << 26;  // in all
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
  int bytes;
  bool is_float, is_signed, is_big;
};

std::vector<NumberType> number_types() {
  return {{H5T_IEEE_F32LE, 4, true, true, false},  {H5T_IEEE_F64LE, 8, true, true, false},
          {H5T_STD_I64LE, 8, false, true, false},  {H5T_STD_I32LE, 4, false, true, false},
          {H5T_STD_I16LE, 2, false, true, false},  {H5T_STD_I8LE, 1, false, true, false},
          {H5T_STD_U64LE, 8, false, false, false}, {H5T_STD_U32LE, 4, false, false, false},
          {H5T_STD_U16LE, 2, false, false, false}, {H5T_STD_U8LE, 1, false, false, false},
          {H5T_IEEE_F32BE, 4, true, true, true},   {H5T_IEEE_F64BE, 8, true, true, true},
          {H5T_STD_I64BE, 8, false, true, true},   {H5T_STD_I32BE, 4, false, true, true}};
}

double decoded(const unsigned char* bytes, const NumberType& type) {
  std::uint64_t word = 0;
  for (int i = 0; i < type.bytes; ++i) {
    word = word << 8 | bytes[type.is_big ? i : type.bytes - 1 - i];
  }
  if (type.is_float) {
    return type.bytes == 4
               ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(word)))
               : std::bit_cast<double>(word);
  }
  const int unused = 64 - 8 * type.bytes;
  return type.is_signed ? static_cast<double>(static_cast<std::int64_t>(word << unused) >> unused)
                        : static_cast<double>(word);
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

class TreeReader {
 public:
  TreeReader(const std::string& path, const Hdf5Wanted& wants)
      : path_(path), wants_(wants), file_(opened(path)), bytes_(path) {
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

  Hdf5Group read() { return read_group(file_.id(), "", 0); }

 private:
  static Hdf5Handle opened(const std::string& path);
  std::string where(const std::string& place) const { return path_ + ":" + place; }
  Hdf5Group read_group(hid_t group, const std::string& place, int depth);
  Hdf5Value read_value(hid_t dataset, const std::string& place);
  void read_texts(hid_t dataset, hid_t type, std::int64_t count, Hdf5Value& value,
                  const std::string& place);
  void check_storage(hid_t dataset, const std::string& place) const;
  std::int64_t take_sizes(hid_t dataset, Hdf5Value& value, const std::string& place);

  std::string path_;
  const Hdf5Wanted& wants_;
  Hdf5Handle file_;
  Hdf5Bytes bytes_;
  std::int64_t objects_ = 0, numbers_ = 0, text_bytes_ = 0;
};

Hdf5Handle TreeReader::opened(const std::string& path) {
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

Hdf5Group TreeReader::read_group(hid_t group, const std::string& place, int depth) {
  if (depth > kMostHdf5Nesting) {
    refuse("groups are nested beyond " + std::to_string(kMostHdf5Nesting), where(place));
  }
  std::vector<Link> links;
  hdf5_checked(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, &add_link, &links),
               "the group cannot be read", where(place));
  objects_ += static_cast<std::int64_t>(links.size());
  if (objects_ > kMostHdf5Objects) {
    refuse("the file has more than " + std::to_string(kMostHdf5Objects) + " objects", path_);
  }
  Hdf5Group found;
  for (const Link& link : links) {
    if (std::ranges::any_of(link.name, [](unsigned char c) { return c < ' ' || c == 127; })) {
      refuse("a name in this group has characters that cannot be printed",
             where(place.empty() ? "/" : place));
    }
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
    if (type == H5I_GROUP) {
      found.groups[link.name] = read_group(object.id(), here, depth + 1);
    } else if (type == H5I_DATASET) {
      found.values[link.name] = read_value(object.id(), here);
    } else {
      refuse("this is neither a group nor a data set", where(here));
    }
  }
  return found;
}

void TreeReader::check_storage(hid_t dataset, const std::string& place) const {
  const Hdf5Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  hdf5_checked(creation.id(), "the data set cannot be read", where(place));
  const H5D_layout_t layout = H5Pget_layout(creation.id());
  const bool is_elsewhere =
      layout == H5D_VIRTUAL || hdf5_checked(H5Pget_external_count(creation.id()),
                                            "the data cannot be found", where(place)) > 0;
  if (is_elsewhere) {
    refuse("its data are in another file", where(place), "write the data themselves there");
  }
  if (layout != H5D_CONTIGUOUS && layout != H5D_COMPACT && layout != H5D_CHUNKED) {
    refuse("its data are laid out in an unknown way", where(place));
  }
  const int filters =
      hdf5_checked(H5Pget_nfilters(creation.id()), "its filters cannot be told", where(place));
  for (int i = 0; i < filters; ++i) {
    std::size_t values = 0;
    unsigned flags = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation.id(), static_cast<unsigned>(i), &flags,
                                               &values, nullptr, 0, nullptr, nullptr);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE) {
      refuse("its data are packed by filter " + std::to_string(filter), where(place),
             "known are deflate (gzip) and shuffle; write with compression='gzip'");
    }
  }
}

/// Fills in the sizes; the number of elements, which is counted against the bound.
std::int64_t TreeReader::take_sizes(hid_t dataset, Hdf5Value& value, const std::string& place) {
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
    value.sizes.push_back(static_cast<std::int64_t>(size));
  }
  numbers_ += count;
  return count;
}

void TreeReader::read_texts(hid_t dataset, hid_t type, std::int64_t count, Hdf5Value& value,
                            const std::string& place) {
  value.is_text = true;
  const bool is_in_heap = H5Tis_variable_str(type) > 0;
  const auto length = static_cast<std::int64_t>(H5Tget_size(type));
  const Hdf5Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  if (is_in_heap && H5Pget_layout(creation.id()) == H5D_COMPACT) {
    refuse("texts of any length in compact storage are not read", where(place));
  }
  const std::int64_t element = is_in_heap ? Hdf5Bytes::kReferenceBytes : length;
  if (length <= 0 || count > kMostHdf5Objects ||
      element > kMostTextBytes / std::max<std::int64_t>(count, 1)) {
    refuse("it holds too many texts, or too long ones", where(place));
  }
  const Bytes bytes = bytes_.read(dataset, value.sizes, element, where(place));
  for (std::int64_t i = 0; i < count; ++i) {
    const unsigned char* at = bytes.data() + i * element;
    std::string text = is_in_heap ? bytes_.heap_text(at, where(place))
                                  : std::string(reinterpret_cast<const char*>(at), element);
    text.resize(std::min(text.find('\0'), text.size()));
    text_bytes_ += static_cast<std::int64_t>(text.size());
    if (text_bytes_ > kMostTextBytes) {
      refuse("the file's texts are too long", where(place));
    }
    value.texts.push_back(std::move(text));
  }
}

Hdf5Value TreeReader::read_value(hid_t dataset, const std::string& place) {
  check_storage(dataset, place);
  Hdf5Value value;
  const std::int64_t count = take_sizes(dataset, value, place);
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
  hdf5_checked(type.id(), "its type cannot be read", where(place));
  if (H5Tget_class(type.id()) == H5T_STRING) {
    read_texts(dataset, type.id(), count, value, place);
    return value;
  }
  for (const NumberType& number : number_types()) {
    if (H5Tequal(type.id(), number.id) > 0) {
      const Bytes bytes = bytes_.read(dataset, value.sizes, number.bytes, where(place));
      value.numbers.resize(static_cast<std::size_t>(count));
      for (std::int64_t i = 0; i < count; ++i) {
        value.numbers[static_cast<std::size_t>(i)] =
            decoded(bytes.data() + i * number.bytes, number);
      }
      return value;
    }
  }
  refuse("its type is none that is read", where(place),
         "known are integers of up to 64 bits, float32, float64, and text");
}

}  // namespace

void hdf5_failed(const std::string& what, const std::string& where) {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, &first_reason, &reason);
  refuse(what + (reason.empty() ? "" : " (HDF5 says: " + reason + ")"), where);
}

Hdf5Group read_hdf5(const std::string& path, const Hdf5Wanted& wants) {
  const QuietHdf5 quiet;
  return TreeReader(path, wants).read();
}

}  // namespace tilestrike::dnn

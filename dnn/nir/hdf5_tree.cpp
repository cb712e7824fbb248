// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/nir/hdf5_tree.h"

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "dnn/nir/hdf5_bytes.h"
#include "dnn/nir/hdf5_map.h"

namespace tilestrike::dnn {
namespace {

double decoded(const unsigned char* bytes, const Hdf5Data& data) {
  std::uint64_t word = 0;
  for (std::uint64_t i = 0; i < data.element; ++i) {
    word = word << 8 | bytes[data.is_big_endian ? i : data.element - 1 - i];
  }
  if (data.kind == Hdf5Kind::kFloat) {
    return data.element == 4
               ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(word)))
               : std::bit_cast<double>(word);
  }
  const std::uint64_t unused = 64 - 8 * data.element;
  return data.kind == Hdf5Kind::kSigned
             ? static_cast<double>(static_cast<std::int64_t>(word << unused) >> unused)
             : static_cast<double>(word);
}

class ValueReader {
 public:
  explicit ValueReader(const std::string& path) : path_(path), bytes_(path) {}

  Hdf5Value read(const Hdf5Entry& entry) {
    const Hdf5Data& data = entry.data;
    const std::string where = path_ + ":" + entry.place;
    Hdf5Value value;
    value.sizes = data.sizes;
    value.is_text = data.kind == Hdf5Kind::kText || data.kind == Hdf5Kind::kHeapText;
    if (value.is_text) {
      count_texts(static_cast<std::uint64_t>(data.count()) * data.element, where);
    }
    const Bytes bytes = bytes_.read(data, where);
    value.numbers.reserve(value.is_text ? 0 : bytes.size() / data.element);
    for (std::uint64_t at = 0; at < bytes.size(); at += data.element) {
      if (value.is_text) {
        value.texts.push_back(text_at(bytes.data() + at, data, where));
      } else {
        value.numbers.push_back(decoded(bytes.data() + at, data));
      }
    }
    return value;
  }

 private:
  std::string text_at(const unsigned char* at, const Hdf5Data& data, const std::string& where) {
    std::string text = data.kind == Hdf5Kind::kHeapText
                           ? bytes_.heap_text(at, where)
                           : std::string(reinterpret_cast<const char*>(at), data.element);
    text.resize(std::min(text.find('\0'), text.size()));
    count_texts(text.size(), where);
    return text;
  }
  void count_texts(std::uint64_t more, const std::string& where) {
    text_bytes_ += more;
    if (text_bytes_ > kMostHdf5TextBytes) {
      fail(ErrorCode::kInvalidInput, "the file's texts are too long, or too many", where,
           "a file may hold " + std::to_string(kMostHdf5TextBytes) + " bytes of text");
    }
  }

  std::string path_;
  Hdf5Bytes bytes_;
  std::uint64_t text_bytes_ = 0;
};

}  // namespace

Hdf5Group read_hdf5(const std::string& path, const Hdf5Wanted& wants) {
  const std::vector<Hdf5Entry> entries = map_hdf5(path, wants);
  ValueReader reader(path);
  Hdf5Group root;
  std::vector<Hdf5Group*> groups(entries.size(), nullptr);  // maps keep them where they are
  groups[0] = &root;
  for (std::size_t i = 1; i < entries.size(); ++i) {
    const Hdf5Entry& entry = entries[i];
    Hdf5Group& parent = *groups[entry.parent];
    if (entry.is_group) {
      groups[i] = &parent.groups[entry.name];
    } else {
      parent.values[entry.name] = reader.read(entry);
    }
  }
  return root;
}

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy format, versions 1 to 3.
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "dnn/data.h"
#include "dnn/data_files.h"

namespace tilestrike::dnn {
namespace {

struct NpyType {
  const char* name;  // NumPy's, little-endian
  c10::ScalarType type;
};
constexpr std::array kTypes{
    NpyType{"<f4", c10::kFloat}, NpyType{"<f8", c10::kDouble}, NpyType{"<f2", c10::kHalf},
    NpyType{"|u1", c10::kByte},  NpyType{"|i1", c10::kChar},   NpyType{"<i2", c10::kShort},
    NpyType{"<i4", c10::kInt},   NpyType{"<i8", c10::kLong},   NpyType{"|b1", c10::kBool}};
constexpr char kSaveAgain[] = "write it again with numpy.save";
constexpr std::size_t kMagicBytes = 8;  // "\x93NUMPY" and two bytes of version
constexpr std::int64_t kLongestHeader = 1 << 20;

struct NpyHeader {
  c10::ScalarType type = c10::kFloat;
  bool is_fortran_order = false;
  std::vector<std::int64_t> sizes;
  std::int64_t data_begin = 0;
};

/// The text of a header's entry, from behind "'key':" on.
std::string_view entry_of(std::string_view header, const std::string& key,
                          const std::string& path) {
  const std::size_t found = header.find("'" + key + "':");
  if (found == std::string_view::npos) {
    fail(ErrorCode::kInvalidInput, "its header has no entry '" + key + "'", path, kSaveAgain);
  }
  std::string_view rest = header.substr(found + key.size() + 3);
  return rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
}

c10::ScalarType type_of(std::string_view entry, const std::string& path) {
  if (entry.empty() || (entry.front() != '\'' && entry.front() != '"')) {
    fail(ErrorCode::kUnsupported, "it holds records, not numbers", path,
         "save one array of numbers with numpy.save");
  }
  const std::string_view name = entry.substr(1, entry.find(entry.front(), 1) - 1);
  for (const NpyType& type : kTypes) {
    if (name == type.name || (name.size() > 1 && type.name[0] == '|' &&
                              name.substr(1) == std::string_view(type.name).substr(1))) {
      return type.type;
    }
  }
  const bool is_object = name.find('O') != std::string_view::npos;
  fail(ErrorCode::kUnsupported,
       "it holds " +
           (is_object ? "Python objects" : "elements of the type '" + std::string(name) + "'"),
       path,
       "allowed: little-endian float32, float64, float16, uint8, int8, int16, int32, int64 and "
       "bool; "
       "convert it with array.astype(numpy.float32)");
}

std::vector<std::int64_t> sizes_of(std::string_view entry, const std::string& path) {
  const std::size_t end = entry.find(')');
  std::vector<std::int64_t> sizes;
  std::string digits;
  bool is_good = end != std::string_view::npos && entry.front() == '(';
  for (std::size_t i = 1; is_good && i <= end; ++i) {
    const char letter = entry[i];
    if (letter >= '0' && letter <= '9') {
      digits += letter;
    } else if (letter == ',' || letter == ')') {
      if (!digits.empty()) {
        const auto number = parse_integer(digits);
        is_good = number.has_value();
        sizes.push_back(number.value_or(0));
        digits.clear();
      }
    } else {
      is_good = letter == ' ';
    }
  }
  if (!is_good) {
    fail(ErrorCode::kInvalidInput, "its header has no readable shape", path, kSaveAgain);
  }
  return sizes;
}

NpyHeader read_header(std::ifstream& file, const std::string& path) {
  std::array<char, kMagicBytes> magic{};
  file.read(magic.data(), magic.size());
  if (!file || std::string_view(magic.data(), 6) != "\x93NUMPY") {
    fail(ErrorCode::kInvalidInput, "this is not a .npy file", path, kSaveAgain);
  }
  const int length_bytes = magic[6] == 1 ? 2 : 4;
  std::array<unsigned char, 4> length{};
  file.read(reinterpret_cast<char*>(length.data()), length_bytes);
  const std::int64_t header_bytes = length[0] | (length[1] << 8) | (length[2] << 16) |
                                    (static_cast<std::int64_t>(length[3]) << 24);
  if (!file || header_bytes > kLongestHeader) {
    fail(ErrorCode::kInvalidInput, "its header is damaged", path, kSaveAgain);
  }
  std::string text(static_cast<std::size_t>(header_bytes), ' ');
  file.read(text.data(), header_bytes);
  if (!file) {
    fail(ErrorCode::kInvalidInput, "the file ends within its header", path, kSaveAgain);
  }
  NpyHeader header;
  header.type = type_of(entry_of(text, "descr", path), path);
  header.is_fortran_order = entry_of(text, "fortran_order", path).starts_with("True");
  header.sizes = sizes_of(entry_of(text, "shape", path), path);
  header.data_begin = static_cast<std::int64_t>(kMagicBytes) + length_bytes + header_bytes;
  return header;
}

/// Throws Failure unless the file holds as many bytes as its header says.
void check_length(const NpyHeader& header, const std::string& path) {
  std::error_code ignored;
  const auto held =
      static_cast<std::int64_t>(std::filesystem::file_size(path, ignored)) - header.data_begin;
  std::int64_t wanted = static_cast<std::int64_t>(c10::elementSize(header.type));
  bool is_beyond = false;
  for (const std::int64_t size : header.sizes) {
    is_beyond = is_beyond || __builtin_mul_overflow(wanted, size, &wanted);
  }
  if (is_beyond || held != wanted) {
    fail(ErrorCode::kInvalidInput,
         "it holds " + std::to_string(held) + " bytes of data, but its shape " +
             shape_text(header.sizes) + " takes " + (is_beyond ? "more" : std::to_string(wanted)),
         path, "the file is truncated or damaged; " + std::string(kSaveAgain));
  }
}

}  // namespace

ArrayFile read_npy_rows(const std::string& path, RowChoice choice) {
  check_is_file(path, "check the path");
  std::ifstream file(path, std::ios::binary);
  NpyHeader header = read_header(file, path);
  check_length(header, path);
  const std::int64_t total = header.sizes.empty() ? 1 : header.sizes.front();
  const std::int64_t count = choice.count(total);
  if (header.is_fortran_order) {  // rows lie everywhere: all is read
    std::ranges::reverse(header.sizes);
  } else if (!header.sizes.empty()) {
    header.sizes.front() = count;
  }
  at::Tensor rows = at::empty(header.sizes, header.type);
  auto* to = static_cast<char*>(rows.mutable_data_ptr());
  const bool is_at_once = header.is_fortran_order || choice.is_start(total);
  const auto bytes = static_cast<std::streamsize>(rows.nbytes());
  const std::streamsize row_bytes = is_at_once ? bytes : bytes / count;
  for (std::streamsize done = 0; done < bytes; done += row_bytes) {
    if (!is_at_once) {
      file.seekg(header.data_begin + choice.row(done / row_bytes, total) * row_bytes);
    }
    file.read(to + done, row_bytes);
  }
  if (!file) {
    fail(ErrorCode::kMachine, "the file cannot be read to its end", path, "check the disk");
  }
  if (header.is_fortran_order) {
    std::vector<std::int64_t> order(header.sizes.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = static_cast<std::int64_t>(order.size() - 1 - i);
    }
    rows = rows.permute(order).contiguous();
    if (count < total) {
      std::vector<at::Tensor> chosen;
      for (std::int64_t i = 0; i < count; ++i) {
        chosen.push_back(rows.narrow(0, choice.row(i, total), 1));
      }
      rows = at::cat(chosen);
    }
  }
  return {rows, total};
}

at::Tensor read_npy(const std::string& path) { return read_npy_rows(path, 0).rows; }

void write_npy(const std::string& path, const at::Tensor& tensor) {
  const bool is_unknown_to_numpy =
      tensor.scalar_type() == c10::kBFloat16 || c10::isFloat8Type(tensor.scalar_type());
  const at::Tensor here =
      (is_unknown_to_numpy ? tensor.to(c10::kFloat) : tensor).cpu().contiguous();
  const auto type = std::ranges::find(kTypes, here.scalar_type(), &NpyType::type);
  TS_CHECK(type != kTypes.end(), "an array of one of NumPy's types is written");
  std::string shape;
  for (const std::int64_t size : here.sizes()) {
    shape += std::to_string(size) + ", ";
  }
  if (here.dim() > 1) {
    shape.resize(shape.size() - 2);
  }
  std::string header = "{'descr': '" + std::string(type->name) +
                       "', 'fortran_order': False, 'shape': (" + shape + "), }";
  constexpr std::size_t kAlignment = 64;
  const std::size_t before = kMagicBytes + 2;
  const std::size_t whole = (before + header.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  header.resize(whole - before - 1, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write("\x93NUMPY\x01\x00", kMagicBytes);
  file.put(static_cast<char>(header.size() & 0xff)).put(static_cast<char>(header.size() >> 8));
  file << header;
  file.write(static_cast<const char*>(here.const_data_ptr()),
             static_cast<std::streamsize>(here.nbytes()));
  file.close();
  if (!file) {
    fail(ErrorCode::kMachine, "the array cannot be written", path,
         "check that the folder exists, that it can be written and that the disk has room");
  }
}

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The IDX format of the MNIST family: two zeros, a type, the number of dimensions, each as a
// big-endian 32-bit number, then the bytes.
#include <ATen/ops/empty.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/error.h"
#include "dnn/data_files.h"

namespace tilestrike::dnn {
namespace {

constexpr int kUnsignedByte = 8;
constexpr std::int64_t kChunk = 1 << 20;
constexpr char kFetchAgain[] = "the file is truncated or damaged; fetch it again";

class GzipFile {
 public:
  explicit GzipFile(const std::string& path) : path_(path), file_(gzopen(path.c_str(), "rb")) {
    if (file_ == nullptr) {
      fail(ErrorCode::kMachine, "the file cannot be opened", path, "check its permissions");
    }
  }
  GzipFile(const GzipFile&) = delete;
  GzipFile& operator=(const GzipFile&) = delete;
  ~GzipFile() { gzclose(file_); }

  /// As many bytes as there are, up to `count`.
  std::int64_t read(void* bytes, std::int64_t count) {
    std::int64_t done = 0;
    while (done < count) {
      const auto part = static_cast<unsigned>(std::min(count - done, kChunk));
      const int got = gzread(file_, static_cast<char*>(bytes) + done, part);
      if (got < 0) {
        fail(ErrorCode::kInvalidInput, "the file cannot be decompressed", path_, kFetchAgain);
      }
      if (got == 0) {
        break;
      }
      done += got;
    }
    return done;
  }

  /// Whether the compressed bytes broke off before their end.
  bool is_cut() const {
    int code = Z_OK;
    gzerror(file_, &code);
    return code == Z_BUF_ERROR;
  }

 private:
  std::string path_;
  gzFile file_;
};

}  // namespace

ArrayFile read_idx_rows(const std::string& path, RowChoice choice) {
  check_is_file(path, "check the path");
  GzipFile file(path);
  std::array<unsigned char, 4> start{};
  if (file.read(start.data(), 4) != 4 || start[0] != 0 || start[1] != 0 || start[3] == 0) {
    fail(ErrorCode::kInvalidInput, "this is neither a .npy nor an IDX file", path,
         "save the array with numpy.save");
  }
  if (start[2] != kUnsignedByte) {
    fail(ErrorCode::kUnsupported,
         "its elements have the IDX type " + std::to_string(start[2]) + ", not unsigned bytes (8)",
         path, "convert it to a .npy file of float32 with numpy.save");
  }
  std::vector<std::int64_t> sizes;
  std::int64_t row_bytes = 1;
  bool is_beyond = false;
  for (int i = 0; i < start[3]; ++i) {
    std::array<unsigned char, 4> size{};
    if (file.read(size.data(), 4) != 4) {
      fail(ErrorCode::kInvalidInput, "the file ends within its header", path, kFetchAgain);
    }
    sizes.push_back((static_cast<std::int64_t>(size[0]) << 24) | (size[1] << 16) | (size[2] << 8) |
                    size[3]);
    is_beyond = is_beyond || (i > 0 && __builtin_mul_overflow(row_bytes, sizes.back(), &row_bytes));
  }
  std::int64_t wanted = 0;
  is_beyond = is_beyond || __builtin_mul_overflow(row_bytes, sizes.front(), &wanted);

  // Bytes are taken as they come: what the header claims is not believed before they are there.
  std::vector<unsigned char> bytes;
  std::int64_t held = 0;
  while (!is_beyond && held <= wanted) {
    bytes.resize(static_cast<std::size_t>(held + kChunk));
    const std::int64_t got = file.read(bytes.data() + held, kChunk);
    held += got;
    if (got < kChunk) {
      break;
    }
  }
  if (file.is_cut()) {
    fail(ErrorCode::kInvalidInput, "its compressed bytes break off", path, kFetchAgain);
  }
  if (is_beyond || held != wanted) {
    fail(ErrorCode::kInvalidInput,
         "it holds " + std::string(held > wanted && !is_beyond ? "more" : "fewer") +
             " bytes than its shape " + shape_text(sizes) + " takes",
         path, kFetchAgain);
  }
  const std::int64_t total = sizes.front();
  sizes.front() = choice.count(total);
  at::Tensor rows = at::empty(sizes, c10::kByte);
  auto* to = static_cast<unsigned char*>(rows.mutable_data_ptr());
  for (std::int64_t i = 0; i < sizes.front(); ++i) {
    to = std::copy_n(bytes.data() + choice.row(i, total) * row_bytes, row_bytes, to);
  }
  return {rows, total};
}

}  // namespace tilestrike::dnn

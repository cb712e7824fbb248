// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Arrays in files, of which only the first rows may be wanted.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace tilestrike::dnn {

struct ArrayFile {
  at::Tensor rows;         // the first `most` of dimension 0 (0: all), on the CPU, contiguous
  std::int64_t total = 0;  // how many there are
};

/// Both throw Failure, naming file, fault and cure.
ArrayFile read_npy_rows(const std::string& path, std::int64_t most);
/// Unsigned bytes; the file may be gzip'd.
ArrayFile read_idx_rows(const std::string& path, std::int64_t most);

/// Throws Failure unless the path names a file that can be opened.
void check_is_file(const std::string& path, const std::string& cure);

/// "(2, 3, 4)"; -1 is "N".
std::string shape_text(c10::IntArrayRef sizes);

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Arrays in files, of which only some rows may be wanted.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "dnn/data.h"

namespace tilestrike::dnn {

struct ArrayFile {
  at::Tensor rows;         // the chosen ones of dimension 0, on the CPU, contiguous
  std::int64_t total = 0;  // how many there are
};

/// Both throw Failure, naming file, fault and cure.
ArrayFile read_npy_rows(const std::string& path, RowChoice choice);
/// Unsigned bytes; the file may be gzip'd.
ArrayFile read_idx_rows(const std::string& path, RowChoice choice);

/// Of .npy and IDX files; a data set is named by its file (path_of_images).
ArrayFile read_rows(const std::string& path, RowChoice choice);
/// The file of a data set's images; any other path is itself.
std::string path_of_images(const std::string& images);
/// The file of a data set's own labels; of any other path: empty.
std::string path_of_own_labels(const std::string& images);

bool is_npy(const std::string& path);
/// Images as float32 (N, ...).
at::Tensor image_rows(const ArrayFile& file, const std::string& path);
/// Labels of so many images, as DataSet has them.
at::Tensor label_rows(const ArrayFile& file, const std::string& path, std::int64_t images);
/// Throws Failure for NaN and infinity.
void check_finite(const at::Tensor& images, const std::string& path);

/// Throws Failure unless the path names a file that can be opened.
void check_is_file(const std::string& path, const std::string& cure);

/// "(2, 3, 4)"; -1 is "N", the batch; below it is "any".
std::string shape_text(c10::IntArrayRef sizes);

}  // namespace tilestrike::dnn

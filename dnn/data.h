// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Images and labels: NumPy .npy files, IDX files (gzip'd or not), and the Fashion-MNIST package.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tilestrike::dnn {

/// Which rows of a file are wanted.
class RowChoice {
 public:
  /// The first so many; 0, or more than there are: all.
  RowChoice(std::int64_t most = 0) : most_(most) {}  // NOLINT(google-explicit-constructor)
  /// As many, spread evenly over the whole file, whatever its order: one of each of so many parts
  /// of equal length, at a place in it that repeats with no period (a file may be sorted by class,
  /// or have the classes in turns).
  static RowChoice spread(std::int64_t most) {
    RowChoice choice(most);
    choice.is_spread_ = true;
    return choice;
  }

  std::int64_t count(std::int64_t total) const {
    return most_ > 0 && most_ < total ? most_ : total;
  }
  /// The row of the file, from 0, that comes as number `index` of count(total); they rise, and the
  /// first is 0.
  std::int64_t row(std::int64_t index, std::int64_t total) const;
  bool is_start(std::int64_t total) const { return !is_spread_ || count(total) == total; }

 private:
  std::int64_t most_ = 0;
  bool is_spread_ = false;
};

struct DataSet {
  at::Tensor images;  // float32 (N, ...), contiguous, on the CPU
  at::Tensor labels;  // int64 (N); (N, ...) of integers or bool; float32 (N, ...); or undefined
};

/// `images`: a .npy file (float32, float64 or float16; or uint8, taken as byte / 255), an IDX file
/// of unsigned bytes (N, H, W) taken as (N, 1, H, W) byte / 255, or "fashion_mnist/train" or
/// "fashion_mnist/test" (which bring their labels). `labels`: a .npy of numbers or an IDX file;
/// may be empty; what they mean is the judge's matter. Throws Failure, naming file, fault and cure:
/// labels that do not match in number or are not finite, an empty set, NaN in images, object
/// arrays, truncated files.
DataSet load_data(const std::string& images, const std::string& labels, RowChoice choice = {});

at::Tensor read_npy(const std::string& path);
/// Writes C-contiguous little-endian NPY 1.0; bfloat16 and float8, which NumPy does not have, as
/// float32. Throws Failure (kMachine) when it cannot.
void write_npy(const std::string& path, const at::Tensor& tensor);

/// Throws Failure when images of this shape cannot enter the network: names both shapes.
void check_images_fit(const at::Tensor& images, const std::string& file,
                      const std::vector<std::int64_t>& network_sizes);

}  // namespace tilestrike::dnn

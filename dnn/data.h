// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Images and labels: NumPy .npy files, IDX files (gzip'd or not), and the Fashion-MNIST package.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tilestrike::dnn {

struct DataSet {
  at::Tensor images;  // float32 (N, ...), contiguous, on the CPU
  at::Tensor labels;  // int64 (N), or undefined
};

/// `images`: a .npy file (float32, float64 or float16; or uint8, taken as byte / 255), an IDX file
/// of unsigned bytes (N, H, W) taken as (N, 1, H, W) byte / 255, or "fashion_mnist/train" or
/// "fashion_mnist/test" (which bring their labels). `labels`: a .npy of integers or an IDX file;
/// may be empty. `most`: how many to keep from the start; 0: all. Throws Failure, naming file,
/// fault and cure: labels that do not match in number, an empty set, NaN in images, object arrays,
/// truncated files.
DataSet load_data(const std::string& images, const std::string& labels, std::int64_t most = 0);

at::Tensor read_npy(const std::string& path);
/// Writes C-contiguous little-endian NPY 1.0. Throws Failure (kMachine) when it cannot.
void write_npy(const std::string& path, const at::Tensor& tensor);

/// Throws Failure when images of this shape cannot enter the network: names both shapes.
void check_images_fit(const at::Tensor& images, const std::string& file,
                      const std::vector<std::int64_t>& network_sizes);

}  // namespace tilestrike::dnn

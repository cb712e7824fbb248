// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Networks so small that all faults of a population can be tried, as files that a scenario names.
// No LibTorch in this header.
#pragma once

#include <cstdint>
#include <string>

namespace tilestrike::bridge {

/// A 3 x 3 convolution of one-channel images of 6 x 6, ReLU, 2 x 2 pooling and a linear layer, with
/// drawn weights and images.
struct TinyNetwork {
  std::int64_t channels = 4;
  std::int64_t classes = 10;
  std::int64_t images = 8;
};

struct TinyFiles {
  std::string model;   // TorchScript
  std::string images;  // .npy
  std::string labels;  // .npy: the network's own answers, but for every fourth image
};

/// Writes the files into an existing folder, named by the network.
TinyFiles write_tiny_network(const std::string& folder, const TinyNetwork& network);

}  // namespace tilestrike::bridge

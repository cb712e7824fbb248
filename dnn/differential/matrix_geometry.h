// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dnn/integer/integer_layers.h"

namespace tilestrike::dnn {

/// What a matrix layer reads and writes. A linear layer is a convolution over images of one pixel,
/// an image for each of its rows. Of a spiking network each tick of an image is an image: whatever
/// leads channels, lines and columns.
struct MatrixGeometry {
  std::int64_t images, channels, height, width, outputs, out_height, out_width;
  std::int64_t pixels() const { return height * width; }
  std::int64_t out_pixels() const { return out_height * out_width; }
  friend bool operator==(const MatrixGeometry&, const MatrixGeometry&) = default;

  static MatrixGeometry of(const MatrixShape& shape, const at::Tensor& input,
                           const at::Tensor& output) {
    const std::int64_t channels = shape.in_channels, outputs = shape.out_channels;
    if (!shape.is_convolution) {
      return {input.numel() / channels, channels, 1, 1, outputs, 1, 1};
    }
    std::int64_t images = 1;
    for (std::int64_t d = 0; d + 3 < input.dim(); ++d) {
      images *= input.size(d);
    }
    return {images,  channels,        input.size(-2), input.size(-1),
            outputs, output.size(-2), output.size(-1)};
  }
};

}  // namespace tilestrike::dnn

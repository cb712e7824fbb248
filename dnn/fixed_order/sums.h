// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Sums of float32 products in one fixed order (docs/differential.md): an output begins with its
// bias, or with 0, and adds weight * input by input channel, then kernel line, then kernel column,
// all ascending. Padding adds nothing. Each product and each sum is rounded. A sum that is no
// number is kNoNumber. Which outputs are computed together changes none of them.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "dnn/differential/matrix_geometry.h"

namespace tilestrike::dnn {

inline constexpr float kNoNumber = std::numeric_limits<float>::quiet_NaN();

/// The weights and biases of a layer, side by side for sixteen outputs of a group.
class PackedWeights {
 public:
  explicit PackedWeights(const MatrixShape& shape);

  /// Weight k of output o is weights[o * output_step + k * depth_step]; `biases` may be null. Packs
  /// what is not as it was in the last call.
  void follow(const float* weights, std::int64_t output_step, std::int64_t depth_step,
              const float* biases);

  std::int64_t pitch() const { return pitch_; }  // outputs of a group, whole blocks
  /// A block's weights lie by k.
  const float* block(std::int64_t group, std::int64_t first) const {
    return floats() + (group * pitch_ + first) * depth_;
  }
  const float* biases(std::int64_t group) const { return biases_.data() + group * pitch_; }

 private:
  /// The weights of a block at one k: one line of a cache.
  struct alignas(64) Line {
    float lanes[16] = {};
  };
  const float* floats() const { return packed_.data()->lanes; }
  void pack(std::int64_t output, const float* weights, std::int64_t depth_step);

  std::int64_t outputs_, depth_, group_outputs_, pitch_;
  std::vector<Line> packed_;
  std::vector<float> given_, biases_;
};

/// What an output reads at k, from its first term's place on.
struct WindowTerm {
  std::int32_t offset, k;
};

/// The sums of one layer for inputs of one size.
class FixedSums {
 public:
  /// Rows that row_sums() computes at once.
  static constexpr std::size_t kRows = 6;

  FixedSums(const MatrixShape& shape, const MatrixGeometry& planes);

  const MatrixGeometry& planes() const { return planes_; }
  /// Whether all outputs are computed sooner by channel_sums(): with few in a group.
  bool prefers_channels() const {
    return shape_.out_channels / shape_.groups < 8 && planes_.out_pixels() >= 16;
  }
  /// Pixels of a kind have the same part of their window inside the image.
  std::size_t kinds() const { return kinds_.size(); }
  std::size_t kind_of(std::int64_t pixel) const {
    return kind_of_[static_cast<std::size_t>(pixel % planes_.out_pixels())];
  }

  /// Outputs of a group, in blocks of sixteen.
  struct Blocks {
    std::int64_t group, first, end;
  };
  static Blocks all_of(const PackedWeights& weights, std::int64_t group) {
    return {group, 0, weights.pitch()};
  }
  Blocks block_of(std::int64_t channel) const;

  /// The outputs of some blocks at up to kRows pixels of one kind, numbered through all images.
  /// Output o of the group at the r-th of them is sums[r * weights.pitch() + o].
  void row_sums(const float* input, const PackedWeights& weights, const Blocks& blocks,
                std::span<const std::uint32_t> pixels, float* sums) const;
  /// All pixels, as row_sums() takes them.
  template <class Visit>
  void each_rows(const Visit& visit) const {
    std::array<std::uint32_t, kRows> pixels{};
    std::size_t held = 0;
    for (const Kind& kind : kinds_) {
      for (std::int64_t image = 0; image < planes_.images; ++image) {
        for (const std::uint32_t pixel : kind.pixels) {
          pixels[held++] = static_cast<std::uint32_t>(image * planes_.out_pixels()) + pixel;
          if (held == kRows) {
            visit(std::span<const std::uint32_t>(pixels));
            held = 0;
          }
        }
      }
      if (held > 0) {
        visit(std::span<const std::uint32_t>(pixels).first(held));
        held = 0;
      }
    }
  }
  /// One output channel of one image: `weights`: its own, by k.
  void channel_sums(const float* input, const float* weights, float bias, std::int64_t image,
                    std::int64_t channel, float* sums) const;
  /// All outputs, row-major.
  void all(const float* input, const PackedWeights& weights, float* output) const;

 private:
  struct Kind {
    std::int64_t first = 0;  // where its first term reads, from the window's corner on
    std::vector<WindowTerm> terms;
    std::vector<std::uint32_t> pixels;  // of an image
  };
  std::int64_t corner(std::uint32_t pixel, std::int64_t group) const;

  MatrixShape shape_;
  MatrixGeometry planes_;
  std::vector<Kind> kinds_;
  std::vector<std::uint16_t> kind_of_;  // by pixel of an image
  std::vector<std::int32_t> corners_;   // of an input plane, where the pixel's window begins
};

/// One row of a product of row-major matrices: sums[n] adds left[k] * right[k * columns + n] by k,
/// from 0 on.
void product_row(const float* left, const float* right, std::int64_t depth, std::int64_t columns,
                 float* sums);

/// A norm's scale and shift of one channel: gain / sqrt(variance + epsilon), shift - mean * scale.
struct ScaleAndShift {
  float scale, shift;
  static ScaleAndShift of(float gain, float shift, float mean, float variance, float epsilon);
  /// out[i] = x[i] * scale + shift, both rounded.
  void apply(const float* x, std::int64_t count, float* out) const;
};

}  // namespace tilestrike::dnn

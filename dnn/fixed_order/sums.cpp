// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Compiled without fused multiply-add (dnn/CMakeLists.txt): processors that have it round as
// others.
#include "dnn/fixed_order/sums.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>

#include "base/error.h"
#include "base/multiversion.h"

namespace tilestrike::dnn {
namespace {

constexpr int kLanes = 16;
typedef float Lanes __attribute__((vector_size(sizeof(float) * kLanes)));

std::int64_t whole_blocks(std::int64_t outputs) { return (outputs + kLanes - 1) / kLanes * kLanes; }

/// The part [first, end) of `count` places whose place * stride + shift lies in [0, size).
struct Part {
  std::int64_t first, end;
  static Part of(std::int64_t count, std::int64_t stride, std::int64_t shift, std::int64_t size) {
    const std::int64_t first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
    const std::int64_t end = size <= shift ? 0 : (size - shift + stride - 1) / stride;
    return {std::min(first, count), std::clamp<std::int64_t>(end, std::min(first, count), count)};
  }
  auto operator<=>(const Part&) const = default;
};

/// One input plane that meets one weight.
struct PlaneTerm {
  const float* plane;
  float weight;
  std::int64_t in_width, out_width;
  Part lines, columns;  // of the output
  std::int64_t shift_y, shift_x, stride_y, stride_x;
};

TS_MULTIVERSION void add_plane(const PlaneTerm& term, float* sums) {
  for (std::int64_t y = term.lines.first; y < term.lines.end; ++y) {
    const float* line = term.plane + (y * term.stride_y + term.shift_y) * term.in_width;
    float* out = sums + y * term.out_width;
    if (term.stride_x == 1) {
      for (std::int64_t x = term.columns.first; x < term.columns.end; ++x) {
        out[x] = out[x] + term.weight * line[x + term.shift_x];
      }
    } else {
      for (std::int64_t x = term.columns.first; x < term.columns.end; ++x) {
        out[x] = out[x] + term.weight * line[x * term.stride_x + term.shift_x];
      }
    }
  }
}

/// Sixteen outputs at kRows pixels of one kind; `inputs`: what their first terms read.
using Inputs = std::array<const float*, FixedSums::kRows>;
TS_MULTIVERSION void block_sums(const Inputs& inputs, std::span<const WindowTerm> terms,
                                const float* weights, const float* biases, std::int64_t pitch,
                                float* sums) {
  static_assert(FixedSums::kRows == 6, "one sum for each");
  const float *x0 = inputs[0], *x1 = inputs[1], *x2 = inputs[2], *x3 = inputs[3], *x4 = inputs[4],
              *x5 = inputs[5];
  Lanes s0;
  std::memcpy(&s0, biases, sizeof(Lanes));
  Lanes s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0;
  for (const WindowTerm& term : terms) {
    Lanes w;
    std::memcpy(&w, weights + std::int64_t{term.k} * kLanes, sizeof(Lanes));
    s0 += w * x0[term.offset];
    s1 += w * x1[term.offset];
    s2 += w * x2[term.offset];
    s3 += w * x3[term.offset];
    s4 += w * x4[term.offset];
    s5 += w * x5[term.offset];
  }
  const Lanes all[] = {s0, s1, s2, s3, s4, s5};
  for (std::size_t row = 0; row < FixedSums::kRows; ++row) {
    std::memcpy(sums + static_cast<std::int64_t>(row) * pitch, &all[row], sizeof(Lanes));
  }
}

TS_MULTIVERSION void settle(float* sums, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    sums[i] = sums[i] == sums[i] ? sums[i] : kNoNumber;
  }
}

TS_MULTIVERSION void add_row(const float* right, float left, std::int64_t columns, float* sums) {
  for (std::int64_t n = 0; n < columns; ++n) {
    sums[n] = sums[n] + left * right[n];
  }
}

TS_MULTIVERSION void normalise(const float* x, float scale, float shift, std::int64_t count,
                               float* out) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float sum = x[i] * scale + shift;
    out[i] = sum == sum ? sum : kNoNumber;
  }
}

}  // namespace

PackedWeights::PackedWeights(const MatrixShape& shape)
    : outputs_(shape.out_channels),
      depth_(shape.depth()),
      group_outputs_(shape.out_channels / shape.groups),
      pitch_(whole_blocks(group_outputs_)),
      packed_(static_cast<std::size_t>(shape.groups * pitch_ / kLanes * depth_)),
      biases_(static_cast<std::size_t>(shape.groups * pitch_), 0.0F) {}

void PackedWeights::pack(std::int64_t output, const float* weights, std::int64_t depth_step) {
  const std::int64_t group = output / group_outputs_, of_group = output % group_outputs_;
  float* to = packed_.data()->lanes + (group * pitch_ + of_group / kLanes * kLanes) * depth_ +
              of_group % kLanes;
  for (std::int64_t k = 0; k < depth_; ++k) {
    to[k * kLanes] = weights[k * depth_step];
  }
}

void PackedWeights::follow(const float* weights, std::int64_t output_step, std::int64_t depth_step,
                           const float* biases) {
  for (std::int64_t o = 0; o < outputs_; ++o) {
    biases_[static_cast<std::size_t>(o / group_outputs_ * pitch_ + o % group_outputs_)] =
        biases == nullptr ? 0.0F : biases[o];
  }
  const auto count = static_cast<std::size_t>(outputs_ * depth_);
  const bool is_new = given_.size() != count;
  if (!is_new && std::memcmp(given_.data(), weights, count * sizeof(float)) == 0) {
    return;
  }
  const bool are_rows = depth_step == 1;
  const auto of_row = static_cast<std::size_t>(depth_) * sizeof(float);
  for (std::int64_t o = 0; o < outputs_; ++o) {
    if (is_new || !are_rows ||
        std::memcmp(given_.data() + o * depth_, weights + o * depth_, of_row) != 0) {
      pack(o, weights + o * output_step, depth_step);
    }
  }
  given_.assign(weights, weights + count);
}

FixedSums::FixedSums(const MatrixShape& shape, const MatrixGeometry& planes)
    : shape_(shape), planes_(planes) {
  const std::int64_t window_lines = shape.kernel[0], window_columns = shape.kernel[1];
  const std::int64_t group_inputs = shape.in_channels / shape.groups;
  std::map<std::pair<Part, Part>, std::uint16_t> known;
  for (std::int64_t y = 0; y < planes.out_height; ++y) {
    const Part lines = Part::of(window_lines, shape.dilation[0],
                                y * shape.stride[0] - shape.padding[0], planes.height);
    for (std::int64_t x = 0; x < planes.out_width; ++x) {
      const Part columns = Part::of(window_columns, shape.dilation[1],
                                    x * shape.stride[1] - shape.padding[1], planes.width);
      const auto [found, is_new] =
          known.try_emplace({lines, columns}, static_cast<std::uint16_t>(kinds_.size()));
      if (is_new) {
        TS_CHECK(kinds_.size() < std::numeric_limits<std::uint16_t>::max(), "few kinds of windows");
        Kind& kind = kinds_.emplace_back();
        kind.first =
            lines.first * shape.dilation[0] * planes.width + columns.first * shape.dilation[1];
        for (std::int64_t c = 0; c < group_inputs; ++c) {
          for (std::int64_t ky = lines.first; ky < lines.end; ++ky) {
            for (std::int64_t kx = columns.first; kx < columns.end; ++kx) {
              const std::int64_t offset = c * planes.pixels() +
                                          ky * shape.dilation[0] * planes.width +
                                          kx * shape.dilation[1];
              kind.terms.push_back(
                  {static_cast<std::int32_t>(offset - kind.first),
                   static_cast<std::int32_t>((c * window_lines + ky) * window_columns + kx)});
            }
          }
        }
      }
      kinds_[found->second].pixels.push_back(static_cast<std::uint32_t>(y * planes.out_width + x));
      kind_of_.push_back(found->second);
      corners_.push_back(
          static_cast<std::int32_t>((y * shape.stride[0] - shape.padding[0]) * planes.width +
                                    x * shape.stride[1] - shape.padding[1]));
    }
  }
}

/// Where the window of a pixel begins, its padding included; below 0 where that is so.
std::int64_t FixedSums::corner(std::uint32_t pixel, std::int64_t group) const {
  const auto out_pixels = static_cast<std::uint32_t>(planes_.out_pixels());
  const std::int64_t plane =
      pixel / out_pixels * planes_.channels + group * (planes_.channels / shape_.groups);
  return plane * planes_.pixels() + corners_[pixel % out_pixels];
}

FixedSums::Blocks FixedSums::block_of(std::int64_t channel) const {
  const std::int64_t outputs = shape_.out_channels / shape_.groups;
  const std::int64_t first = channel % outputs / kLanes * kLanes;
  return {channel / outputs, first, first + kLanes};
}

void FixedSums::row_sums(const float* input, const PackedWeights& weights, const Blocks& blocks,
                         std::span<const std::uint32_t> pixels, float* sums) const {
  const Kind& kind = kinds_[kind_of(pixels.front())];
  Inputs inputs{};
  for (std::size_t row = 0; row < kRows; ++row) {  // the last one stands in for those that lack
    const std::int64_t at =
        corner(pixels[std::min(row, pixels.size() - 1)], blocks.group) + kind.first;
    inputs[row] = kind.terms.empty() ? input : input + at;
  }
  const float* biases = weights.biases(blocks.group);
  for (std::int64_t first = blocks.first; first < blocks.end; first += kLanes) {
    block_sums(inputs, kind.terms, weights.block(blocks.group, first), biases + first,
               weights.pitch(), sums + first);
  }
  for (std::size_t row = 0; row < pixels.size(); ++row) {
    settle(sums + static_cast<std::int64_t>(row) * weights.pitch() + blocks.first,
           blocks.end - blocks.first);
  }
}

void FixedSums::channel_sums(const float* input, const float* weights, float bias,
                             std::int64_t image, std::int64_t channel, float* sums) const {
  const std::int64_t group_inputs = planes_.channels / shape_.groups;
  const std::int64_t group = channel / (shape_.out_channels / shape_.groups);
  const float* plane = input + (image * planes_.channels + group * group_inputs) * planes_.pixels();
  std::fill_n(sums, planes_.out_pixels(), bias);
  PlaneTerm term{plane, 0.0F, planes_.width,    planes_.out_width, {0, 0}, {0, 0},
                 0,     0,    shape_.stride[0], shape_.stride[1]};
  for (std::int64_t c = 0; c < group_inputs; ++c, term.plane += planes_.pixels()) {
    for (std::int64_t ky = 0; ky < shape_.kernel[0]; ++ky) {
      term.shift_y = ky * shape_.dilation[0] - shape_.padding[0];
      term.lines = Part::of(planes_.out_height, term.stride_y, term.shift_y, planes_.height);
      for (std::int64_t kx = 0; kx < shape_.kernel[1]; ++kx) {
        term.shift_x = kx * shape_.dilation[1] - shape_.padding[1];
        term.columns = Part::of(planes_.out_width, term.stride_x, term.shift_x, planes_.width);
        term.weight = *weights++;
        add_plane(term, sums);
      }
    }
  }
  settle(sums, planes_.out_pixels());
}

void FixedSums::all(const float* input, const PackedWeights& weights, float* output) const {
  const auto out_pixels = static_cast<std::uint32_t>(planes_.out_pixels());
  const std::int64_t outputs = shape_.out_channels / shape_.groups;
  std::vector<float> sums(kRows * static_cast<std::size_t>(weights.pitch()));
  for (std::int64_t group = 0; group < shape_.groups; ++group) {
    const Blocks blocks = all_of(weights, group);
    each_rows([&](std::span<const std::uint32_t> pixels) {
      row_sums(input, weights, blocks, pixels, sums.data());
      const float* from = sums.data();
      for (const std::uint32_t pixel : pixels) {
        float* to = output + (pixel / out_pixels * planes_.outputs + group * outputs) * out_pixels +
                    pixel % out_pixels;
        for (std::int64_t i = 0; i < outputs; ++i) {
          to[i * out_pixels] = from[i];
        }
        from += weights.pitch();
      }
    });
  }
}

void product_row(const float* left, const float* right, std::int64_t depth, std::int64_t columns,
                 float* sums) {
  std::fill_n(sums, columns, 0.0F);
  for (std::int64_t k = 0; k < depth; ++k) {
    add_row(right + k * columns, left[k], columns, sums);
  }
  settle(sums, columns);
}

ScaleAndShift ScaleAndShift::of(float gain, float shift, float mean, float variance,
                                float epsilon) {
  const float scale = gain / std::sqrt(variance + epsilon);
  return {scale, shift - mean * scale};
}

void ScaleAndShift::apply(const float* x, std::int64_t count, float* out) const {
  normalise(x, scale, shift, count, out);
}

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/golden_tapes.h"

#include <ATen/ops/cat.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "dnn/count_different.h"
#include "dnn/fixed_batch.h"
#include "dnn/operand_use.h"
#include "dnn/operators.h"

namespace tilestrike::bridge {
namespace {

constexpr std::int64_t kMostAtOnce = 32;

/// Whether no element of the network's values depends on how many images run at once: integers do
/// not, what only moves does not, and float sums of spiking networks have one order. A library may
/// sum floats in another order.
bool is_exact(const dnn::Network& network) {
  return std::ranges::all_of(network.layers, [](const dnn::Layer& layer) {
    return layer.target.starts_with("int8.") || layer.target.starts_with("spiking.") ||
           dnn::moves_elements(dnn::short_name(layer.target));
  });
}

/// The part of one image; undefined where a value is not made of one part for each.
at::Tensor part_of(const at::Tensor& tensor, const dnn::ValueInfo& info, std::int64_t index,
                   std::int64_t count) {
  const std::int64_t images = dnn::batch_dimension(info);
  return tensor.dim() > images && tensor.size(images) == count ? tensor.narrow(images, index, 1)
                                                               : at::Tensor();
}

/// The run of image `index` of `count`; no values where it cannot be had.
dnn::Tape part_of(const dnn::Tape& all, const dnn::Network& network, std::int64_t index,
                  std::int64_t count) {
  dnn::Tape one(all.values, all.accumulators.size());
  for (std::size_t i = 0; i < one.values.size(); ++i) {
    if (network.values[i].is_constant || one.values[i].isNone()) {
      continue;
    }
    const at::Tensor part = one.values[i].isTensor()
                                ? part_of(one.values[i].toTensor(), network.values[i], index, count)
                                : at::Tensor();  // a number made of the batch
    if (!part.defined()) {
      return {};
    }
    one.values[i] = part;
  }
  for (std::size_t i = 0; i < all.accumulators.size(); ++i) {
    if (all.accumulators[i].defined()) {
      one.accumulators[i] = part_of(all.accumulators[i],
                                    network.info(network.layers[i].outputs.front()), index, count);
      if (!one.accumulators[i].defined()) {
        return {};
      }
    }
  }
  return one;
}

bool are_equal(const dnn::Tape& a, const dnn::Tape& b) {
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    if (a.values[i].isTensor() &&
        dnn::count_different(a.values[i].toTensor(), b.values[i].toTensor()) != 0) {
      return false;
    }
  }
  return true;
}

/// Of what a tape keeps beside the network's constants.
std::int64_t bytes_of(const dnn::Tape& tape, const dnn::Network& network) {
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < tape.values.size(); ++i) {
    if (!network.values[i].is_constant && tape.values[i].isTensor()) {
      bytes += static_cast<std::int64_t>(tape.values[i].toTensor().nbytes());
    }
  }
  for (const at::Tensor& accumulators : tape.accumulators) {
    bytes += accumulators.defined() ? static_cast<std::int64_t>(accumulators.nbytes()) : 0;
  }
  return bytes;
}

}  // namespace

GoldenTapes::GoldenTapes(const dnn::Executor& executor, const dnn::Inputs& inputs,
                         std::int64_t bytes)
    : executor_(executor), inputs_(inputs), bytes_(bytes) {}

void GoldenTapes::expect(std::vector<ImageId> images) { expected_ = std::move(images); }

const dnn::Tape& GoldenTapes::of(ImageId image) {
  TS_CHECK(image.value >= 0 && image.value < inputs_.rows(), "an image of the study");
  auto found = std::ranges::find(images_, image);
  if (found == images_.end()) {
    record(image);
    found = images_.begin();
  }
  return tapes_[static_cast<std::size_t>(found - images_.begin())];
}

dnn::Tape GoldenTapes::of_one(ImageId image) const {
  return executor_.record(inputs_.narrow(image.value, 1));
}

/// How many images may run at once: found by running two, and looking at the first.
std::int64_t GoldenTapes::suited_block(const dnn::Tape& one, ImageId image) const {
  const dnn::Network& network = executor_.network();
  const std::int64_t most =
      std::min(kMostAtOnce, bytes_ / std::max<std::int64_t>(bytes_of(one, network), 1));
  const std::int64_t other = image.value > 0 ? image.value - 1 : image.value + 1;
  if (most < 2 || inputs_.rows() < 2 || dnn::fixed_batch(network) != 0 || !is_exact(network)) {
    return 1;
  }
  const std::int64_t first = std::min(image.value, other);
  const dnn::Tape both = executor_.record(inputs_.narrow(first, 2));
  const dnn::Tape part = part_of(both, network, image.value - first, 2);
  return !part.values.empty() && are_equal(one, part) ? most : 1;
}

void GoldenTapes::record(ImageId first) {
  const c10::InferenceMode no_gradients;
  images_ = {first};
  tapes_.clear();
  if (block_ == 0) {
    tapes_.push_back(of_one(first));
    block_ = suited_block(tapes_.front(), first);
    return;
  }
  const auto from = std::ranges::find(expected_, first);
  if (from != expected_.end()) {
    const auto most = std::min<std::int64_t>(block_, expected_.end() - from);
    images_.assign(from, from + most);
  }
  const auto count = static_cast<std::int64_t>(images_.size());
  if (count == 1) {
    tapes_.push_back(of_one(first));
    return;
  }
  std::vector<at::Tensor> picked;
  for (const at::Tensor& tensor : inputs_.tensors()) {
    std::vector<at::Tensor> rows;
    for (const ImageId image : images_) {
      rows.push_back(tensor.narrow(0, image.value, 1));
    }
    picked.push_back(at::cat(rows));
  }
  const dnn::Tape all = executor_.record(dnn::Inputs(std::move(picked)));
  for (std::int64_t i = 0; i < count; ++i) {
    tapes_.push_back(part_of(all, executor_.network(), i, count));
  }
}

}  // namespace tilestrike::bridge

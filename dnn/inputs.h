// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a batch of inferences is given: a tensor for each input of the network.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace tilestrike::dnn {

/// Tensors in the order of Network::inputs, row i of each for inference i. Most networks have one,
/// the images.
class Inputs {
 public:
  Inputs() = default;
  Inputs(at::Tensor images) : tensors_{std::move(images)} {}  // NOLINT(google-explicit-constructor)
  explicit Inputs(std::vector<at::Tensor> tensors) : tensors_(std::move(tensors)) {}

  const std::vector<at::Tensor>& tensors() const { return tensors_; }
  bool is_defined() const { return !tensors_.empty() && tensors_.front().defined(); }
  /// How many inferences; 0: no tensors.
  std::int64_t rows() const {
    return is_defined() && tensors_.front().dim() > 0 ? tensors_.front().size(0) : 0;
  }
  Inputs narrow(std::int64_t first, std::int64_t count) const {
    return each([&](const at::Tensor& tensor) { return tensor.narrow(0, first, count); });
  }
  Inputs to(c10::Device device) const {
    return each([&](const at::Tensor& tensor) {
      return tensor.device() == device ? tensor : tensor.to(device);
    });
  }
  /// make(tensor) of every tensor.
  template <class Make>
  Inputs each(const Make& make) const {
    Inputs made;
    for (const at::Tensor& tensor : tensors_) {
      made.tensors_.push_back(make(tensor));
    }
    return made;
  }

 private:
  std::vector<at::Tensor> tensors_;
};

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Makes a network of layers one behind the other: each reads what the one before it gives, and
// constants.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dnn/network.h"
#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

class LayerMaker {
 public:
  LayerMaker(const std::string& name, const Sizes& input_sizes, c10::Device device);

  const Network& network() const { return network_; }
  const Sizes& input_sizes() const { return input_sizes_; }
  /// Of the value at hand, without ticks and images.
  Sizes sizes() const;
  Layer& last() { return network_.layers.back(); }
  /// A name that no layer before has: nodes of a file may be called as layers of ours, and neurons
  /// as the weights that they were made for.
  std::string free_name(const std::string& name) const;

  /// A layer without a kernel that reads the value at hand, as `input`, and `constants`; its output
  /// is then at hand.
  void add(const std::string& name, const std::string& target, std::vector<Argument> constants,
           const Sizes& sizes, c10::ScalarType type);
  /// One more output of the last layer.
  void add_output(const Sizes& sizes, c10::ScalarType type);
  /// What the next layer reads.
  void set_flow(ValueId id) { flow_ = id; }

  static Argument given(const std::string& name, c10::IValue value);
  template <class Number>
  Argument constant(const std::string& argument, const std::string& name,
                    const std::vector<Number>& numbers, const Sizes& sizes) {
    return constant(argument, name, tensor(numbers, sizes));
  }
  template <class Number>
  at::Tensor tensor(const std::vector<Number>& numbers, const Sizes& sizes) const {
    const at::Tensor host = at::empty(sizes, at::dtype(c10::CppTypeToScalarType<Number>::value));
    check_size(host, numbers.size());
    std::copy(numbers.begin(), numbers.end(), host.mutable_data_ptr<Number>());
    return host.to(network_.device);
  }

  Network finish();

 private:
  Argument constant(const std::string& argument, const std::string& name, at::Tensor tensor);
  static void check_size(const at::Tensor& tensor, std::size_t numbers);

  Network network_;
  Sizes input_sizes_;
  ValueId flow_;
  std::set<std::string> names_;
};

}  // namespace tilestrike::dnn

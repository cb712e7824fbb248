// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Makes float networks by hand, as the importer would.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <variant>
#include <vector>

#include "dnn/network.h"

namespace tilestrike::dnn {

class NetworkMaker {
 public:
  /// A value, a list of values (concatenation), integers of which some are values (-1: the value of
  /// `computed`), or a constant.
  struct Sizes {
    std::vector<std::int64_t> known;
    std::vector<ValueId> computed;  // -1 where known
  };
  using Given = std::variant<ValueId, std::vector<ValueId>, Sizes, c10::IValue>;

  NetworkMaker();

  ValueId images() const { return network_.inputs.front(); }
  /// `name`: of the parameter in the module; empty: it has none.
  ValueId constant(const at::Tensor& tensor, const std::string& name = {});
  /// Appends a layer of a LibTorch operator; arguments that are not given have their defaults.
  ValueId call(const std::string& name, const std::string& target, std::vector<Given> given);
  Network finish(ValueId output);

  // Shorthands with drawn weights.
  ValueId convolution(const std::string& name, ValueId input, std::int64_t in, std::int64_t out,
                      std::int64_t kernel, std::int64_t stride = 1, std::int64_t padding = 0,
                      std::int64_t groups = 1);
  ValueId batch_norm(const std::string& name, ValueId input, std::int64_t channels);
  ValueId linear(const std::string& name, ValueId input, std::int64_t in, std::int64_t out);

  /// Normal, the same at each call of one number.
  static at::Tensor noise(std::vector<std::int64_t> sizes, std::int64_t seed);

 private:
  Network network_;
  std::int64_t drawn_ = 0;
};

std::vector<std::string> targets_of(const Network& network);
/// The test fails where there is none.
const Layer& layer_named(const Network& network, const std::string& name);

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Reads the arguments of a float layer by the names of the operator's schema.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "dnn/network.h"

namespace tilestrike::dnn {

class LayerArguments {
 public:
  /// `constants` by ValueId; both must outlive this object.
  LayerArguments(const Layer& layer, const Values& constants)
      : layer_(layer), constants_(constants) {}

  /// The value or values that an argument names; empty if it is a constant or absent.
  std::vector<ValueId> values(std::string_view name) const;
  /// A tensor whose elements are known; undefined: absent, None or computed.
  at::Tensor tensor(std::string_view name) const;
  /// None also where the argument is computed.
  std::optional<std::vector<std::int64_t>> integers(std::string_view name) const;
  std::optional<std::array<std::int64_t, 2>> pair(std::string_view name) const;  // 3 is (3, 3)
  std::optional<double> real(std::string_view name) const;
  bool boolean(std::string_view name) const;  // absent: false
  std::string_view text(std::string_view name) const;
  bool is_none(std::string_view name) const;  // None or absent

 private:
  const Argument* find(std::string_view name) const;
  /// Its constant, also of a value that is one; None otherwise.
  c10::IValue constant(std::string_view name) const;

  const Layer& layer_;
  const Values& constants_;
};

}  // namespace tilestrike::dnn

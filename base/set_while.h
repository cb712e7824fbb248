// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A variable that has another value for a while, however that ends.
#pragma once

#include <utility>

namespace tilestrike {

template <class T>
class SetWhile {
 public:
  SetWhile(T& place, T value) : place_(place), before_(std::exchange(place, std::move(value))) {}
  ~SetWhile() { place_ = std::move(before_); }
  SetWhile(const SetWhile&) = delete;
  SetWhile& operator=(const SetWhile&) = delete;

 private:
  T& place_;
  T before_;
};

}  // namespace tilestrike

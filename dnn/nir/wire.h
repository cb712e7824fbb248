// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Structures as bytes, from one process to another: a function each(wire, structure) names the
// members once, for both directions.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "base/error.h"

namespace tilestrike::dnn {

class WireWriter {
 public:
  const std::string& bytes() const { return bytes_; }

  template <class Number>
  requires(std::is_arithmetic_v<Number> || std::is_enum_v<Number>) void operator()(
      const Number& number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  void operator()(const std::string& text) {
    (*this)(std::uint64_t{text.size()});
    bytes_ += text;
  }
  template <class Item>
  void operator()(std::vector<Item>& items) {
    (*this)(std::uint64_t{items.size()});
    for (Item& item : items) {
      put(item);
    }
  }

 private:
  template <class Item>
  void put(Item& item) {
    if constexpr (requires { (*this)(item); }) {
      (*this)(item);
    } else {
      each(*this, item);
    }
  }

  std::string bytes_;
};

class WireReader {
 public:
  explicit WireReader(std::string bytes) : bytes_(std::move(bytes)) {}

  template <class Number>
  requires(std::is_arithmetic_v<Number> || std::is_enum_v<Number>) void operator()(Number& number) {
    take(&number, sizeof number);
  }
  void operator()(std::string& text) {
    text.resize(take_count());
    take(text.data(), text.size());
  }
  template <class Item>
  void operator()(std::vector<Item>& items) {
    items.resize(take_count());
    for (Item& item : items) {
      if constexpr (requires { (*this)(item); }) {
        (*this)(item);
      } else {
        each(*this, item);
      }
    }
  }

 private:
  void take(void* to, std::size_t count) {
    TS_CHECK(count <= bytes_.size() - at_, "bytes that were written");
    std::memcpy(to, bytes_.data() + at_, count);
    at_ += count;
  }
  /// Each item takes a byte at least.
  std::size_t take_count() {
    std::uint64_t count = 0;
    take(&count, sizeof count);
    TS_CHECK(count <= bytes_.size() - at_, "items that were written");
    return count;
  }

  std::string bytes_;
  std::size_t at_ = 0;
};

}  // namespace tilestrike::dnn

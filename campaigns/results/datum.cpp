// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/datum.h"

#include <algorithm>

#include "base/field_table.h"

namespace tilestrike::campaigns {

bool is_equal(const Datum& a, const Datum& b) {
  if (const auto* bytes = std::get_if<std::span<const std::byte>>(&a)) {
    const auto* others = std::get_if<std::span<const std::byte>>(&b);
    return others != nullptr && std::ranges::equal(*bytes, *others);
  }
  if (a.index() != b.index()) {
    return false;
  }
  return std::visit(
      [&](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::span<const std::byte>>) {
          return false;
        } else {
          return held == std::get<Held>(b);
        }
      },
      a);
}

std::string text_of(const Datum& datum) {
  struct Visitor {
    std::string operator()(std::monostate) const { return "nothing"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const { return field_detail::real_text(value); }
    std::string operator()(std::string_view value) const { return "'" + std::string(value) + "'"; }
    std::string operator()(std::span<const std::byte> bytes) const {
      return std::to_string(bytes.size() / sizeof(float)) + " numbers";
    }
  };
  return std::visit(Visitor{}, datum);
}

std::vector<float> floats_of(std::span<const std::byte> bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) {
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  }
  return values;
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "base/number_format.h"

#include <array>
#include <utility>

#include "base/text.h"

namespace tilestrike {
namespace {

constexpr int kMostFixedBits = 32;

struct NamedFormat {
  std::string_view name;
  std::string_view short_name;
  NumberFormat format;
};

const std::array<NamedFormat, 10>& named_formats() {
  static const std::array<NamedFormat, 10> formats{{
      {"float32", "fp32", NumberFormat::floating(8, 23)},
      {"float16", "fp16", NumberFormat::floating(5, 10)},
      {"bfloat16", "bf16", NumberFormat::floating(8, 7)},
      {"float8_e4m3", "fp8_e4m3", NumberFormat::floating(4, 3)},
      {"float8_e5m2", "fp8_e5m2", NumberFormat::floating(5, 2)},
      {"int8", "", NumberFormat::integer(8)},
      {"int4", "", NumberFormat::integer(4)},
      // Of tensors inside a network, never of a scenario:
      {"float64", "", NumberFormat::floating(11, 52)},
      {"int32", "", NumberFormat::integer(32)},
      {"int64", "", NumberFormat::integer(64)},
  }};
  return formats;
}

std::optional<NumberFormat> parse_fixed(std::string_view text) {
  const std::size_t point = text.find('.');
  if (text.empty() || (text.front() != 'q' && text.front() != 'Q') ||
      point == std::string_view::npos) {
    return std::nullopt;
  }
  const auto whole = parse_integer(text.substr(1, point - 1));
  const auto fraction = parse_integer(text.substr(point + 1));
  const bool fits = whole && fraction && *whole >= 0 && *fraction >= 0 && *whole < kMostFixedBits &&
                    *fraction < kMostFixedBits && *whole + *fraction >= 1 &&
                    *whole + *fraction < kMostFixedBits;
  return fits ? std::optional(
                    NumberFormat::fixed(static_cast<int>(*whole), static_cast<int>(*fraction)))
              : std::nullopt;
}

}  // namespace

std::string NumberFormat::name() const {
  if (kind == Kind::kFixed) {
    return "q" + std::to_string(bits - 1 - fraction_bits) + "." + std::to_string(fraction_bits);
  }
  for (const NamedFormat& named : named_formats()) {
    if (named.format == *this) {
      return std::string(named.name);
    }
  }
  return (kind == Kind::kInteger    ? "int"
          : kind == Kind::kUnsigned ? "uint"
                                    : "float") +
         std::to_string(bits);
}

std::optional<NumberFormat> NumberFormat::parse(std::string_view text) {
  for (const NamedFormat& named : named_formats()) {
    if (named.name == text || (!named.short_name.empty() && named.short_name == text)) {
      return named.format;
    }
  }
  return parse_fixed(text);
}

std::vector<std::string> NumberFormat::field_names() const {
  switch (kind) {
    case Kind::kFloat:
      return {"sign", "exponent", "mantissa"};
    case Kind::kInteger:
      return {"sign", "magnitude"};
    case Kind::kUnsigned:
      return {"magnitude"};
    case Kind::kFixed:
      return {"sign", "integer", "fraction"};
  }
  return {};
}

std::optional<std::uint64_t> NumberFormat::field(std::string_view name) const {
  if (kind == Kind::kUnsigned) {
    return name == "magnitude" ? std::optional(all_bits()) : std::nullopt;
  }
  const std::uint64_t sign = std::uint64_t{1} << (bits - 1);
  const std::uint64_t fraction = (std::uint64_t{1} << fraction_bits) - 1;
  const std::uint64_t between = all_bits() & ~sign & ~fraction;
  if (name == "sign") {
    return sign;
  }
  if (name == (kind == Kind::kFloat     ? "exponent"
               : kind == Kind::kInteger ? "magnitude"
                                        : "integer")) {
    return between;
  }
  if (kind != Kind::kInteger && name == (kind == Kind::kFloat ? "mantissa" : "fraction")) {
    return fraction;
  }
  return std::nullopt;
}

const std::vector<std::string>& number_format_names() {
  static const std::vector<std::string> names{"float32",     "float16", "bfloat16", "float8_e4m3",
                                              "float8_e5m2", "int8",    "int4",     "qM.N"};
  return names;
}

}  // namespace tilestrike

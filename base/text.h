// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Small text helpers that messages and parsers share.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tilestrike {

/// The candidates nearest to `given` by edit distance, best first, at most `most`; empty when none
/// is near enough to be meant.
std::vector<std::string> nearest(std::string_view given, std::span<const std::string> candidates,
                                 std::size_t most = 1);

/// "did you mean 'x'?", or "allowed: a, b, c" when nothing is near.
std::string suggestion(std::string_view given, std::span<const std::string> candidates);

std::string join(std::span<const std::string> parts, std::string_view separator);

std::optional<std::int64_t> parse_integer(std::string_view text);  // the whole text, base 10
std::optional<double> parse_real(std::string_view text);           // the whole text, finite

/// "10us", "1.5 h": a time in nanoseconds; nothing where it has no unit, or one not of kTimeUnits.
std::optional<long double> parse_nanoseconds(std::string_view text);
inline constexpr std::string_view kTimeUnits = "ns, us, ms, s, min, h, d";

/// Shell-like pattern with * (any run of characters) and ? (one character).
bool matches_glob(std::string_view pattern, std::string_view text);

/// The whole content of a regular file. Throws Failure.
std::string read_text_file(const std::string& path);

/// 128-bit xxHash (XXH3) of the bytes, as 32 hexadecimal digits.
std::string content_hash(std::string_view bytes);
/// The same of a file's bytes. Throws Failure when the file cannot be read.
std::string content_hash_of_file(const std::string& path);

}  // namespace tilestrike

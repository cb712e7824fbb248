// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strong ids: a trial is not an image, a site is not a cycle, and the compiler knows.
#pragma once

#include <compare>
#include <cstdint>

namespace tilestrike {

template <class Tag, class Number>
struct Id {
  Number value{};
  constexpr Id() = default;
  constexpr explicit Id(Number number) : value(number) {}
  constexpr auto operator<=>(const Id&) const = default;
};

using TrialId = Id<struct TrialTag, std::uint64_t>;  // number of a trial within one scenario
using ImageId = Id<struct ImageTag, std::int64_t>;   // row of the images file
using SiteId = Id<struct SiteTag, std::uint64_t>;    // one storage bit of a mesh or core
using StoreId = Id<struct StoreTag, std::uint32_t>;  // a tensor of a study's list of stores
/// Number of a codeword within its memory, in the order of addresses.
using CodewordId = Id<struct CodewordTag, std::uint64_t>;
/// Clock cycle, counted from the start of an inference or of a mesh run (the context says which).
using Cycle = std::int64_t;

}  // namespace tilestrike

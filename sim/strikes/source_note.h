// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a source of the node table says beyond its tag (docs/technology_nodes.md, "Sources"): which
// radiation, the number as it stands in the source with its unit, or the formula of the value.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tilestrike::sim {

/// One "[about number unit]" of a source: "[alpha 600 FIT/MB]", "[neutron]".
struct SourceNote {
  std::string about;             // a radiation, an end of a band, a length ...
  std::optional<double> number;  // as it stands in the source
  std::string unit;
};

/// One part of a source, "TAG:TEXT[NOTE]...=FORMULA", of which all but the tag may be missing.
struct SourcePart {
  std::string tag;
  std::string text;
  std::vector<SourceNote> notes;
  std::string formula;

  const SourceNote* find(std::string_view about) const;  // null: no such note
};

/// The parts between the semicolons. Brackets and '=' that make no note or formula stay text: a
/// source is never refused here.
std::vector<SourcePart> parts_of_source(std::string_view source);

/// A number of a source as events in 1e9 hours per 1e6 bits: FIT/Mb (also FIT/Mbit), FIT/MB (8 bits
/// to a byte), FIT/bit, or cm2 (per bit, at the reference flux). Nothing where the unit is another.
std::optional<double> fit_per_mbit(double number, std::string_view unit);
inline constexpr const char* kRateUnits = "FIT/Mb, FIT/MB, FIT/bit, cm2";

/// Half a unit of the last digit of a number's text, relative rounding of doubles included: how far
/// a rounded number may be from what it was rounded from.
double rounding_of(std::string_view number);

}  // namespace tilestrike::sim

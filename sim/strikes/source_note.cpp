// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/strikes/source_note.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "base/text.h"
#include "sim/strikes/rates.h"

namespace tilestrike::sim {
namespace {

constexpr double kBitsPerByte = 8.0;

/// The words within a bracket; nothing where they are no note.
std::optional<SourceNote> note_of(std::string_view inside) {
  std::istringstream words{std::string(inside)};
  SourceNote note;
  std::string number, more;
  if (!(words >> note.about)) {
    return std::nullopt;
  }
  if (words >> number) {
    note.number = parse_real(number);
    if (!note.number || !(words >> note.unit)) {
      // "[w/h 2.7]": a ratio has no unit.
      return note.number ? std::optional(note) : std::nullopt;
    }
  }
  return words >> more ? std::nullopt : std::optional(note);
}

SourcePart part_of(std::string_view text) {
  SourcePart part;
  const std::size_t colon = std::min(text.find(':'), text.size());
  part.tag = text.substr(0, colon);
  std::string_view rest = text.substr(std::min(colon + 1, text.size()));
  if (const std::size_t equals = rest.find('='); equals != std::string_view::npos) {
    part.formula = rest.substr(equals + 1);
    rest = rest.substr(0, equals);
  }
  while (!rest.empty()) {
    const std::size_t open = std::min(rest.find('['), rest.size());
    part.text += rest.substr(0, open);
    rest = rest.substr(open);
    if (rest.empty()) {
      break;
    }
    const std::size_t close = rest.find(']');
    const auto note =
        close == std::string_view::npos ? std::nullopt : note_of(rest.substr(1, close - 1));
    const std::size_t used = close == std::string_view::npos ? rest.size() : close + 1;
    if (note) {
      part.notes.push_back(*note);
    } else {
      part.text += rest.substr(0, used);
    }
    rest = rest.substr(used);
  }
  return part;
}

}  // namespace

const SourceNote* SourcePart::find(std::string_view about) const {
  const auto found = std::ranges::find(notes, about, &SourceNote::about);
  return found == notes.end() ? nullptr : &*found;
}

std::vector<SourcePart> parts_of_source(std::string_view source) {
  std::vector<SourcePart> parts;
  for (std::size_t start = 0; start <= source.size();) {
    const std::size_t end = std::min(source.find(';', start), source.size());
    parts.push_back(part_of(source.substr(start, end - start)));
    start = end + 1;
  }
  return parts;
}

std::optional<double> fit_per_mbit(double number, std::string_view unit) {
  if (unit == "FIT/Mb" || unit == "FIT/Mbit") {
    return number;
  }
  if (unit == "FIT/MB") {
    return number / kBitsPerByte;
  }
  if (unit == "FIT/bit") {
    return number * kBitsPerMbit;
  }
  if (unit == "cm2") {
    return number * kReferenceFlux * kHoursPerFit * kBitsPerMbit;
  }
  return std::nullopt;
}

double rounding_of(std::string_view number) {
  const double value = parse_real(number).value_or(0.0);
  const std::size_t exponent = std::min(number.find_first_of("eE"), number.size());
  const std::size_t point = number.substr(0, exponent).find('.');
  double unit = point == std::string_view::npos
                    ? 1.0
                    : std::pow(10.0, -static_cast<double>(exponent - point - 1));
  if (exponent < number.size()) {
    unit *= std::pow(10.0, parse_real(number.substr(exponent + 1)).value_or(0.0));
  }
  return 0.5 * unit + 1e-9 * std::abs(value);
}

}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/strike_inputs.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"

namespace tilestrike::campaigns {

StrikeInput sourced_input(std::string name, std::string unit, double value, std::string source) {
  const std::optional<Provenance> provenance = provenance_of(source);
  TS_CHECK(provenance.has_value(), "a source begins with its tag");
  return {std::move(name), std::move(unit), {value, std::move(source), *provenance}};
}

StrikeInput said_input(std::string name, std::string unit, double value) {
  return sourced_input(std::move(name), std::move(unit), value, "A:the scenario");
}

StrikeInput parameter_input(const char* key, std::string name, std::string unit, double value,
                            double default_value, std::span<const sim::ParameterSource> sources) {
  const auto found = std::ranges::find(sources, std::string_view(key),
                                       [](const auto& each) { return std::string_view(each.key); });
  TS_CHECK(found != sources.end(), "a parameter whose default has a source");
  return value == default_value
             ? sourced_input(std::move(name), std::move(unit), value, found->source)
             : said_input(std::move(name), std::move(unit), value);
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Numbers that results rest on, and where they come from.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/provenance.h"
#include "sim/strikes/low_voltage.h"

namespace tilestrike::campaigns {

struct StrikeInput {
  std::string name, unit;
  Sourced value;
};

/// `source` begins with the tag of its provenance.
StrikeInput sourced_input(std::string name, std::string unit, double value, std::string source);
/// By the scenario.
StrikeInput said_input(std::string name, std::string unit, double value);
/// A parameter of a process that has a default with a source: another value is the scenario's.
StrikeInput parameter_input(const char* key, std::string name, std::string unit, double value,
                            double default_value, std::span<const sim::ParameterSource> sources);

}  // namespace tilestrike::campaigns

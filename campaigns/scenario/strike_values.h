// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Values that a strike and a listed fault have in common.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/document.h"
#include "base/error.h"
#include "base/fault.h"

namespace tilestrike::campaigns {

inline constexpr std::int64_t kLatestCycle = std::numeric_limits<std::int64_t>::max() - 1;

/// flip, stuck_at_0, stuck_at_1, random.
std::vector<std::string> fault_names();
/// Nothing where it is none, which goes to `errors`.
std::optional<FaultKind> read_fault(const Value& value, const std::string& path, ErrorList& errors);
/// One number or a list of them, 0 to `max`.
std::vector<int> read_numbers(const Value& value, const std::string& path, int max,
                              ErrorList& errors);
/// [row, column]; empty where it is none.
std::vector<int> read_pe(const Value& value, const std::string& path, ErrorList& errors);

}  // namespace tilestrike::campaigns

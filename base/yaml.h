// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// YAML in: text to a tree of values that know their line and column. The only user of yaml-cpp.
#pragma once

#include <string>

#include "base/document.h"

namespace tilestrike {

/// Parses one YAML document; `file` is the name in places and errors. Duplicate keys are kept, so
/// that the field table can report them. Throws Failure with file:line:column.
Value parse_yaml(const std::string& text, const std::string& file);

/// Reads and parses a file. Throws Failure.
Value load_yaml(const std::string& path);

}  // namespace tilestrike

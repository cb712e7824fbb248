// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Versions of what computed a result.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tilestrike::campaigns {

/// Pairs such as ("tilestrike", "0.1.0"): of the program, the compiler and the libraries.
std::vector<std::pair<std::string, std::string>> versions();

}  // namespace tilestrike::campaigns

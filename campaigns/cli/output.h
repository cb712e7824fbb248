// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What commands print and write.
#pragma once

#include <string>

namespace tilestrike::campaigns {
class Report;
}

namespace tilestrike::campaigns::cli {

/// Text on stdout. Throws Failure when it cannot be written.
void print(const std::string& text);
/// As text, or as JSON.
void print(const Report& report, bool is_json);
/// As one HTML page; nowhere where `path` is empty. Throws Failure when it cannot be written.
void write_page(const Report& report, const std::string& title, const std::string& path);

}  // namespace tilestrike::campaigns::cli

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What SQLite throws, as an error of ours.
#pragma once

#include <string>

namespace SQLite {
class Exception;
}

namespace tilestrike::campaigns {

/// Throws Failure: `path` is the file that was opened or written.
[[noreturn]] void fail_of_database(const SQLite::Exception& error, const std::string& path);

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Results files of versions 5 and 6, to be read: all columns of a trial are in the table `trials`.
#pragma once

#include <cstdint>
#include <string>

#include "campaigns/scenario/scenario.h"

namespace SQLite {
class Database;
}

namespace tilestrike::campaigns {

/// Shows the trials of such a file as the tables of the present version. A column that the file
/// lacks has nothing.
void show_old_trials(SQLite::Database& database);

/// Why trials of that version are not those that this scenario draws today; empty: they are.
std::string other_drawing(std::int64_t version, const Scenario& scenario);

}  // namespace tilestrike::campaigns

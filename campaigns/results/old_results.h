// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Results files of versions 5 to 7, to be read: they lack columns, and until version 6 all that
// they have of a trial is in the table `trials`.
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
void show_old_trials(SQLite::Database& database, std::int64_t version);

/// Whether files of that version have this column of trials_wide.
bool has_column(std::int64_t version, const std::string& name);

/// Why trials of that version are not those that this scenario draws today; empty: they are.
std::string other_drawing(std::int64_t version, const Scenario& scenario);

}  // namespace tilestrike::campaigns

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# The same trials without a guard, bare.sqlite, and with one, s.sqlite.
$PYTHON - << 'END'
import sqlite3


def trials(path):
    return sqlite3.connect(path).execute(
        "SELECT outcome, hung, changed_accumulators, register, cycle, changed_outputs FROM "
        "trials_wide ORDER BY trial").fetchall()


pairs = list(zip(trials("bare.sqlite"), trials("s.sqlite")))
silent = [sum(pair[i][0] == "sdc" for pair in pairs) for i in (0, 1)]
stopped = [pair for pair in pairs if pair[1][0] == "due" and not pair[1][1]]
others = [pair for pair in pairs if pair not in stopped]
print("silent errors are fewer:", silent[1] < silent[0] and len(stopped) > 10)
print("each trial that is stopped had wrong accumulators:",
      all(bare[2] > 0 and bare[1:] == guarded[1:] for bare, guarded in stopped))
print("every other trial ends as it did:", all(bare == guarded for bare, guarded in others))
END

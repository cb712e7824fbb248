# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# The file of a correlation, c.sqlite, has a row for each fault and pair of three engines; its
# faults are those of the trials that a campaign of the same scenario, s.yaml, has.
tilestrike run s.yaml --out r.sqlite > log
$PYTHON - << 'END'
import sqlite3

connection = sqlite3.connect("c.sqlite")
connection.execute("ATTACH 'r.sqlite' AS r")


def count(query):
    return connection.execute("SELECT COUNT(*) FROM " + query).fetchone()[0]


faults = count("correlated_faults")
same = count("""correlated_faults f JOIN r.trials_wide t USING (trial)
    WHERE f.image = t.image AND f.register = t.register AND f.bit = t.bit AND f.cycle = t.cycle
        AND f.layer = t.layer AND f.activated = t.activated
        AND (f.corrupted OR t.changed_accumulators = 0)""")
print(faults > 10, count("correlations") == 3 * faults, same == faults)
END

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Does docs/architecture.md name the columns that `tilestrike list columns` has, and no other?"""

import json
import re
import unittest

import needs

# Of these the table names the first and says "..." for the rest.
SERIES = re.compile(r"(sdc_\d+|images_(sdc|nonfinite|due)\w*)$")


def documented():
    """The names in the table that follows "Columns of `trials_wide`"."""
    text = (needs.ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.split("Columns of `trials_wide`")[1].split("\n\n")[1]
    rows = [line.split("|")[1] for line in table.splitlines()[2:]]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


class ColumnsTest(unittest.TestCase):
    def setUp(self):
        self.columns = json.loads(needs.tilestrike("list", "columns", "--json"))

    def test_each_has_a_type_and_a_help(self):
        for column in self.columns:
            self.assertIn(column["type"], ("INTEGER", "REAL", "TEXT", "BLOB"), column)
            self.assertTrue(column["help"], column)

    def test_the_documentation_names_them(self):
        trials = {column["column"] for column in self.columns if "trials" in column["table"]}
        self.assertEqual(documented() - trials, set(), "named there, but in no table")
        unnamed = {name for name in trials - documented() if not SERIES.match(name)}
        self.assertEqual(unnamed, set(), "in a table, but not named there")


if __name__ == "__main__":
    unittest.main()

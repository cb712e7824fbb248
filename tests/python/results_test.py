# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Does tilestrike.load read results files, and is tilestrike.wilson Wilson's interval?"""

import pathlib
import sqlite3
import struct
import tempfile
import unittest

import needs

needs.modules("numpy", "pandas")

import tilestrike


class WilsonTest(unittest.TestCase):
    def test_known_values(self):
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        for successes, n, lower, upper in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605),
                                           (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)):
            interval = tilestrike.wilson(successes, n)
            self.assertAlmostEqual(interval[0], lower, places=4)
            self.assertAlmostEqual(interval[1], upper, places=4)

    def test_bounds_solve_the_score_equation(self):
        z = 2.5758293035489004  # 99 %
        for successes, n in ((1, 10), (500, 1000), (999, 1000), (3, 100000)):
            for bound in tilestrike.wilson(successes, n, 0.99):
                self.assertAlmostEqual(abs(successes / n - bound),
                                       z * (bound * (1 - bound) / n) ** 0.5, places=12)

    def test_ends(self):
        self.assertEqual(tilestrike.wilson(0, 0), (0.0, 1.0))
        self.assertEqual(tilestrike.wilson(0, 50)[0], 0.0)
        self.assertEqual(tilestrike.wilson(50, 50)[1], 1.0)

    def test_refuses_what_is_no_proportion(self):
        for successes, n in ((-1, 10), (11, 10)):
            with self.assertRaisesRegex(ValueError, "there must be 0 to n of them"):
                tilestrike.wilson(successes, n)
        for confidence in (0, 1, 95):
            with self.assertRaisesRegex(ValueError, "such as 0.95"):
                tilestrike.wilson(1, 2, confidence)


class LoadTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.path = pathlib.Path(holder.name) / "results #1.sqlite"

    def test_all_tables_become_frames(self):
        database = sqlite3.connect(self.path)
        database.execute("CREATE TABLE trials (trial INTEGER, register TEXT, outcome TEXT, "
                         "logits BLOB)")
        database.executemany("INSERT INTO trials VALUES (?, ?, ?, ?)",
                             [(0, "partial_sum", "sdc", struct.pack("<2f", 1.5, -2.0)),
                              (1, "valid", "masked", None)])
        database.execute("CREATE TABLE meta (key TEXT, value TEXT)")
        database.execute("CREATE TABLE other (key TEXT)")
        database.commit()
        database.close()
        results = tilestrike.load(self.path)
        self.assertEqual(list(results.trials.outcome), ["sdc", "masked"])
        self.assertEqual(list(results.trials.logits[0]), [1.5, -2.0])
        self.assertIsNone(results.trials.logits[1])
        self.assertEqual(len(results.meta), 0)
        self.assertFalse(hasattr(results, "other"))
        self.assertFalse(hasattr(results, "faults"))

    def test_reads_while_a_campaign_writes(self):
        writer = sqlite3.connect(self.path)
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE trials (trial INTEGER)")
        writer.execute("INSERT INTO trials VALUES (0)")
        writer.commit()
        writer.execute("INSERT INTO trials VALUES (1)")  # not yet committed
        self.assertEqual(len(tilestrike.load(self.path).trials), 1)
        writer.close()

    def test_says_what_is_wrong(self):
        with self.assertRaisesRegex(FileNotFoundError, "tilestrike run SCENARIO.yaml --out"):
            tilestrike.load(self.path)
        self.assertFalse(self.path.exists(), "looking for a file does not make it")
        self.path.write_text("trial,outcome\n" * 100)
        with self.assertRaisesRegex(ValueError, "cannot be read as a results file"):
            tilestrike.load(self.path)
        self.path.unlink()
        sqlite3.connect(self.path).execute("CREATE TABLE other (key TEXT)").connection.close()
        with self.assertRaisesRegex(ValueError, "without any of the tables trials"):
            tilestrike.load(self.path)


if __name__ == "__main__":
    unittest.main()

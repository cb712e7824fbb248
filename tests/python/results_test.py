# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Does tilestrike.load read results files, and are its intervals the published ones and those of
the program?"""

import math
import pathlib
import sqlite3
import struct
import tempfile
import unittest

import needs

needs.modules("numpy", "pandas")

import numpy
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


class ClopperPearsonTest(unittest.TestCase):
    def test_known_values(self):
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 5.
        for successes, n, lower, upper in ((81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617),
                                           (0, 20, 0.0000, 0.1684), (1, 29, 0.0009, 0.1776)):
            interval = tilestrike.clopper_pearson(successes, n)
            self.assertAlmostEqual(interval[0], lower, places=4)
            self.assertAlmostEqual(interval[1], upper, places=4)

    def test_values_of_the_program(self):
        # campaigns/statistics/statistics.cpp, which inverts the incomplete beta function.
        for successes, n, confidence, lower, upper in (
                (1, 1000000, 0.95, 2.53178076637942e-08, 5.57163065517224e-06),
                (28600, 100000, 0.95, 0.283200450506568, 0.288811966267865),
                (3, 7, 0.99, 0.0552993499805663, 0.882296248331048),
                (999, 1000, 0.99, 0.992593713061647, 0.999994987470739)):
            interval = tilestrike.clopper_pearson(successes, n, confidence)
            self.assertAlmostEqual(interval[0] / lower, 1, places=9)
            self.assertAlmostEqual(interval[1] / upper, 1, places=9)

    def test_bounds_leave_half_of_the_error_on_either_side(self):
        for successes, n in ((1, 10), (6, 12), (40, 41)):
            lower, upper = tilestrike.clopper_pearson(successes, n, 0.9)
            at_least = sum(math.comb(n, k) * lower ** k * (1 - lower) ** (n - k)
                           for k in range(successes, n + 1))
            at_most = sum(math.comb(n, k) * upper ** k * (1 - upper) ** (n - k)
                          for k in range(successes + 1))
            self.assertAlmostEqual(at_least, 0.05, places=9)
            self.assertAlmostEqual(at_most, 0.05, places=9)

    def test_ends(self):
        self.assertEqual(tilestrike.clopper_pearson(0, 0), (0.0, 1.0))
        self.assertEqual(tilestrike.clopper_pearson(0, 50)[0], 0.0)
        self.assertEqual(tilestrike.clopper_pearson(50, 50)[1], 1.0)
        self.assertAlmostEqual(tilestrike.clopper_pearson(0, 50)[1], 1 - 0.025 ** (1 / 50))

    def test_refuses_what_is_no_proportion(self):
        for successes, n in ((-1, 10), (11, 10)):
            with self.assertRaisesRegex(ValueError, "there must be 0 to n of them"):
                tilestrike.clopper_pearson(successes, n)
        with self.assertRaisesRegex(ValueError, "such as 0.95"):
            tilestrike.clopper_pearson(1, 2, 95)


class SharesTest(unittest.TestCase):
    def test_values_of_the_program(self):
        # interval_of_shares of campaigns/statistics/statistics.cpp, solved to nine digits.
        skewed = [0] * 95 + [0.93] * 2 + [0.88] + [0.02] * 2
        for shares, confidence, lower, upper in (
                (skewed, 0.95, 0.006084345377109, 0.0800850248203916),
                (skewed, 0.99, 0.00349659251231549, 0.0991273860038612),
                ([0.3, 0.7], 0.95, 0.072456883727222, 0.927543116272778),
                ([0.25], 0.95, 0.00624999999999998, 0.98125),
                ([0.5] * 20, 0.95, 0.415783264508457, 0.584216735491543),
                (numpy.arange(100) / 99, 0.95, 0.437961197239116, 0.562038802760884),
                ([0.9] * 97 + [0.1] * 3, 0.95, 0.829653376388771, 0.89616751900206),
                ([0.5] * 1490 + [0] * 7 + [1] * 3, 0.95, 0.496005578020759, 0.501120576925706),
                ([0] * 20, 0.95, 0, 0.139108340668265), ([1] * 20, 0.95, 0.860891659331735, 1),
                ([0] * 28 + [1], 0.95, 0.000872646883579923, 0.177644295488723)):
            interval = tilestrike.interval_of_shares(shares, confidence)
            self.assertAlmostEqual(interval[0], lower, delta=2e-9)
            self.assertAlmostEqual(interval[1], upper, delta=2e-9)

    def test_zeros_and_ones_are_trials(self):
        for ones, n in ((1, 29), (7, 40), (39, 40)):
            self.assertEqual(tilestrike.interval_of_shares([0] * (n - ones) + [1] * ones),
                             tilestrike.clopper_pearson(ones, n))

    def test_no_shares_say_nothing(self):
        self.assertEqual(tilestrike.interval_of_shares([]), (0.0, 1.0))

    def test_refuses_what_is_no_share(self):
        for shares in ([-0.1, 0.5], [0.5, 1.5], [0.5, math.nan]):
            with self.assertRaisesRegex(ValueError, "each must lie in"):
                tilestrike.interval_of_shares(shares)
        with self.assertRaisesRegex(ValueError, "such as 0.95"):
            tilestrike.interval_of_shares([0.5], 95)


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

    def test_trials_are_those_of_the_view_that_joins_them(self):
        database = sqlite3.connect(self.path)
        database.execute("CREATE TABLE trials (trial INTEGER, outcome TEXT)")
        database.execute("CREATE TABLE mesh_trials (trial INTEGER, cycle INTEGER)")
        database.execute("CREATE VIEW trials_wide AS SELECT trial, cycle, outcome FROM trials "
                         "LEFT JOIN mesh_trials USING (trial)")
        database.executemany("INSERT INTO trials VALUES (?, ?)", [(0, "sdc"), (1, "masked")])
        database.execute("INSERT INTO mesh_trials VALUES (0, 17)")
        database.commit()
        database.close()
        trials = tilestrike.load(self.path).trials
        self.assertEqual(list(trials.columns), ["trial", "cycle", "outcome"])
        self.assertEqual(trials.cycle[0], 17)
        self.assertTrue(math.isnan(trials.cycle[1]))

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

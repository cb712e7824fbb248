# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Does python/seed_experiment.py print and draw what the results files hold?"""

import contextlib
import io
import json
import math
import pathlib
import re
import sqlite3
import statistics
import sys
import tempfile
import unittest

import needs

import seed_experiment

EXPANDED = """model: {model}
data:
  use: 10
accelerator: none
format: {number_format}
strike:
  where:
    {target}: "{pattern}"
    bits: {bits}
  {rate}
"""


class Results:
    """A results file with the columns that the script reads."""

    def __init__(self, path):
        self.database = sqlite3.connect(path)
        self.database.execute("CREATE TABLE scenarios (scenario INTEGER, expanded TEXT)")
        self.database.execute(
            "CREATE TABLE trials (scenario INTEGER, trial INTEGER, weight REAL, images INTEGER, "
            "images_golden_correct INTEGER, images_correct INTEGER, images_sdc_1 INTEGER, "
            "images_nonfinite INTEGER)")
        self.scenarios = 0

    def add(self, trials, model="/zoo/net.pt2", number_format="auto", target="weights",
            pattern="*", bits="all", rate="per_parameter: 1e-5"):
        """`trials`: (weight, images, golden correct, correct, sdc_1, non-finite) of each."""
        self.database.execute("INSERT INTO scenarios VALUES (?, ?)", (
            self.scenarios, EXPANDED.format(model=model, number_format=number_format,
                                            target=target, pattern=pattern, bits=bits, rate=rate)))
        self.database.executemany(
            "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(self.scenarios, number, *trial) for number, trial in enumerate(trials)])
        self.database.commit()
        self.scenarios += 1


def run(*arguments):
    """What the script prints."""
    printed = io.StringIO()
    before, sys.argv = sys.argv, ["seed_experiment.py", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(printed):
            seed_experiment.main()
    finally:
        sys.argv = before
    return printed.getvalue()


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


class SeedExperimentTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.path = self.folder / "results.sqlite"

    def test_quantiles_of_student(self):
        for degrees, known in ((6, 2.44691), (10, 2.22814), (30, 2.04227), (99, 1.98422),
                               (1000, 1.96234)):
            self.assertAlmostEqual(seed_experiment.student(degrees), known, delta=0.001 * known)

    def test_a_row_holds_means_and_intervals_of_weighted_trials(self):
        # Losses of 10, 0, 20 and 10 points, each halved by its weight: their mean is 5 and their
        # standard deviation sqrt((0 + 25 + 25 + 0) / 3).
        results = Results(self.path)
        results.add([(0.5, 10, 9, 8, 2, 0), (0.5, 10, 9, 9, 0, 0), (0.5, 10, 9, 7, 3, 1),
                     (0.5, 10, 9, 8, 1, 0)])
        header, _, row = run(self.path).splitlines()
        self.assertIn("accuracy lost, points", header)
        half = seed_experiment.student(3) * math.sqrt(50 / 3) / 2
        self.assertEqual(cells(row)[:6], ["net", "float32", "weights", "1e-05", "4",
                                          f"5 ± {half:.2g}"])
        # SDC-1: 20, 0, 30, 10 % halved; non-finite: 0, 0, 10, 0 % halved.
        half = seed_experiment.student(3) * statistics.stdev([10, 0, 15, 5]) / 2
        self.assertEqual(cells(row)[6], f"7.5 ± {half:.2g}")
        half = seed_experiment.student(3) * 2.5 / 2
        self.assertEqual(cells(row)[7], f"1.25 ± {half:.2g}")

    def test_equal_trials_leave_a_bound(self):
        # n trials without a single loss: a share p with (1 - p)^n = 5 % cannot be ruled out.
        results = Results(self.path)
        results.add([(0.25, 10, 9, 9, 0, 0)] * 20)
        bound = 25 * (1 - 0.05 ** (1 / 20))
        self.assertEqual(cells(run(self.path).splitlines()[2])[5:], [f"0, at most {bound:.2g}"] * 3)

    def test_formats_targets_and_models_are_read_from_the_scenario(self):
        results = Results(self.path)
        trials = [(1.0, 1, 1, 0, 1, 0), (1.0, 1, 1, 1, 0, 0)]
        results.add(trials, model="resnet8", number_format="bfloat16", target="activations",
                    rate="per_bit: 1e-7")
        results.add(trials[:1])  # one trial is no sample
        results.add(trials, number_format="int8", target="biases", rate="per_parameter: 3e-6")
        rows = [cells(line)[:5] for line in run(self.path).splitlines()[2:]]
        self.assertEqual(rows, [["resnet8", "bfloat16", "activations", "1e-07", "2"],
                                ["net", "int8", "biases", "3e-06", "2"]])

    def test_layers_are_ranked_by_what_a_fault_costs(self):
        results = Results(self.path)
        for pattern, wrong in (("a.weight", 1), ("b.weight", 7), ("c.weight", 3)):
            for bits in ("all", "exponent", "mantissa"):
                shares = {"all": wrong, "exponent": 8 - wrong, "mantissa": 0}[bits]
                results.add([(1.0, 10, 9, 9, shares, 0), (1.0, 10, 9, 9, shares, 0)],
                            pattern=pattern, bits=bits, rate="count: 1")
        lines = [cells(line) for line in run(self.path).splitlines() if "net" in line]
        bound = f"{100 * (1 - 0.05 ** 0.5):.2g}"
        self.assertEqual(lines, [
            ["net", "float32", "all", "3", f"b.weight: 70 ± {bound}", f"c.weight: 30 ± {bound}"],
            ["net", "float32", "exponent", "3", f"a.weight: 70 ± {bound}",
             f"c.weight: 50 ± {bound}"],
            ["net", "float32", "mantissa", "3", f"c.weight: 0, at most {bound}",
             f"b.weight: 0, at most {bound}"]])

    def test_the_figure_shows_rates_and_losses(self):
        results = Results(self.path)
        for rate, correct in (("1e-6", 9), ("1e-5", 7), ("1e-4", 1)):
            results.add([(1.0, 10, 9, correct, 0, 0), (1.0, 10, 9, correct, 0, 0)],
                        rate=f"per_parameter: {rate}")
        run(self.path, "--svg", self.folder / "figure.svg")
        picture = (self.folder / "figure.svg").read_text()
        points = [tuple(map(float, point.split(",")))
                  for point in re.search(r'points="([^"]*)"', picture)[1].split()]
        # Decades lie equally far apart; heights go with the loss (0, 20, 80 points), downwards.
        self.assertEqual([x for x, _ in points], [60.0, 230.0, 400.0])
        self.assertEqual(points[0][1], 340.0)
        self.assertAlmostEqual((340 - points[2][1]) / (340 - points[1][1]), 4.0, delta=0.02)
        for text in ("1e-6", "1e-5", "1e-4", "faults in weights", "net, float32"):
            self.assertIn(text, picture)

    def test_the_figure_has_a_panel_for_each_target_and_a_line_for_each_format(self):
        results = Results(self.path)
        for target in ("weights", "activations"):
            for number_format in ("float32", "int8"):
                for rate in ("1e-6", "1e-4"):
                    results.add([(1.0, 10, 9, 8, 0, 0), (1.0, 10, 9, 8, 0, 0)], target=target,
                                number_format=number_format, rate=f"per_parameter: {rate}")
        run(self.path, "--svg", self.folder / "figure.svg")
        picture = (self.folder / "figure.svg").read_text()
        lines = {title: points.split(",")[0] for points, title in
                 re.findall(r'points="([^"]*)".*><title>(.*)</title>', picture)}
        self.assertEqual(lines, {"net, float32, weights": "60.0", "net, int8, weights": "60.0",
                                 "net, float32, activations": "460.0",
                                 "net, int8, activations": "460.0"})
        self.assertEqual(picture.count('stroke-dasharray="6 3"'), 2 + 1)  # int8, and its legend

    def test_says_what_is_wrong(self):
        Results(self.path).add([(1.0, 1, 1, 1, 0, 0)])
        with self.assertRaisesRegex(SystemExit, "no scenario with a rate or a count"):
            run(self.path)
        old = self.folder / "old.sqlite"
        sqlite3.connect(old).execute("CREATE TABLE trials (trial INTEGER)").connection.close()
        with self.assertRaisesRegex(SystemExit, "no column images_golden_correct"):
            run(old)


class RealRunTest(unittest.TestCase):
    """A campaign's own summary and the script agree on its results."""

    def test_rates_are_those_of_the_program(self):
        needs.fashion_mnist()
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            scenario = folder / "scenario.yaml"
            scenario.write_text("model: lenet5\ndata: {use: 40}\naccelerator: none\n"
                                'strike: {where: {weights: "*"}, per_parameter: 1e-3}\n'
                                "trials: 12\nsweep: {strike.per_parameter: [1e-5, 1e-3]}\n")
            out = folder / "results.sqlite"
            summary = json.loads(needs.tilestrike("run", scenario, "--out", out, "--json"))
            rows = [cells(line) for line in run(out).splitlines()[2:]]
        self.assertEqual(len(rows), 2)
        for row, scenario in zip(rows, summary["scenarios"]):
            self.assertEqual(row[:3] + row[4:5], ["lenet5", "float32", "weights", "12"])
            self.assertEqual(float(row[3]), scenario["faults_per_parameter"])
            for column, key in ((6, "sdc_1"), (7, "nonfinite")):
                rate = scenario["all"]["over_all"][key]
                value, half = 100 * rate["value"], 100 * (rate["high"] - rate["value"])
                self.assertEqual(row[column], seed_experiment.share_text(value, half))
            lost = scenario["accuracy"] - scenario["accuracy_under_faults"]["value"]
            shown = row[5].split(" ")[0].strip(",")
            self.assertAlmostEqual(float(shown), 100 * lost, delta=0.005 * abs(100 * lost) + 1e-9)
        self.assertIn("±", rows[1][5], "at 1e-3 faults per weight some accuracy is lost")


if __name__ == "__main__":
    unittest.main()

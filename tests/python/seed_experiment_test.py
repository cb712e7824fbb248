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
import sys
import tempfile
import unittest

import needs

needs.modules("numpy")

import seed_experiment
import tilestrike

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
{judge}"""


class Results:
    """A results file with the columns that the script reads."""

    def __init__(self, path):
        self.database = sqlite3.connect(path)
        self.database.execute("CREATE TABLE scenarios (scenario INTEGER, expanded TEXT)")
        self.database.execute(
            "CREATE TABLE trials (scenario INTEGER, trial INTEGER, weight REAL, images INTEGER, "
            "images_golden_correct INTEGER, images_correct INTEGER, images_sdc_1 INTEGER, "
            "images_nonfinite INTEGER, stratum TEXT, score REAL, golden_score REAL, "
            "share_differing REAL)")
        self.scenarios = 0

    def add(self, trials, model="/zoo/net.pt2", number_format="auto", target="weights",
            pattern="*", bits="all", rate="per_parameter: 1e-5", judge=""):
        """`trials`: (weight, images, golden correct, correct, sdc_1, non-finite) of each, and the
        stratum, where there are any."""
        self.add_scenario(judge, model=model, number_format=number_format, target=target,
                          pattern=pattern, bits=bits, rate=rate)
        self.insert([(*(trial if len(trial) == 7 else (*trial, "")), None, None, None)
                     for trial in trials])

    def add_scores(self, judge, trials, images=10, target="weights", rate="per_parameter: 1e-5"):
        """`trials`: (weight, non-finite, score, golden score, share of what differs)."""
        self.add_scenario(judge, model="net", number_format="auto", target=target, pattern="*",
                          bits="all", rate=rate)
        self.insert([(weight, images, None, None, 0, nonfinite, "", *scores)
                     for weight, nonfinite, *scores in trials])

    def add_scenario(self, judge, **keys):
        expanded = EXPANDED.format(judge=f"judge: {judge}\n" if judge else "", **keys)
        self.database.execute("INSERT INTO scenarios VALUES (?, ?)", (self.scenarios, expanded))
        self.scenarios += 1

    def insert(self, trials):
        self.database.executemany(
            "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(self.scenarios - 1, number, *trial) for number, trial in enumerate(trials)])
        self.database.commit()


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

    def test_a_row_holds_means_and_intervals_of_weighted_trials(self):
        results = Results(self.path)
        results.add([(0.5, 10, 9, 8, 2, 0), (0.5, 10, 9, 9, 0, 0), (0.5, 10, 9, 7, 3, 1),
                     (0.5, 10, 9, 8, 1, 0)])
        header, _, row = run(self.path).splitlines()
        self.assertIn("accuracy lost, points", header)
        # 90 % less 80, 90, 70 and 80 % of the images, each halved by its weight.
        low, high = tilestrike.interval_of_shares([0.8, 0.9, 0.7, 0.8])
        self.assertEqual(cells(row)[:6], ["net", "float32", "weights", "1e-05", "4",
                                          f"5 [{50 * (0.9 - high):.2g}, {50 * (0.9 - low):.2g}]"])
        # SDC-1: 20, 0, 30, 10 % halved; non-finite: 0, 0, 10, 0 % halved.
        low, high = tilestrike.interval_of_shares([0.2, 0.0, 0.3, 0.1])
        self.assertEqual(cells(row)[6], f"7.5 [{50 * low:.2g}, {50 * high:.2g}]")
        low, high = tilestrike.interval_of_shares([0.0, 0.0, 0.1, 0.0])
        self.assertEqual(cells(row)[7], f"1.25 [{50 * low:.2g}, {50 * high:.2g}]")

    def test_equal_trials_leave_a_bound(self):
        # n trials without a single changed image: a share p with (1 - p)^n = 5 % cannot be ruled
        # out. What may be lost or gained is bounded from both sides, by 2.5 % each.
        results = Results(self.path)
        results.add([(0.25, 10, 9, 9, 0, 0)] * 20)
        left = 0.025 ** (1 / 20)
        bound = 25 * (1 - 0.05 ** (1 / 20))
        self.assertEqual(cells(run(self.path).splitlines()[2])[5:],
                         [f"0 [{25 * (0.9 - (1 - 0.1 * left)):.2g}, {25 * (0.9 - 0.9 * left):.2g}]",
                          f"0, at most {bound:.2g}", f"0, at most {bound:.2g}"])

    def test_an_inference_loses_or_gains_one_image(self):
        # Of faults in activations each trial has an image of its own: -1, 0 and 1 are what it may
        # lose, whatever the golden run gets right. Two are lost, one is gained.
        results = Results(self.path)
        results.add([(0.5, 1, 1, 0, 1, 0)] * 2 + [(0.5, 1, 0, 1, 1, 0)] +
                    [(0.5, 1, 1, 1, 0, 0)] * 5 + [(0.5, 1, 0, 0, 0, 0)] * 2,
                    target="activations", rate="per_bit: 1e-7")
        low, high = tilestrike.interval_of_shares([0.0] * 2 + [1.0] + [0.5] * 7)
        row = cells(run(self.path).splitlines()[2])
        self.assertEqual(row[5], f"5 [{50 * (1 - 2 * high):.2g}, {50 * (1 - 2 * low):.2g}]")
        low, high = tilestrike.clopper_pearson(3, 10)
        self.assertEqual(row[6], f"15 [{50 * low:.2g}, {50 * high:.2g}]")

    def test_a_segmentation_loses_miou(self):
        results = Results(self.path)
        results.add_scores("segmentation", [(0.5, 0, 0.9, 0.9, 0.0), (0.5, 0, 0.8, 0.9, 0.1),
                                            (0.5, 10, 0.2, 0.9, 0.7), (0.5, 0, 0.9, 0.9, 0.0)])
        header, _, row = run(self.path).splitlines()
        self.assertIn("mIoU lost, points | pixels that differ, % | non-finite, %", header)
        # 90 % less the mean 70 %, and 20 % of the pixels, each halved by the weight.
        low, high = tilestrike.interval_of_shares([0.9, 0.8, 0.2, 0.9])
        self.assertEqual(cells(row)[5],
                         f"10 [{50 * (0.9 - high):.2g}, {50 * (0.9 - low):.2g}]")
        low, high = tilestrike.interval_of_shares([0.0, 0.1, 0.7, 0.0])
        self.assertEqual(cells(row)[6], f"10 [{50 * low:.2g}, {50 * high:.2g}]")
        low, high = tilestrike.interval_of_shares([0.0, 0.0, 1.0, 0.0])
        self.assertEqual(cells(row)[7], f"12.5 [{50 * low:.2g}, {50 * high:.2g}]")

    def test_a_struck_scene_may_gain_miou(self):
        results = Results(self.path)
        results.add_scores("\n  kind: segmentation\n  ignore: 255",
                           [(1.0, 0, 0.5, 0.75, 0.5), (1.0, 0, 0.75, 0.5, 0.5),
                            (1.0, 0, 0.25, 0.75, 0.5), (1.0, 0, 0.5, 0.5, 0.0)],
                           images=1, target="activations")
        low, high = tilestrike.interval_of_shares([0.375, 0.625, 0.25, 0.5])
        self.assertEqual(cells(run(self.path).splitlines()[2])[5],
                         f"12.5 [{100 * (1 - 2 * high):.2g}, {100 * (1 - 2 * low):.2g}]")

    def test_of_tokens_the_median_perplexity_and_how_often_it_doubles(self):
        results = Results(self.path)
        growths = [1.0] * 7 + [1.5, 2.5, None]  # None: no finite answer
        results.add_scores("tokens", [(0.5, 0 if one else 10, one and 4 * one, 4.0,
                                       0.0 if one == 1.0 else 0.5) for one in growths])
        header, _, row = run(self.path).splitlines()
        self.assertIn("tokens that differ, % | perplexity doubled, % | non-finite, % | "
                      "perplexity over golden, median", header)
        low, high = tilestrike.clopper_pearson(2, 10)
        self.assertEqual(cells(row)[6], f"10 [{50 * low:.2g}, {50 * high:.2g}]")
        # Of ten the second and the ninth hold the median with 97.9 %.
        self.assertEqual(cells(row)[8], "1.000 [1.000, 2.500]")

    def test_few_trials_do_not_bound_a_median_and_many_do(self):
        def trials(values):
            return [{"score": value, "golden_score": 1.0} for value in values]
        self.assertEqual(seed_experiment.median_growth(trials([1, 2, 3])), (2, 0.0, math.inf))
        # Ranks from tables of the binomial distribution: 40 and 61 of 100, 962 and 1039 of 2000.
        self.assertEqual(seed_experiment.median_growth(trials(range(1, 101))), (50.5, 40, 61))
        value, low, high = seed_experiment.median_growth(trials(range(1, 2001)))
        self.assertEqual((value, low + high), (1000.5, 2001))
        self.assertAlmostEqual(low, 1000.5 - 1.96 * 0.5 * math.sqrt(2000), delta=1.5)

    def test_each_judge_has_its_table_and_a_figure_of_its_own(self):
        results = Results(self.path)
        results.add([(1.0, 10, 9, 8, 2, 0)] * 2)
        results.add_scores("segmentation", [(1.0, 0, 0.4, 0.9, 0.3)] * 2)
        self.assertEqual(run(self.path).count("\n|---"), 2)
        with self.assertRaisesRegex(SystemExit, "a figure shows results of one judge"):
            run(self.path, "--svg", self.folder / "figure.svg")
        only = Results(self.folder / "only.sqlite")
        only.add_scores("segmentation", [(1.0, 0, 0.4, 0.9, 0.3)] * 2)
        run(self.folder / "only.sqlite", "--svg", self.folder / "figure.svg")
        self.assertIn(">mIoU lost, percentage points, against faults per parameter;",
                      (self.folder / "figure.svg").read_text())

    def test_another_judge_is_named(self):
        Results(self.path).add_scores("regression", [(1.0, 0, 0.4, 0.9, 0.3)] * 2)
        with self.assertRaisesRegex(SystemExit, "judged by regression; this script knows top_k"):
            run(self.path)

    def test_strata_count_by_their_share_of_the_bits(self):
        # Two strata of 1/10 and 9/10 of the bits get 0.3 and 0.7 of the trials; a trial weighs 1/3
        # and 9/7. The first changes 60 and 0 % of the images in turn, the other nothing.
        results = Results(self.path)
        results.add([(1 / 3, 10, 9, 9, 6 * (i % 2), 0, "top") for i in range(6)] +
                    [(9 / 7, 10, 9, 9, 0, 0, "low")] * 14, rate="count: 1", pattern="a.weight")
        low, high = tilestrike.interval_of_shares([0.0, 0.6] * 3)
        none = 1 - 0.05 ** (1 / 14)
        line = next(line for line in run(self.path).splitlines() if "a.weight" in line)
        low, high = 3 - 10 * (0.3 - low), 3 + 100 * math.hypot(0.1 * (high - 0.3), 0.9 * none)
        self.assertEqual(cells(line)[4], f"a.weight: 3 [{low:.2g}, {high:.2g}]")

    def test_strata_without_a_hit_leave_the_bound_of_the_program(self):
        # bound_of_none of campaigns/statistics/stratified.cpp.
        bound = seed_experiment.bound_of_none([(0.03125, 60), (0.03125, 40), (0.21875, 40),
                                               (0.71875, 60)])
        self.assertAlmostEqual(bound, 0.0350052189416321, places=9)
        self.assertAlmostEqual(seed_experiment.bound_of_none([(1.0, 20)]), 1 - 0.05 ** (1 / 20))

    def test_a_stratum_that_is_missing_is_an_error(self):
        results = Results(self.path)
        results.add([(1 / 3, 10, 9, 9, 6, 0, "top")] * 6, rate="count: 1")
        with self.assertRaisesRegex(SystemExit, "strata top only; raise --trials"):
            run(self.path)

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

        def text(wrong):
            low, high = tilestrike.interval_of_shares([wrong / 10] * 2)
            return f"{10 * wrong} [{100 * low:.2g}, {100 * high:.2g}]"
        none = f"0, at most {100 * (1 - 0.05 ** 0.5):.2g}"
        self.assertEqual(lines, [
            ["net", "float32", "all", "3", f"b.weight: {text(7)}", f"c.weight: {text(3)}"],
            ["net", "float32", "exponent", "3", f"a.weight: {text(7)}", f"c.weight: {text(5)}"],
            ["net", "float32", "mantissa", "3", f"c.weight: {none}", f"b.weight: {none}"]])

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
        # Bars are as long as the intervals, which are not symmetric: 80 points lie near the top.
        bars = re.findall(r'd="M400.0 ([\d.]+)V([\d.]+)" stroke="#', picture)
        above, below = map(float, bars[-1])
        low, high = tilestrike.interval_of_shares([0.1] * 2)
        scale = (340 - points[2][1]) / 80
        self.assertAlmostEqual(340 - above, scale * 100 * max(0, 0.9 - high), delta=0.2)
        self.assertAlmostEqual(340 - below, scale * 100 * (0.9 - low), delta=0.2)
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
                self.assertEqual(row[column], seed_experiment.share_text(
                    *(100 * rate[end] for end in ("value", "low", "high"))))
            left = scenario["accuracy_under_faults"]
            loss = [100 * (scenario["accuracy"] - left[end]) for end in ("value", "high", "low")]
            shown = map(float, re.findall(r"-?[\d.]+(?:e-\d+)?", row[5]))
            for one, expected in zip(shown, loss, strict=True):
                self.assertAlmostEqual(one, expected, delta=0.06 * abs(expected) + 1e-9)
        self.assertNotEqual(rows[1][5][:2], "0 ", "at 1e-3 faults per weight some accuracy is lost")

    def test_strata_are_those_of_the_program(self):
        needs.fashion_mnist()
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            scenario = folder / "scenario.yaml"
            scenario.write_text("model: lenet5\ndata: {use: 40}\naccelerator: none\n"
                                "strike: {where: {weights: conv1.weight}, count: 1}\ntrials: 100\n"
                                "sweep: {format: [float32, int8]}\n")
            out = folder / "results.sqlite"
            summary = json.loads(needs.tilestrike("run", scenario, "--out", out, "--json"))
            read = list(seed_experiment.read(out))
            database = sqlite3.connect(out)
            database.row_factory = sqlite3.Row
            self.assertEqual(len(read), 2)
            for number, (row, expected) in enumerate(zip(read, summary["scenarios"])):
                trials = database.execute("SELECT * FROM trials_wide WHERE scenario = ?",
                                          (number,)).fetchall()
                shares = {members[0]["stratum"]: share
                          for share, members in seed_experiment.strata_of(trials)}
                self.assertEqual(len(shares), 4)
                for stratum in expected["strata"]:
                    self.assertAlmostEqual(shares[stratum["name"]], stratum["share_of_bits"],
                                           places=12)
                for key in ("sdc_1", "nonfinite"):
                    rate = expected["all"]["over_all"][key]
                    for one, end in zip(row[key], ("value", "low", "high")):
                        self.assertAlmostEqual(one, 100 * rate[end], places=6)
            database.close()


if __name__ == "__main__":
    unittest.main()

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Is what campaigns say of every task what NumPy says of the answers that they kept?"""

import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

import needs

needs.modules("numpy", "torch")

import numpy
import torch

import tilestrike

PROGRAM = os.environ["TILESTRIKE"]
ROOT = os.environ["TILESTRIKE_ROOT"]
CLASSES = 3


class Tokens(torch.nn.Module):
    """(N, 5) token numbers -> (N, 5, 7) scores of the next one."""

    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(7, 6)
        self.head = torch.nn.Linear(6, 7)

    def forward(self, ids):
        return self.head(torch.relu(self.embedding(ids)))


class Boxes(torch.nn.Module):
    """(N, 4) -> (N, 2, 6): two boxes that follow the input, with the scores of two classes."""

    def __init__(self):
        super().__init__()
        self.move = torch.nn.Linear(4, 12)
        with torch.no_grad():
            self.move.weight.mul_(0.3)
            self.move.bias.copy_(torch.tensor([0, 0, 10, 10, 0.9, 0.1, 20, 20, 30, 30, 0.1, 0.8]))

    def forward(self, x):
        return self.move(x).reshape(-1, 2, 6)


class JudgesTest(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(3)
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.random = numpy.random.default_rng(5)

    def model(self, module, inputs, labels=None):
        """Writes model, images and labels; returns the module's answers."""
        inputs = torch.as_tensor(inputs)
        module = module.eval()
        program = torch.export.export(module, (inputs[:2],),
                                      dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))
        torch.export.save(program, self.folder / "m.pt2")
        numpy.save(self.folder / "x.npy", inputs.numpy())
        if labels is not None:
            self.labels(labels)
        with torch.no_grad():
            return module(inputs).numpy()

    def labels(self, labels):
        numpy.save(self.folder / "y.npy", labels)

    def run_program(self, *arguments, code=0):
        done = subprocess.run([PROGRAM, *arguments], cwd=self.folder, capture_output=True,
                              text=True, env=os.environ | {"TILESTRIKE_PYTHON": sys.executable})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def infer(self, judge, code=0):
        return self.run_program("infer", "m.pt2", "--images", "x.npy", "--labels", "y.npy",
                                "--judge", judge, "--json", code=code)

    def metric(self, judge):
        report = json.loads(self.infer(judge))
        return report["metric"], report["score"]

    def campaign(self, judge, strike='{where: {weights: "*"}, count: 4}', labels=True, trials=40,
                 code=0, more=""):
        """The summary as JSON, and the rows of trials and outcomes; or the error."""
        (self.folder / "s.yaml").write_text(
            "model: m.pt2\n"
            f"data: {{images: x.npy{', labels: y.npy' if labels else ''}}}\n"
            f"accelerator: none\nstrike: {strike}\ntrials: {trials}\njudge: {judge}\n{more}",
            encoding="utf-8")
        (self.folder / "r.sqlite").unlink(missing_ok=True)
        printed = self.run_program("run", "s.yaml", "--out", "r.sqlite", "--json", code=code)
        if code:
            return printed
        with contextlib.closing(sqlite3.connect(self.folder / "r.sqlite")) as connection:
            connection.row_factory = sqlite3.Row
            return (json.loads(printed)["scenarios"][0],
                    connection.execute("SELECT * FROM trials_wide ORDER BY trial").fetchall(),
                    connection.execute("SELECT * FROM outcomes ORDER BY trial, image").fetchall())

    @staticmethod
    def answers(golden, trial, outcomes):
        """What all images gave under the faults of a trial."""
        faulty = golden.astype(numpy.float32).copy()
        for row in outcomes:
            if row["trial"] == trial["trial"]:
                faulty[row["image"]] = numpy.frombuffer(
                    row["logits"], "<f4").reshape(golden.shape[1:])
        return faulty

    def check_rows(self, golden, judge, score, wrong):
        """Scores and sdc_1 of all trials, and the summary, against NumPy's. Returns the summary."""
        summary, trials, outcomes = self.campaign(judge)
        scores = []
        for trial in trials:
            faulty = self.answers(golden, trial, outcomes)
            scores.append(score(faulty))
            self.assertAlmostEqual(trial["score"], scores[-1], delta=1e-5 * abs(scores[-1]))
            self.assertAlmostEqual(trial["golden_score"], score(golden), places=5)
            self.assertEqual(trial["images_sdc_1"] + trial["images_nonfinite"] > 0,
                             any(wrong(a, b) for a, b in zip(golden, faulty)))
            for row in outcomes:
                if row["trial"] == trial["trial"]:
                    self.assertEqual(bool(row["sdc_1"]),
                                     wrong(golden[row["image"]], faulty[row["image"]]))
        self.assertGreater(len(set(scores)), 2)
        under = summary["score"]["under_faults"]
        self.assertLessEqual(under["low"], under["value"])
        self.assertLessEqual(under["value"], under["high"])
        return summary, scores

    def test_one_logit_is_a_decision(self):
        x = self.random.normal(size=(40, 6)).astype("float32")
        golden = self.model(torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(),
                                                torch.nn.Linear(8, 1)), x)
        self.labels((golden > 0).astype("int64"))
        self.assertEqual(self.metric("binary"), ("accuracy at the threshold", 1.0))
        y = golden > 0
        self.check_rows(golden, "binary", lambda a: float(((a > 0) == y).mean()),
                        lambda a, b: (a > 0) != (b > 0) or not numpy.isfinite(b).all())
        error = self.campaign("auto", code=2)
        self.assertIn("the shape (1,), which does not say how it is to be judged", error)
        self.assertIn("judge: binary (a logit: yes above 0)", error)

    def test_a_map_of_classes(self):
        x = self.random.normal(size=(6, 1, 5, 4)).astype("float32")
        golden = self.model(torch.nn.Conv2d(1, CLASSES, 3, padding=1), x)
        labels = self.random.integers(0, CLASSES, (6, 5, 4))
        labels[0, 0] = 255
        self.labels(labels)

        def miou(answers):
            top, counts = answers.argmax(1), labels != 255
            shares = [((top == c) & (labels == c) & counts).sum() /
                      (((top == c) | (labels == c)) & counts).sum() for c in range(CLASSES)]
            return float(numpy.mean(shares))

        judge = "{kind: segmentation, ignore: 255}"
        name, score = self.metric(judge)
        self.assertEqual(name, "mIoU")
        self.assertAlmostEqual(score, miou(golden), places=6)
        summary, _ = self.check_rows(
            golden, judge, miou,
            lambda a, b: bool((a.argmax(0) != b.argmax(0)).any() or not numpy.isfinite(b).all()))
        self.assertEqual(summary["judge"], "segmentation")
        self.assertIsNone(summary["all"]["over_all"]["sdc_5"])
        self.assertIn("'ignore: 255'", self.infer("segmentation", code=2))
        self.assertIn("no axis 3", self.infer("{kind: segmentation, class_axis: 3}", code=2))

    def test_tokens(self):
        ids = self.random.integers(0, 7, (8, 5))
        golden = self.model(Tokens(), ids)
        labels = numpy.roll(ids, -1, 1)
        labels[:, -1] = -100
        self.labels(labels)

        def perplexity(answers):
            wide = answers.astype("float64")
            logs = wide - wide.max(-1, keepdims=True)
            logs -= numpy.log(numpy.exp(logs).sum(-1, keepdims=True))
            picked = numpy.take_along_axis(logs, labels[..., None].clip(0), -1)[..., 0]
            value = float(numpy.exp(-picked[labels >= 0].mean()))
            return value if value == value else float("inf")

        name, score = self.metric("tokens")
        self.assertEqual(name, "perplexity")
        self.assertAlmostEqual(score, perplexity(golden), places=5)
        with numpy.errstate(all="ignore"):
            summary, scores = self.check_rows(
                golden, "tokens", perplexity,
                lambda a, b: bool((a.argmax(-1) != b.argmax(-1)).any() or
                                  not numpy.isfinite(b).all()))
        self.assertEqual(summary["score"]["is"], "median")
        # Of trials with weights of their own, so not the middle one.
        ordered = sorted(scores)
        low, high = ordered[len(ordered) // 10], ordered[-1 - len(ordered) // 10]
        self.assertTrue(low <= summary["score"]["under_faults"]["value"] <= high)
        self.assertIn("(N, 5)", self.refused_labels(labels[:, 0], "tokens"))
        self.assertIn("class 10, and the answers have 7 classes",
                      self.refused_labels(labels + 7 * (labels == 3), "tokens"))

    def refused_labels(self, labels, judge):
        self.labels(labels)
        return self.infer(judge, code=2)

    def test_class_numbers(self):
        x = self.random.normal(size=(9, 6)).astype("float32")
        self.model(torch.nn.Linear(6, 4), x)
        message = self.refused_labels(numpy.full(9, 9), "top_k")
        self.assertIn("y.npy: label 0 is class 9, and the answers have 4 classes, 0 to 3", message)
        one_hot = numpy.eye(4, dtype="int64")[numpy.arange(9) % 4]
        self.assertIn("labels.argmax(1)", self.refused_labels(one_hot, "top_k"))
        self.labels(one_hot.argmax(1))  # the cure works
        self.assertEqual(self.metric("auto")[0], "top-1 accuracy")
        self.labels(one_hot.argmax(1)[:, None])
        self.assertEqual(self.metric("top_k")[0], "top-1 accuracy")

    def test_numbers(self):
        x = self.random.normal(size=(12, 6)).astype("float32")
        golden = self.model(torch.nn.Linear(6, 2), x)
        wanted = golden + 0.25
        self.labels(wanted)
        name, score = self.metric("regression")
        self.assertEqual(name, "mean absolute error")
        self.assertAlmostEqual(score, 0.25, places=5)
        self.assertAlmostEqual(self.metric("{kind: regression, error: squared}")[1], 0.25, places=5)
        summary, trials, _ = self.campaign("{kind: regression, tolerance: 0.1}")
        self.assertEqual(summary["score"]["is"], "median")
        self.assertGreater(sum(trial["sdc_1"] for trial in trials), 0)
        error = self.campaign("regression", code=2, more="until: {relative: 20%, of: sdc_1}\n")
        self.assertIn("judged by regression an answer has no sdc_1; ask for sdc, sdc_10", error)

    def test_boxes(self):
        x = self.random.normal(size=(10, 4)).astype("float32")
        golden = self.model(Boxes(), x)
        labels = numpy.full((10, 3, 5), -1, "float32")
        for image, boxes in enumerate(golden):
            for i, box in enumerate(boxes):
                labels[image, i] = [box[4:].argmax(), *box[:4]]
        self.labels(labels)
        name, score = self.metric("{kind: detection, score: 0.0}")
        self.assertEqual(name, "AP at an IoU of 0.5")
        self.assertAlmostEqual(score, 1.0, places=6)
        summary, trials, _ = self.campaign("{kind: detection, score: 0.0}")
        self.assertLess(summary["score"]["under_faults"]["value"], 1.0)
        self.assertGreater(sum(trial["sdc_1"] for trial in trials), 0)
        for key, value in (("iou", "0"), ("iou", "1.5"), ("nms", "x")):
            error = self.campaign(f"{{kind: detection, {key}: {value}}}", code=2)
            self.assertIn(f"judge.{key}: '{value}' is no share of two boxes' area", error)

    def test_long_answers_keep_what_differs(self):
        x = self.random.normal(size=(2, 1, 40, 40)).astype("float32")
        golden = self.model(torch.nn.Conv2d(1, CLASSES, 1), x)
        _, trials, _ = self.campaign("segmentation", labels=False, trials=12,
                                     strike='{where: {activations: "*"}, count: 3}')
        results = [row for row in trials if row["outcome"] == "sdc"]
        self.assertGreater(len(results), 3)
        for row in results:
            self.assertIsNone(row["logits"])
            index, values = tilestrike._differences(row["differences"])
            self.assertEqual(len(index), row["changed_answer"])
            before = golden[row["image"]].reshape(-1)[index]
            self.assertTrue((before != values).all())
        _, trials, outcomes = self.campaign("segmentation", labels=False, trials=5)
        digests = [row["answer_digest"] for row in outcomes if row["answer_digest"]]
        self.assertGreater(len(set(digests)), 3)
        text = self.run_program("run", "s.yaml", "--out", "r.sqlite")
        self.assertIn("an answer has 4800 numbers", text)
        self.run_program("replay", "r.sqlite", "--trial", "0")

    def own(self, body):
        (self.folder / "own.py").write_text(
            f"import sys\nsys.path.insert(0, {str(pathlib.Path(ROOT) / 'python')!r})\n"
            f"import tilestrike\n{body}\n", encoding="utf-8")
        return "{kind: python, file: own.py}"

    def test_a_script_of_ones_own(self):
        x = self.random.normal(size=(7, 6)).astype("float32")
        golden = self.model(torch.nn.Linear(6, 4), x, numpy.arange(7) % 4)
        judge = self.own("def judge(golden, faulty, label, image):\n"
                         "    print('asked')\n"
                         "    assert golden.shape == (4,) and label.shape == ()\n"
                         "    return (abs(golden - faulty).max() > 0.5,\n"
                         "            float(faulty.argmax() == label))\n"
                         "tilestrike.serve_judge(judge, 'right', is_share=True)")
        labels = numpy.arange(7) % 4
        self.check_rows(golden, judge, lambda a: float((a.argmax(1) == labels).mean()),
                        lambda a, b: bool(abs(a - b).max() > 0.5 or not numpy.isfinite(b).all()))
        self.assertEqual(self.metric(judge)[0], "right")

    def test_a_script_that_fails_is_named(self):
        x = self.random.normal(size=(3, 6)).astype("float32")
        self.model(torch.nn.Linear(6, 4), x, numpy.arange(3))
        for body, wanted in (
                ("sys.exit(7)", "has ended without saying what it is, with exit code 7"),
                ("print('hello')", "has answered hello"),
                ("tilestrike.serve_judge(lambda *all: 1 / 0)",
                 "has ended without saying a verdict"),
                ("tilestrike.serve_judge(lambda *all: (True, 2.0), is_share=True)",
                 "its scores are said to lie within 0 and 1")):
            error = self.campaign(self.own(body), code=2)
            self.assertIn("own.py: the judge's script", error)
            self.assertIn(wanted, error)
        error = self.campaign("python", code=2)
        self.assertIn("write {kind: python, file: FILE}", error)
        error = self.campaign("{kind: python, file: none.py}", code=2)
        self.assertIn("judge.file: no such file", error)

    def test_a_library_of_ones_own(self):
        compiler = shutil.which("c++")
        if compiler is None:
            self.skipTest("no c++ compiler")
        x = self.random.normal(size=(7, 6)).astype("float32")
        golden = self.model(torch.nn.Linear(6, 4), x, numpy.arange(7) % 4)
        (self.folder / "own.cpp").write_text("""
#include "bridge/trial/own_judge.h"
struct Own final : tilestrike::OwnJudge {
  tilestrike::OwnVerdict judge(const tilestrike::OwnAnswer& answer) override {
    const bool moved = answer.faulty[2] > answer.golden[2] + 0.5F;
    return {moved, static_cast<double>(answer.image + answer.label[0])};
  }
  std::string metric() const override { return "made up"; }
};
extern "C" void tilestrike_add_judge(std::unique_ptr<tilestrike::OwnJudge>& judge) {
  judge = std::make_unique<Own>();
}
""", encoding="utf-8")
        subprocess.run([compiler, "-std=c++20", "-shared", "-fPIC", "-I", ROOT, "own.cpp", "-o",
                        "own.so"], cwd=self.folder, check=True)
        judge = "{kind: library, file: own.so}"
        self.assertEqual(self.metric(judge), ("made up", (21 + 9) / 7))
        _, trials, outcomes = self.campaign(judge)
        for row in outcomes:
            faulty = numpy.frombuffer(row["logits"], "<f4")
            wrong = (faulty[2] > golden[row["image"]][2] + numpy.float32(0.5) or
                     not numpy.isfinite(faulty).all())
            self.assertEqual(bool(row["sdc_1"]), bool(wrong))
        self.assertGreater(sum(trial["sdc_1"] for trial in trials), 0)
        (self.folder / "own.so").write_text("no library")
        self.assertIn("own.so: cannot load the judge", self.infer(judge, code=2))


if __name__ == "__main__":
    unittest.main()

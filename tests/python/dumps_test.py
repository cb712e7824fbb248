# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Do the dumps of `infer` and `replay` hold the integers that NumPy computes on its own?"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import needs

needs.modules("numpy", "pandas")
needs.fashion_mnist()

import numpy

import fashion_mnist
import tilestrike

SCENARIO = """\
model: {model}
data: {{images: images.npy, calibrate: images.npy}}
accelerator: {{base: gemmini_16x16, mesh: {{rows: 8, columns: 8, dataflow: {dataflow}}}}}
strike: {{where: {{mesh: {{}}}}}}
trials: 60
"""

TENSORS = """\
model: lenet5
accelerator: none
format: {format}
data: {{images: images.npy, calibrate: images.npy}}
batch: 4
strike: {{where: {{{where}: "*"}}}}
trials: 60
"""


def check(folder):
    """Runs check_dump.py as an outsider would; returns what it printed."""
    done = subprocess.run([sys.executable, needs.ROOT / "python/check_dump.py", folder],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


class DumpsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.holder.cleanup)
        cls.folder = pathlib.Path(cls.holder.name)
        numpy.save(cls.folder / "images.npy", fashion_mnist.load("test")[0][:8])

    def test_infer_dumps_every_integer_layer(self):
        for model, matrix_layers in (("lenet5", 5), ("resnet8", 10)):
            folder = self.folder / f"infer_{model}"
            images = self.folder / "images.npy"
            needs.tilestrike("infer", model, "--int8", "--images", images, "--calibrate", images,
                             "--dump", folder)
            self.assertRegex(check(folder), rf"\n{matrix_layers} of \d+ layers checked: all equal")

    def test_infer_dumps_the_currents_of_spiking_neurons(self):
        for model, matrix_layers in (("snn_small", 2), ("snn_conv", 3)):
            folder = self.folder / f"infer_{model}"
            needs.tilestrike("infer", model, "--int8", "--images", self.folder / "images.npy",
                             "--dump", folder)
            self.assertRegex(check(folder), rf"\n{matrix_layers} of \d+ layers checked: all equal")

    def test_replay_dumps_the_struck_pass(self):
        for model, dataflow in (("lenet5", "ws"), ("resnet8", "os")):
            scenario = self.folder / f"{model}.yaml"
            scenario.write_text(SCENARIO.format(model=model, dataflow=dataflow))
            results = self.folder / f"{model}.sqlite"
            needs.tilestrike("run", scenario, "--out", results)
            trials = tilestrike.load(results).trials
            changed = trials[trials.changed_accumulators > 0]
            self.assertGreater(len(changed), 3)
            for trial in changed.trial[:3]:
                folder = self.folder / f"{model}_{trial}"
                needs.tilestrike("replay", results, "--trial", trial, "--dump", folder)
                said = check(folder)
                self.assertIn(f"struck pass ({dataflow})", said)
                self.assertRegex(said, r"faulty: [1-9]\d* of \d+ differ from golden")
                self.assertIn("struck layer", said)
                self.assertTrue(json.loads((folder / "faulty.json").read_text()))

    def test_replay_dumps_struck_tensors(self):
        for format, where, said in (
                ("int8", "weights", "outputs do not follow from its struck constants"),
                ("float32", "weights", "do not follow from their faults"),
                ("float32", "activations", "of an activation")):
            scenario = self.folder / "tensors.yaml"
            scenario.write_text(TENSORS.format(format=format, where=where))
            results = self.folder / f"{format}_{where}.sqlite"
            needs.tilestrike("run", scenario, "--out", results)
            trials = tilestrike.load(results).trials
            visible = trials[trials.outcome != "masked"]
            self.assertGreater(len(visible), 1)
            for trial in visible.trial[:2]:
                folder = self.folder / f"{format}_{where}_{trial}"
                needs.tilestrike("replay", results, "--trial", trial, "--dump", folder)
                self.assertIn(said, check(folder))
                struck = json.loads((folder / "struck_words.json").read_text())
                self.assertEqual(len(struck), 1)
                faulty = json.loads((folder / "faulty.json").read_text())
                last = json.loads((folder / "layers.json").read_text())[-1]
                self.assertEqual(faulty[-1]["index"], last["index"])
                golden = numpy.load(folder / last["output"])
                answer = numpy.load(folder / faulty[-1]["output"])
                self.assertFalse(numpy.array_equal(golden, answer))


if __name__ == "__main__":
    unittest.main()

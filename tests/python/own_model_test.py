# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Does python/own_model.py go from a PyTorch model to a table of intervals?"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import needs

needs.modules("torch", "pandas")
needs.fashion_mnist()

import tilestrike

TRIALS = 300


class OwnModelTest(unittest.TestCase):
    def test_from_model_to_table_twice(self):
        with tempfile.TemporaryDirectory() as holder:
            out = pathlib.Path(holder) / "own"
            command = [sys.executable, needs.ROOT / "python/own_model.py", "--trials", str(TRIALS),
                       "--out", out]
            for _ in range(2):  # the second meets the results of the first
                done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            accuracy = re.search(r"float accuracy: ([\d.]+) % of 10000", done.stdout)
            self.assertGreater(float(accuracy[1]), 80)
            rows = re.findall(r"^(\w+) +(\d+) +(\d+) +[\d.]+ % +([\d.]+) \.\. ([\d.]+) %$",
                              done.stdout, re.MULTILINE)
            trials = tilestrike.load(out / "results.sqlite").trials
            self.assertEqual(sum(int(row[1]) for row in rows), TRIALS)
            self.assertEqual(len(trials), TRIALS)
            self.assertEqual(sum(int(row[2]) for row in rows), (trials.outcome == "sdc").sum())
            self.assertGreater((trials.outcome == "sdc").sum(), 0)


if __name__ == "__main__":
    unittest.main()

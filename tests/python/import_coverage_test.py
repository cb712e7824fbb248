# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Are a few networks of the usual libraries imported, quantised, and right?

Those of torchvision, timm and transformers where these are installed; all of them go through
python/import_coverage.py.
"""

import importlib.util
import pathlib
import tempfile
import unittest

import needs

needs.modules("numpy", "torch")

import torch

import import_coverage
import networks

SAMPLE = {"own": ["unet", "conv_1d"], "torchvision": ["squeezenet1_1"],
          "timm": ["test_vit", "test_resnet"], "transformers": ["gpt2_sdpa", "bert_sdpa"]}


class ImportCoverageTest(unittest.TestCase):
    def check(self, family):
        if family != "own" and importlib.util.find_spec(family) is None:
            self.skipTest(f"{family} is not installed")
        torch.set_num_threads(1)
        chosen = [network for network in networks.all_networks([family])
                  if network.name in SAMPLE[family]]
        self.assertEqual(sorted(network.name for network in chosen), sorted(SAMPLE[family]))
        with tempfile.TemporaryDirectory() as holder:
            for network in chosen:
                row = import_coverage.compare(network, pathlib.Path(holder) / network.name)
                self.assertEqual(row.refused, "", row.line())
                self.assertTrue(row.imported and row.int8, row.line())
                if row.imported != "equal bits":
                    self.assertLess(float(row.imported), 1e-5, row.line())

    def test_own(self):
        self.check("own")

    def test_torchvision(self):
        self.check("torchvision")

    def test_timm(self):
        self.check("timm")

    def test_transformers(self):
        self.check("transformers")

    def test_a_refusal_is_a_row_with_its_reason(self):
        class Random(torch.nn.Module):
            def forward(self, x):
                return x.flatten(1) + torch.rand(7)
        network = networks.Network("random", "own", Random, networks.features(7))
        with tempfile.TemporaryDirectory() as holder:
            row = import_coverage.compare(network, pathlib.Path(holder))
        self.assertEqual((row.imported, row.int8), ("", ""))
        self.assertIn("aten.rand", row.refused)
        self.assertIn("1 refused", import_coverage.summary([row])[0])
        self.assertIn("| own random | 0 |", import_coverage.markdown([row]))


if __name__ == "__main__":
    unittest.main()

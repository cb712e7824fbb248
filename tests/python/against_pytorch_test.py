# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Does a fault that a results file names do in PyTorch what the file says? A sample of networks."""

import pathlib
import tempfile
import unittest

import needs

needs.modules("numpy", "pandas", "torch")

import numpy
import torch

import check_against_pytorch as check
import networks

SAMPLE = {"conv_net": "bfloat16", "tied_language": "float32", "weight_only": "float32"}


class AgainstPytorchTest(unittest.TestCase):
    def test_every_answer_is_pytorchs(self):
        torch.set_num_threads(1)
        of_all = {network.name: network for network in networks.all_networks(["own"])}
        with tempfile.TemporaryDirectory() as holder:
            for name, number_format in SAMPLE.items():
                counts = check.check(pathlib.Path(holder) / name, of_all[name], number_format,
                                     trials=12)
                for kind, count in counts.items():
                    self.assertEqual((count.wrong, count.skipped, count.unknown), (0, 0, set()),
                                     f"{name}, {number_format}, {kind}")
                    self.assertGreaterEqual(count.outcomes(), 12)

    def test_finds_what_is_wrong(self):
        golden = numpy.array([1.0, 2.0], numpy.float32)
        changed = numpy.array([1.0, 3.0], numpy.float32)
        for mine, outcome, logits, wrong in (
                (golden, "masked", None, 0), (changed, "masked", None, 1),
                (changed, "sdc", changed, 0), (changed, "sdc", golden, 1),
                (changed, "nonfinite", None, 1), (changed * numpy.inf, "nonfinite", None, 0),
                (changed * numpy.nan, "sdc", changed, 1)):
            count = check.Count()
            check.compare(count, mine, golden, outcome, logits, 1e-4)
            self.assertEqual((count.wrong, count.outcomes()), (wrong, 1))


if __name__ == "__main__":
    unittest.main()

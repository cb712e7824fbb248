# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Are the answers PyTorch's to the bit, in the setting that docs/import.md names?"""

import pathlib
import tempfile
import unittest

import needs

needs.modules("numpy", "torch")

import numpy
import torch

import reference_logits
import tilestrike


class Mixer(torch.nn.Module):
    """A linear layer over a permuted input: PyTorch has two ways for it, of which it takes the one
    or the other as the weight requires gradients or not."""

    def __init__(self):
        super().__init__()
        self.mix = torch.nn.Linear(33, 9)

    def forward(self, x):
        return self.mix(x.permute(0, 2, 1)).flatten(1)


class BitsTest(unittest.TestCase):
    def test_promise_is_for_parameters_that_require_no_gradients(self):
        torch.set_num_threads(1)
        torch.manual_seed(0)
        network, x = Mixer().eval(), torch.randn(8, 33, 65)
        with torch.no_grad():
            with_gradients = network(x)
            without = network.requires_grad_(False)(x)
        if torch.equal(with_gradients, without):
            self.skipTest("both ways give the same bits on this processor")
        network.requires_grad_(True)
        with tempfile.TemporaryDirectory() as holder:
            folder = pathlib.Path(holder)
            paths = tilestrike.export(network, [x], folder)
            self.assertTrue(network.mix.weight.requires_grad, "the caller's model is as it was")
            trained = folder / "trained.pt2"
            torch.export.save(torch.export.export(network, (x,), dynamic_shapes=(
                {0: torch.export.Dim("batch", min=1)},)), trained)
            expected = folder / "y.npy"
            for model in (paths.model, trained):
                logits = reference_logits.logits(model, [x.numpy()], 100)
                self.assertTrue((logits == without.numpy()).all())
                numpy.save(expected, logits)
                needs.tilestrike("infer", model, "--images", paths.images, "--expect", expected)
            numpy.save(expected, with_gradients.numpy())
            needs.tilestrike("infer", trained, "--images", paths.images, "--expect", expected,
                             status=1)


if __name__ == "__main__":
    unittest.main()

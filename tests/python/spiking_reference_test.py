# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Does the program compute of the zoo's spiking networks what NumPy alone computes of them, written
from the specification: the same spikes of every layer, and the same logits?"""

import json
import pathlib
import tempfile
import unittest

import needs

needs.modules("numpy", "h5py")
needs.fashion_mnist()

import numpy

import fashion_mnist
import reference_spiking
import spiking_network

IMAGES = 200
DUMPED = 16  # a dump holds so many images


class SpikingReferenceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.holder.cleanup)
        cls.folder = pathlib.Path(cls.holder.name)
        cls.images = fashion_mnist.load("test")[0][:IMAGES]
        numpy.save(cls.folder / "images.npy", cls.images)
        numpy.save(cls.folder / "last.npy", cls.images[-DUMPED:])

    def infer(self, model, *options, images="images.npy"):
        """The logits, what the program says of the run, and the spikes that the dump holds."""
        folder = self.folder / "_".join(("dump", model, images, *options))
        said = needs.tilestrike("infer", model, *options, "--images", self.folder / images,
                                "--json", "--out", self.folder / "logits.npy", "--dump", folder)
        spikes = {entry["name"]: numpy.load(folder / entry["output"])
                  for entry in json.loads((folder / "layers.json").read_text())
                  if entry["kind"] in ("spiking.rate", "spiking.lif")}
        return numpy.load(self.folder / "logits.npy"), json.loads(said), spikes

    def expect_spikes(self, network, model, expected, *options):
        """Every spike of the first and of the last images, by layer and tick."""
        compared = 0
        for images, part in (("images.npy", slice(0, DUMPED)), ("last.npy", slice(-DUMPED, None))):
            _, _, found = self.infer(model, *options, images=images)
            names = {"input": "encode", **{name: name for name in expected if name != "input"}}
            self.assertGreater(len(names), 1)
            for name, node in names.items():
                mine = expected[name][:, part]
                self.assertTrue(numpy.array_equal(found[node], mine.reshape(found[node].shape)),
                                f"{model} {options}: spikes of {name}")
                compared += int(mine.sum())
        self.assertEqual(found["encode"].shape[:2], (network.ticks, DUMPED))
        print(f"{model} {' '.join(options) or 'float'}: {compared} spikes compared")
        self.assertGreater(compared, 2 * DUMPED * 500)

    def test_integers(self):
        for model in ("snn_small", "snn_fc"):
            network = spiking_network.read(needs.ROOT / f"zoo/{model}.nir")
            expected, spikes, layers = reference_spiking.run(network, self.images, "integer")
            logits, said, _ = self.infer(model, "--int8")
            per_unit = layers[-1].scale * network.ticks
            membranes, found = numpy.rint(expected * per_unit), numpy.rint(logits * per_unit)
            self.assertEqual(logits.shape, (IMAGES, 10))
            self.assertLess(numpy.abs(logits * per_unit - found).max(), 0.01)  # whole numbers
            self.assertTrue(numpy.array_equal(membranes, found), model)
            self.assertGreater(len(numpy.unique(membranes)), IMAGES)
            totals = {one["layer"]: one["integer_spikes"] for one in said["import_errors"]}
            self.assertEqual(totals, {name: int(found.sum()) for name, found in spikes.items()
                                      if name != "input"})
            self.expect_spikes(network, model, spikes, "--int8")

    def test_float(self):
        for model in ("snn_small", "snn_fc"):
            network = spiking_network.read(needs.ROOT / f"zoo/{model}.nir")
            expected, spikes, _ = reference_spiking.run(network, self.images, "float64")
            logits, _, _ = self.infer(model)
            apart = numpy.abs(logits - expected).max() / numpy.abs(expected).max()
            print(f"{model}: logits are apart by {apart:.2g} of the largest")
            self.assertLess(apart, 1e-6)
            _, said, _ = self.infer(model, "--int8")
            totals = {one["layer"]: one["float_spikes"] for one in said["import_errors"]}
            self.assertEqual(totals, {name: int(found.sum()) for name, found in spikes.items()
                                      if name != "input"})
            self.expect_spikes(network, model, spikes)


if __name__ == "__main__":
    unittest.main()

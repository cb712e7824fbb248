# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Is what the Python package nir writes imported as what it meant?"""

import inspect
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import needs

needs.modules("numpy", "h5py", "nir")

import nir
import numpy

if str(inspect.signature(nir.IF).parameters.get("v_reset")).find("= None") < 0:
    print("SKIPPED: the installed nir is older than 1.0.7, in which v_reset may be left out")
    sys.exit(0)


def some(*sizes, dtype=numpy.float32):
    """Numbers that are all different."""
    count = int(numpy.prod(sizes))
    return (numpy.arange(count) * 0.125 - 1).reshape(sizes).astype(dtype)


def positive(*sizes, dtype=numpy.float64):
    return (numpy.arange(int(numpy.prod(sizes))) * 0.01 + 0.01).reshape(sizes).astype(dtype)


def conv(weight, size, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    return nir.Conv2d(input_shape=size, weight=weight, stride=stride, padding=padding,
                      dilation=dilation, groups=groups, bias=some(weight.shape[0]))


def pool(kind, window, stride, padding=(0, 0)):
    return kind(kernel_size=numpy.array(window), stride=numpy.array(stride),
                padding=numpy.array(padding))


def integrate(*sizes):
    return nir.IF(r=positive(*sizes), v_threshold=positive(*sizes), v_reset=some(*sizes))


class NirTest(unittest.TestCase):
    def imported(self, *nodes, readout="count"):
        """What ts_show_nir prints of these nodes in a line."""
        named = {f"n{i}": node for i, node in enumerate(nodes)}
        names = list(named)
        graph = nir.NIRGraph(named, list(zip(names, names[1:])), type_check=False)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "net.nir"
            nir.write(path, graph)
            path.with_name("net.spiking.yaml").write_text(
                f"ticks: 4\ndt: 0.001\nreadout: {readout}\n")
            done = subprocess.run([os.environ["SHOW_NIR"], path], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def expect_array(self, found, array):
        numpy.testing.assert_array_equal(numpy.array(found, dtype=numpy.float32),
                                         numpy.asarray(array, dtype=numpy.float32).reshape(-1))

    def expect_neurons(self, found, node, kind):
        self.assertEqual(found["kind"], kind)
        self.assertEqual(found["sizes"], list(node.r.shape))
        for key in ("tau", "r", "v_leak", "v_threshold", "v_reset"):
            self.expect_array(found[key], getattr(node, key, []))

    def test_linear_nodes(self):
        affine = nir.Affine(weight=some(4, 3), bias=some(4, dtype=numpy.float64))
        linear = nir.Linear(weight=some(2, 4))
        first, last = integrate(4), integrate(2)
        found = self.imported(nir.Input(numpy.array([3])), affine, first, linear, last,
                              nir.Output(numpy.array([2])))
        self.assertEqual(found["input_sizes"], [3])
        self.assertEqual(found["output_sizes"], [2])
        self.assertEqual(len(found["layers"]), 2)
        for layer, node, neurons in zip(found["layers"], (affine, linear), (first, last)):
            (step,) = layer["synapses"]
            self.assertEqual(step["kind"], "linear")
            self.assertEqual(step["weight_sizes"], list(node.weight.shape))
            self.expect_array(step["weights"], node.weight)
            self.expect_array(step["bias"], getattr(node, "bias", []))
            self.expect_neurons(layer["neurons"], neurons, "IF")

    def test_leaky_neurons(self):
        lif = nir.LIF(tau=positive(4), r=some(4), v_leak=some(4), v_threshold=positive(4),
                      v_reset=some(4))
        li = nir.LI(tau=positive(2), r=some(2), v_leak=some(2))
        found = self.imported(nir.Input(numpy.array([3])), nir.Linear(weight=some(4, 3)), lif,
                              nir.Linear(weight=some(2, 4)), li, nir.Output(numpy.array([2])),
                              readout="membrane")
        self.expect_neurons(found["layers"][0]["neurons"], lif, "LIF")
        self.expect_neurons(found["layers"][1]["neurons"], li, "LI")

    def test_absent_resets_are_zero(self):
        lif = nir.LIF(tau=positive(2), r=some(2), v_leak=some(2), v_threshold=positive(2))
        found = self.imported(nir.Input(numpy.array([3])), nir.Linear(weight=some(2, 3)), lif,
                              nir.Output(numpy.array([2])))
        self.assertEqual(found["layers"][0]["neurons"]["v_reset"], [0, 0])

    def test_convolutions(self):
        for node in (conv(some(6, 4, 3, 3), (9, 8)),
                     conv(some(6, 2, 3, 3), (9, 8), stride=(2, 3), padding=(1, 2), groups=2),
                     conv(some(6, 4, 3, 3), (9, 8), stride=2, padding=1, dilation=2),
                     conv(some(6, 4, 3, 3), (9, 8), padding="same"),
                     conv(some(6, 4, 3, 3), (9, 8), padding="valid")):
            shape = [int(size) for size in node.output_type["output"]]
            found = self.imported(nir.Input(numpy.array([4, 9, 8])), node, integrate(*shape),
                                  nir.Output(numpy.array(shape)))
            (step,) = found["layers"][0]["synapses"]
            self.assertEqual(step["kind"], "conv2d")
            self.assertEqual(step["output_sizes"], shape)
            self.assertEqual(step["weight_sizes"], list(node.weight.shape))
            self.expect_array(step["weights"], node.weight)
            self.expect_array(step["bias"], node.bias)
            self.assertEqual(step["stride"], list(node.stride))
            self.assertEqual(step["dilation"], list(node.dilation))
            self.assertEqual(step["groups"], node.groups)
            if not isinstance(node.padding, str):
                self.assertEqual(step["padding_before"], list(node.padding))
                self.assertEqual(step["padding_after"], list(node.padding))

    def test_pooling_and_flatten(self):
        flat = nir.Flatten(input_type={"input": numpy.array([2, 2, 3])}, start_dim=0, end_dim=-1)
        for kind, name in ((nir.SumPool2d, "sum"), (nir.AvgPool2d, "average")):
            found = self.imported(nir.Input(numpy.array([2, 5, 6])),
                                  pool(kind, (2, 3), (2, 2), (0, 1)), flat,
                                  nir.Affine(weight=some(3, 12), bias=some(3)), integrate(3),
                                  nir.Output(numpy.array([3])))
            step, flattened, _ = found["layers"][0]["synapses"]
            self.assertEqual(step["kind"], name)
            self.assertEqual(step["window"], [2, 3])
            self.assertEqual(step["padding_before"], [0, 1])
            self.assertEqual(step["output_sizes"], [2, 2, 3])
            self.assertEqual(flattened["output_sizes"], [12])

    def test_what_ends_in_weights(self):
        affine = nir.Affine(weight=some(2, 3), bias=some(2))
        found = self.imported(nir.Input(numpy.array([3])), affine, nir.Output(numpy.array([2])),
                              readout="membrane")
        self.assertEqual(found["layers"][0]["neurons"]["r"], [1, 1])


if __name__ == "__main__":
    unittest.main()

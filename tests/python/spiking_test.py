# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Are spiking networks written as NIR with all that belongs to them, does the reference compute
what its formulas say, and how good are the zoo's?"""

import pathlib
import sys
import tempfile
import unittest
import unittest.mock
import warnings

import needs

needs.modules("numpy", "torch", "nir", "h5py")

import nir
import numpy
import torch

import fashion_mnist
import reference_spiking
import spiking_network
import tilestrike
import train_spiking

# Right of the first 1000 test images, in float and in integers.
RIGHT = {"snn_small": (887, 890), "snn_fc": (897, 897), "snn_conv": (882, 876)}


def lif(count, dtype=numpy.float32, **others):
    """Neurons with dt / tau = 1/8 at dt = 1 and a gain of 1."""
    one = numpy.ones(count, dtype)
    values = {"tau": 8 * one, "r": 8 * one, "v_leak": 0 * one, "v_threshold": one, **others}
    return nir.LIF(**values)


def matrix(*rows):
    return numpy.array(rows, numpy.float32)


class Folder(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def write(self, network, **settings):
        return tilestrike.write_nir(self.folder / "network.nir", network,
                                    **{"ticks": 8, "dt": 1.0, **settings})

    def written(self, network, **settings):
        """The network as the reference reads it."""
        return spiking_network.read(self.write(network, **settings).model)


class WriteTest(Folder):
    def test_a_list_becomes_a_line_of_nodes(self):
        paths = self.write([nir.Affine(matrix([1, 2], [3, 4], [5, 6]), numpy.zeros(3)), lif(3),
                            nir.Linear(matrix([1, 1, 1]))], ticks=5, dt=0.5, reset="soft")
        self.assertEqual(paths.settings, self.folder / "network.spiking.yaml")
        self.assertEqual(paths.settings.read_text(),
                         "ticks: 5\ndt: 0.5\nspike_as: charge\nreset: soft\nencode: rate\n"
                         "readout: membrane\n")
        graph = nir.read(paths.model)
        self.assertEqual(graph.edges, [("input", "affine_1"), ("affine_1", "lif_1"),
                                       ("lif_1", "linear_1"), ("linear_1", "output")])
        self.assertEqual(list(graph.nodes["input"].input_type["input"]), [2])
        self.assertEqual(graph.nodes["affine_1"].weight.tolist(), [[1, 2], [3, 4], [5, 6]])

    def test_names_and_shapes_are_those_that_are_given(self):
        paths = self.write({"see": nir.Conv2d(None, numpy.ones((2, 1, 3, 3)), 1, 0, 1, 1,
                                              numpy.zeros(2)),
                            "all": nir.Flatten(None, start_dim=0), "say": lif(32)},
                           input_shape=(1, 6, 6), readout="count")
        graph = nir.read(paths.model)
        self.assertEqual({*graph.nodes}, {"input", "see", "all", "say", "output"})
        self.assertEqual(list(graph.nodes["output"].output_type["output"]), [32])

    def test_a_graph_is_taken_as_it_is(self):
        graph = nir.NIRGraph.from_list(nir.Linear(matrix([1, 2])), lif(1))
        paths = self.write(graph, readout="first_spike")
        self.assertEqual(nir.read(paths.model).edges, graph.edges)

    def test_writes_the_same_bytes_again(self):
        contents = [self.write([nir.Linear(matrix([1, 2]))]).model.read_bytes() for _ in range(2)]
        self.assertEqual(*contents)

    def test_refuses_what_is_no_network(self):
        line = [nir.Linear(matrix([1, 2]))]
        for network, settings, message in (
                (line, {"ticks": 0}, "ticks 0: give a whole number"),
                (line, {"ticks": 8.0}, "ticks 8.0: give a whole number"),
                (line, {"dt": 0}, "dt 0.0: give the seconds"),
                (line, {"dt": float("nan")}, "dt nan: give the seconds"),
                (line, {"spike_as": "voltage"}, "spike_as 'voltage': give one of charge, current"),
                (line, {"reset": None}, "reset None: give one of hard, soft"),
                (line, {"encode": "poisson"}, "encode 'poisson': give one of rate, constant"),
                (line, {"readout": "sum"}, "readout 'sum': give one of membrane, count"),
                (line, {"readout": "count"}, "node linear_1 at the end never fires"),
                ([], {}, "network: give a nir.NIRGraph, or a list"),
                ([torch.nn.Linear(2, 1)], {}, "network: give a nir.NIRGraph, or a list"),
                ({"input": line[0]}, {}, "a node is called input, as one that is added"),
                ({"fc": line[0], "output": lif(1)}, {}, "a node is called output, .*; rename it"),
                ([nir.Flatten(None, start_dim=0), *line], {}, "give input_shape"),
                ([nir.Flatten(None), *line], {"input_shape": (1, 1, 2)}, "start_dim of a Flatten"),
                ([*line, lif(2)], {}, "type mismatch: linear_1.output"),
                ([nir.Linear(matrix([1, numpy.inf]))], {}, "node linear_1: weight holds NaN"),
                ([*line, lif(1)], {"dt": 9.0}, r"node lif_1: tau is down to 8.0 s, below dt = 9")):
            with self.assertRaisesRegex(ValueError, message):
                self.write(network, **settings)
        with self.assertRaisesRegex(ValueError, "network.h5: the name of a NIR file ends in .nir"):
            tilestrike.write_nir("network.h5", line, ticks=8, dt=1.0)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_says_what_to_install(self):
        with unittest.mock.patch.dict(sys.modules, nir=None):
            with self.assertRaisesRegex(ImportError, "pip install nir"):
                self.write([])


class ReferenceTest(Folder):
    """The reference against numbers worked out by hand, and against PyTorch's convolutions."""

    def run_on(self, network, images, number_format="integer"):
        return reference_spiking.run(network, numpy.array(images, numpy.float32), number_format)

    def test_input_spikes_are_spread_evenly(self):
        network = self.written([nir.Linear(numpy.ones((1, 9), numpy.float32))])
        x = numpy.arange(9) / 8
        _, spikes, _ = self.run_on(network, [x, x - 1 / 16, x + 1 / 17, 9 * [numpy.nan]])
        self.assertEqual(spikes["input"].sum(0).tolist(),
                         [[*range(9)], [*range(9)], [*range(9)], 9 * [0]])
        at = ["".join(map(str, column)) for column in spikes["input"][:, 0].T]
        self.assertEqual(at, ["00000000", "00000001", "00010001", "00100101", "01010101",
                              "01011011", "01110111", "01111111", "11111111"])

    def test_integer_neurons_by_hand(self):
        # S = 127, weights 64 and -64 (63.5 to even), threshold 128, d = 512. Membranes that leak
        # and charge: 64; 120; 169, spike, 41; 100; 152, spike, 24; 85; 139, spike, 11; 74.
        last = nir.Linear(matrix([1, 0], [0, 0.5]))
        network = self.written([nir.Linear(matrix([0.5, 1], [-0.5, 0])), lif(2), last],
                               reset="soft")
        logits, spikes, layers = self.run_on(network, [[1, 0]])
        self.assertEqual(spikes["lif_1"][:, 0, 0].tolist(), [0, 0, 1, 0, 1, 0, 1, 0])
        self.assertEqual(layers[0].weight.tolist(), [[64, 127], [-64, 0]])
        self.assertEqual(layers[0].threshold.tolist(), [128, 128])
        self.assertEqual(layers[0].leak.tolist(), [512, 512])
        self.assertEqual(logits.tolist(), [[3 * 127 / 127 / 8, 0]])
        # Of the other one, rounded down: -64; -120; -169; -169 + 22 - 64 = -211.
        _, membrane = reference_spiking.integer_neurons(
            network, layers[0], numpy.tile([64, -64], (4, 1, 1)))
        self.assertEqual(membrane.tolist(), [[100, -211]])

    def test_hard_reset_bias_and_counts_by_hand(self):
        # No leak: 3/8 and a bias of 1/8 a tick reach 1 in the second, beyond it in the third.
        one = numpy.ones(1, numpy.float32)
        network = self.written([nir.Affine(matrix([0.375, -1]), one / 8),
                                nir.IF(one, one, v_reset=one / 4)], readout="count")
        logits, spikes, layers = self.run_on(network, [[1, 0]], "float64")
        self.assertEqual(spikes["if_1"][:, 0, 0].tolist(), [0, 0, 1, 0, 1, 0, 1, 0])
        self.assertEqual(logits.tolist(), [[3 / 8]])
        # 48 + 16 a tick: 64; 128, spike, 32; 96; 160, spike, 32; ...
        logits, spikes, layers = self.run_on(network, [[1, 0]])
        self.assertEqual([layers[0].bias[0], layers[0].reset[0]], [16, 32])
        self.assertEqual(spikes["if_1"][:, 0, 0].tolist(), [0, 1, 0, 1, 0, 1, 0, 1])
        network.readout = "first_spike"
        logits, _, _ = self.run_on(network, [[1, 0], [0, 0], [0, 1]])  # the bias alone: 8 x 16
        self.assertEqual(logits.tolist(), [[7 / 8], [1 / 8], [0]])

    def test_currents_and_a_leaky_readout_by_hand(self):
        one = numpy.ones(1, numpy.float32)
        network = self.written([nir.Linear(matrix([2])), nir.IF(4 * one, 9 * one),
                                nir.Linear(matrix([1])), nir.LI(2 * one, one, one)],
                               dt=0.5, spike_as="current", ticks=4)
        logits, spikes, _ = self.run_on(network, [[1]], "float32")
        self.assertEqual(spikes["if_1"].ravel().tolist(), [0, 0, 1, 0])  # 4, 8, 12
        # v' = v + (1 - v + spike) / 4: 1/4, 7/16, 53/64, 223/256; that by the four ticks
        self.assertEqual(logits.tolist(), [[223 / 256 / 4]])
        # Weights 4 and 1/4 are 127, so S is 31.75 and 508. v_leak / 4 is 127, and the leak 1/4:
        # 127; 254 - 31 = 223; 223 - 55 + 127 + 127 = 422; 422 - 105 + 127 = 444.
        logits, spikes, layers = self.run_on(network, [[1]])
        self.assertEqual(spikes["if_1"].ravel().tolist(), [0, 0, 1, 0])  # 127 a tick, over 285
        self.assertEqual([layers[1].bias[0], layers[1].leak[0]], [127, 1024])
        self.assertEqual(logits.tolist(), [[444 / 508 / 4]])

    def test_constant_input(self):
        network = self.written([nir.Affine(matrix([1, -1]), matrix([0.25])[0]),
                                nir.IF(*numpy.ones((2, 1), numpy.float32))],
                               encode="constant", readout="count")
        for number_format in ("float64", "integer"):  # 0.75 a tick: 0.75, 1.5, 0.75, ...
            logits, spikes, _ = self.run_on(network, [[1, 0.5]], number_format)
            self.assertEqual(spikes["if_1"].ravel().tolist(), [0, 1, 0, 1, 0, 1, 0, 1])

    def test_synapses_are_those_of_pytorch(self):
        generator = torch.Generator().manual_seed(1)
        x = torch.rand(3, 4, 9, 8, generator=generator, dtype=torch.float64)
        functional = torch.nn.functional
        warnings.filterwarnings("ignore", "Using padding='same' with even kernel")
        for size, settings in (((3, 3), {}), ((3, 2), {"stride": (2, 1), "padding": (1, 0)}),
                               ((2, 3), {"dilation": (2, 1), "groups": 2}),
                               ((4, 3), {"padding": "same"})):
            settings = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1,
                        **settings}
            weight = torch.rand(6, 4 // settings["groups"], *size, generator=generator,
                                dtype=torch.float64)
            node = spiking_network.Node("one", "Conv2d", {
                "weight": weight.numpy(), "bias": numpy.arange(6.0), **settings})
            expected = functional.conv2d(x, weight, torch.arange(6.0, dtype=torch.float64),
                                         **settings)
            numpy.testing.assert_allclose(reference_spiking.through(x.numpy(), [node]),
                                          expected.numpy(), rtol=1e-12)
        for kind, expected in (("AvgPool2d", functional.avg_pool2d(x, (2, 3), (2, 1), 1)),
                               ("SumPool2d", 6 * functional.avg_pool2d(x, (2, 3), (2, 1), 1))):
            node = spiking_network.Node("one", kind, {"kernel_size": (2, 3), "stride": (2, 1),
                                                        "padding": (1, 1)})
            numpy.testing.assert_allclose(reference_spiking.through(x.numpy(), [node]),
                                          expected.numpy(), rtol=1e-12)

    def test_averages_are_folded_into_integers(self):
        line = [nir.AvgPool2d(*(numpy.array([2, 2]),) * 2, numpy.array([0, 0])),
                nir.Flatten(None, start_dim=0), nir.Linear(matrix([1, 0.5, 0.25, -1]))]
        network = self.written(line, input_shape=(1, 4, 4))
        image = numpy.zeros((1, 1, 4, 4))
        image[0, 0, :2, :2] = [[1, 1], [1, 0]]
        image[0, 0, 3, 3] = 1
        logits, _, layers = self.run_on(network, image)
        self.assertEqual(layers[0].scale, 4 * 127)
        self.assertEqual(logits.tolist(), [[2 * 127 / 508]])  # three spikes less one, by four
        self.assertEqual(self.run_on(network, image, "float64")[0].tolist(), [[0.5]])

    def test_names_what_it_does_not_compute(self):
        one = numpy.ones(1, numpy.float32)
        line = [nir.Linear(matrix([1])), lif(1), nir.Linear(matrix([1]))]
        for network, settings, message in (
                ([nir.Threshold(one)], {}, "node threshold_1: Threshold is not among"),
                ([nir.Linear(matrix([1])), nir.Linear(matrix([1]))], {}, "one node with weights"),
                ([nir.Linear(numpy.ones((1, 1, 1)))], {}, r"a weight of shape \(1, 1, 1\)"),
                (line[:2], {}, "readout membrane: the last neurons, LIF, fire"),
                ([line[0], lif(1, v_threshold=1e6 * one), line[2]], {}, "leave 24 bits")):
            with self.assertRaisesRegex(spiking_network.Refused, message):
                self.run_on(self.written(network, **settings), [[1]])
        for old, new, message in (("ticks: 8", "seed: 8", "has the keys seed, dt"),
                                  ("hard", "firm", "reset: firm; it must be one of hard, soft")):
            paths = self.write(line)
            paths.settings.write_text(paths.settings.read_text().replace(old, new))
            with self.assertRaisesRegex(spiking_network.Refused, message):
                spiking_network.read(paths.model)
        forked = nir.NIRGraph({"a": nir.Input(numpy.array([1])), "b": line[0], "c": line[2],
                               "d": nir.Output(numpy.array([1]))},
                              [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])
        with self.assertRaisesRegex(spiking_network.Refused, "no straight line"):
            self.written(forked)


class ZooTest(Folder):
    def test_the_file_says_what_was_trained(self):
        torch.manual_seed(3)
        model = train_spiking.convolutional()
        network = self.written(train_spiking.nodes_of(model), dt=train_spiking.DT, reset="soft",
                               input_shape=(1, 28, 28))
        images = torch.randint(0, 256, (5, 1, 28, 28)) / 255
        logits, spikes, _ = reference_spiking.run(network, images.numpy(), "float32")
        with torch.no_grad():
            expected = model(torch.from_numpy(spikes["input"]).float()).numpy()
        numpy.testing.assert_allclose(logits, expected, atol=1e-5)
        self.assertGreater(spikes["lif2"].mean(), 0.005)

    def test_spikes_of_training_are_the_encoding(self):
        network = self.written([nir.Linear(numpy.ones((1, 5), numpy.float32))], ticks=4)
        _, spikes, _ = reference_spiking.run(network, numpy.arange(5)[None] / 4, "float64")
        self.assertEqual(train_spiking.spike_table(4).tolist(), spikes["input"][:, 0].tolist())

    def test_accuracy(self):
        needs.fashion_mnist()
        images, labels = (part[:1000] for part in fashion_mnist.load("test"))
        for name, (real, integer) in RIGHT.items():
            network = spiking_network.read(needs.ROOT / "zoo" / f"{name}.nir")
            found = []
            for number_format in ("float32", "integer"):
                logits, _, _ = reference_spiking.run(network, images, number_format)
                found.append(int((logits.argmax(1) == labels).sum()))
            print(f"{name}: {found[0]} of 1000 right in float, {found[1]} in integers")
            self.assertAlmostEqual(found[0], real, delta=2)  # sums may be taken in another order
            self.assertEqual(found[1], integer)


if __name__ == "__main__":
    unittest.main()

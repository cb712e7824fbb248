# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Does python/check_dump.py accept right integers, find each wrong one, and refuse broken dumps?

The reference here multiplies element by element; what TileStrike itself writes is checked by
dumps_test.py.
"""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest
import unittest.mock

import needs

needs.modules("numpy")

import numpy

import check_dump


def convolved(x, w, bias, stride, padding, dilation, groups, zero):
    """A convolution from its definition, in Python's integers; padding holds `zero`."""
    count, _, height, width = x.shape
    outputs, inputs, kh, kw = w.shape
    size = [(n + 2 * padding[i] - dilation[i] * (k - 1) - 1) // stride[i] + 1
            for i, (n, k) in enumerate(((height, kh), (width, kw)))]
    y = numpy.zeros((count, outputs, *size), numpy.int32)
    for n, o, i, j in numpy.ndindex(y.shape):
        total = int(bias[o])
        for c, a, b in numpy.ndindex(inputs, kh, kw):
            row, column = (i * stride[0] + a * dilation[0] - padding[0],
                           j * stride[1] + b * dilation[1] - padding[1])
            is_inside = 0 <= row < height and 0 <= column < width
            channel = o // (outputs // groups) * inputs + c
            value = int(x[n, channel, row, column]) if is_inside else zero
            total += value * int(w[o, c, a, b])
        y[n, o, i, j] = total
    return y


def requantised(accumulator, multiplier, shift, low, high, zero=0):
    """By Python's unbounded integers; >> rounds towards minus infinity."""
    half = 1 << (shift - 1) if shift else 0
    return max(low, min(high, ((int(accumulator) * int(multiplier) + half) >> shift) + zero))


class CheckDumpTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.random = numpy.random.default_rng(1)

    def save(self, **arrays):
        for name, array in arrays.items():
            numpy.save(self.folder / f"{name}.npy", array)
        return {name: f"{name}.npy" for name in arrays}

    def int8(self, *shape):
        return self.random.integers(-128, 128, shape).astype(numpy.int8)

    def int32(self, *shape):
        return self.random.integers(-2000, 2000, shape).astype(numpy.int32)

    def write_layers(self):
        """A grouped, strided, dilated convolution to int8, and a 3-d linear layer to float."""
        x, w, bias = self.int8(2, 4, 7, 6), self.int8(6, 2, 3, 2), self.int32(6)
        geometry = {"stride": [2, 1], "padding": [1, 2], "dilation": [1, 2], "groups": 2}
        sums = convolved(x, w, bias, **geometry, zero=-9)
        multiplier = self.random.integers(2**30, 2**31, 6).astype(numpy.int32)
        shift = numpy.array([38, 39, 40, 41, 42, 62], numpy.int32)
        output = numpy.zeros(sums.shape, numpy.int8)
        for place in numpy.ndindex(sums.shape):
            output[place] = requantised(sums[place], multiplier[place[1]], int(shift[place[1]]),
                                        -3, 127, 17)
        first = {"index": 0, "name": "conv", "kind": "conv2d", "clamp": [-3, 127], **geometry,
                 "input_zero": -9, "output_zero": 17,
                 **self.save(input=x, weight=w, bias=bias, accumulators=sums,
                             multiplier=multiplier, shift=shift, output=output)}
        x, w, bias = self.int8(3, 4, 5), self.int8(4, 5), self.int32(4)
        sums = (x.astype(numpy.int32) @ w.T.astype(numpy.int32) + bias).astype(numpy.int32)
        scale = self.random.random(4, numpy.float32)
        arrays = {"input": x, "weight": w, "bias": bias, "accumulators": sums, "scale": scale,
                  "output": sums.astype(numpy.float32) * scale}
        saved = self.save(**{f"fc_{name}": array for name, array in arrays.items()})
        second = {"index": 2, "name": "fc", "kind": "linear",
                  **{name: saved[f"fc_{name}"] for name in arrays}}
        other = {"index": 1, "name": "flatten", "kind": "view"}
        self.layers = [first, other, second]
        self.write_json("layers.json", self.layers)

    def write_json(self, name, content):
        (self.folder / name).write_text(json.dumps(content))

    def run_check(self):
        """(exit status, output) of the script on the folder."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), \
                unittest.mock.patch("sys.argv", ["check_dump.py", str(self.folder)]):
            status = check_dump.main()
        return status, said.getvalue()

    def disturb(self, name):
        array = numpy.load(self.folder / name)
        flat = array.reshape(-1)
        flat[flat.size // 2] += 1
        numpy.save(self.folder / name, array)

    def test_accepts_right_integers(self):
        self.write_layers()
        status, said = self.run_check()
        self.assertEqual(status, 0, said)
        self.assertIn("2 of 3 layers checked: all equal", said)
        self.assertIn("1 flatten", said)

    def test_finds_a_single_wrong_number_wherever_it_is(self):
        for name in ("input", "weight", "bias", "accumulators", "output", "fc_input", "fc_weight",
                     "fc_bias", "fc_accumulators", "fc_scale", "fc_output"):
            self.write_layers()
            self.disturb(f"{name}.npy")
            status, said = self.run_check()
            self.assertEqual(status, 1, f"{name}: {said}")
            self.assertIn("DIFFERENCES", said)

    def test_requantisation_rounds_ties_towards_plus_infinity_at_every_shift(self):
        sums = numpy.array([-5, -4, -3, -1, 0, 1, 3, 4, 5, -2**31, 2**31 - 1], numpy.int32)
        for shift in range(63):
            for multiplier in (2**30, 2**30 + 1, 2**31 - 1):
                found = check_dump.requantise(
                    sums, numpy.array([multiplier], numpy.int32),
                    numpy.array([shift], numpy.int32), shift - 30, (-128, 127))
                expected = [requantised(value, multiplier, shift, -128, 127, shift - 30)
                            for value in sums]
                self.assertEqual(list(found), expected, (shift, multiplier))

    def write_struck_pass(self):
        a, w, before = self.int8(5, 4), self.int8(4, 3), self.int32(5, 3)
        golden = before + a.astype(numpy.int32) @ w.astype(numpy.int32)
        faulty = golden.copy()
        faulty[2, 1] += 64
        self.write_json("struck_pass.json", {
            "dataflow": "ws", **self.save(activations=a, weights=w, accumulators_in=before,
                                          golden=golden, faulty=faulty)})

    def test_struck_pass(self):
        self.write_struck_pass()
        status, said = self.run_check()
        self.assertEqual(status, 0, said)
        self.assertIn("1 of 15 differ from golden", said)
        for name in ("activations", "weights", "accumulators_in", "golden"):
            self.write_struck_pass()
            self.disturb(f"{name}.npy")
            self.assertEqual(self.run_check()[0], 1, name)

    def test_struck_layers_outputs_must_follow_from_their_accumulators(self):
        self.write_layers()
        layer = self.layers[0]
        sums = numpy.load(self.folder / layer["accumulators"])
        sums[1, 4, 2, 3] += 2**20
        output = numpy.load(self.folder / layer["output"])
        output[1, 4, 2, 3] = requantised(
            sums[1, 4, 2, 3], numpy.load(self.folder / layer["multiplier"])[4], 42, 0, 127)
        struck = self.save(faulty_accumulators=sums, faulty_output=output)
        self.write_json("faulty.json", [
            {"index": 0, "accumulators": struck["faulty_accumulators"],
             "output": struck["faulty_output"]},
            {"index": 2, "accumulators": None, "output": None}])
        status, said = self.run_check()
        self.assertEqual(status, 0, said)
        self.assertIn("struck layer 0 conv: 1 accumulators differ from golden; 0 of", said)
        self.disturb("faulty_output.npy")
        status, said = self.run_check()
        self.assertEqual(status, 1, said)
        self.assertRegex(said, "struck layer 0 conv: .* 1 of .* do not follow")

    def test_sums_wrap_as_the_hardware_does(self):
        top = numpy.full((1, 1), 2**31 - 1, numpy.int32)
        bottom = numpy.full((1, 1), -2**31, numpy.int32)
        one = numpy.ones((1, 1), numpy.int8)
        self.write_json("struck_pass.json", {
            "dataflow": "os", **self.save(activations=one, weights=one, accumulators_in=top,
                                          golden=bottom, faulty=bottom)})
        self.assertEqual(self.run_check()[0], 0)

    def test_says_what_makes_a_dump_unreadable(self):
        self.assertRegex(self.run_check()[1], "has neither layers.json nor struck_pass.json")
        for name, content, message in (
                ("weight.npy", b"", "weight.npy"),
                ("weight.npy", None, "No such file"),
                ("layers.json", b"{", "JSONDecodeError"),
                ("layers.json", b"[]", "no layer with integers"),
                ("layers.json", b"[{}]", "KeyError")):
            self.write_layers()
            if content is None:
                (self.folder / name).unlink()
            else:
                (self.folder / name).write_bytes(content)
            status, said = self.run_check()
            self.assertEqual(status, 2, said)
            self.assertIn(message, said)
        self.write_layers()
        numpy.save(self.folder / "weight.npy", numpy.zeros((6, 2, 3, 2), numpy.float32))
        self.assertRegex(self.run_check()[1], "weight.npy: float32, not int8")
        self.write_layers()
        numpy.save(self.folder / "output.npy", numpy.zeros((1, 1), numpy.int8))
        self.assertRegex(self.run_check()[1], "conv: output: shape")


if __name__ == "__main__":
    unittest.main()

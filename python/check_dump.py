# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks a dump of TileStrike with NumPy alone: every integer of it is computed again.

    python python/check_dump.py DIR

DIR was written by `tilestrike infer --int8 --dump DIR` (layers.json: every integer matrix layer)
or by `tilestrike replay --dump DIR` (also struck_pass.json, one pass through the mesh,
struck_words.json, the struck words of tensors, and faulty.json, the struck layers). Exit status: 0
all equal; 1 something differs; 2 the dump cannot be read.

Matrix products are taken in float64, which is exact here: a product of two int8 is below 2^15, so
2^38 of them could be added before 2^53 is reached. Results wrap to int32 as the hardware's do.
"""

import argparse
import json
import pathlib
import sys

import numpy


class BadDump(Exception):
    """The folder is not a complete dump."""


def read(folder, entry, key, dtype):
    """The array that `entry[key]` names, or None where it is null; its type must be `dtype`."""
    name = entry.get(key)
    if name is None:
        return None
    try:
        array = numpy.load(folder / name, allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        raise BadDump(f"{folder / name}: {error}") from error
    if array.dtype != dtype:
        raise BadDump(f"{folder / name}: {array.dtype}, not {numpy.dtype(dtype)}")
    return array


def required(folder, entry, key, dtype):
    array = read(folder, entry, key, dtype)
    if array is None:
        raise BadDump(f"{entry.get('name', folder)}: names no {key}")
    return array


def product(a, b):
    """a (..., K) @ b (K, N), or a stack of such b, of integers, exactly, as int64."""
    return (a.astype(numpy.float64) @ b.astype(numpy.float64)).astype(numpy.int64)


def convolution(x, weight, stride, padding, dilation, groups, zero):
    """x (..., C, H, W) with weight (O, C/groups, kh, kw), `zero` around, as int64 (..., O, H', W').
    Of spikes there is a row for each tick and image."""
    rows_of = x.shape[:-3]
    x = x.reshape(-1, *x.shape[-3:])
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:])]
    x = numpy.pad(x, [(0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2], constant_values=zero)
    windows = numpy.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    windows = windows[:, :, ::stride[0], ::stride[1], ::dilation[0], ::dilation[1]]
    count, _, height, width = windows.shape[:4]
    inputs, outputs = weight.shape[1], weight.shape[0] // groups
    result = numpy.empty((count, weight.shape[0], height, width), numpy.int64)
    for image in range(count):
        for group in range(groups):
            mine = windows[image, group * inputs:(group + 1) * inputs]
            rows = mine.transpose(1, 2, 0, 3, 4).reshape(height * width, -1)
            chosen = slice(group * outputs, (group + 1) * outputs)
            columns = product(rows, weight[chosen].reshape(outputs, -1).T)
            result[image, chosen] = columns.T.reshape(outputs, height, width)
    return result.reshape(*rows_of, *result.shape[1:])


def accumulate(layer, x, weight, bias):
    """The layer's int32 accumulators from its int8 operands."""
    if layer["kind"] == "conv2d":
        sums = convolution(x, weight, layer["stride"], layer["padding"], layer["dilation"],
                           layer["groups"], layer["input_zero"])
    elif layer["kind"] == "matmul":  # both operands were computed; weight is (..., N, K)
        sums = product(x, weight.swapaxes(-1, -2))
    else:
        sums = product(x, weight.T)
    if bias is not None:
        sums += per_channel(bias, layer).astype(numpy.int64)
    return sums.astype(numpy.int32)


def per_channel(values, layer):
    """values (O,) shaped for the layer's results: (..., O, H, W), or (..., O) of a linear one."""
    return values.reshape(-1, 1, 1) if layer["kind"] == "conv2d" else values


def requantise(accumulators, multiplier, shift, zero, clamp):
    """clamp(((acc * multiplier + half) >> shift) + zero): int8, ties towards plus infinity."""
    multiplier, shift = multiplier.astype(numpy.int64), shift.astype(numpy.int64)
    half = numpy.where(shift > 0, numpy.int64(1) << numpy.maximum(shift - 1, 0), 0)
    scaled = ((accumulators.astype(numpy.int64) * multiplier + half) >> shift) + zero
    return scaled.clip(*clamp).astype(numpy.int8)


def differing(expected, found, what):
    """How many elements differ, bit for bit."""
    if expected.shape != found.shape:
        raise BadDump(f"{what}: shape {found.shape}, not {expected.shape}")
    same = (expected == found) | ((expected != expected) & (found != found))
    return int(expected.size - numpy.count_nonzero(same))


def outputs_of(folder, layer, accumulators):
    """What the layer hands on: int8 by requantisation, float32 by one factor per channel, or, to
    spiking neurons, the accumulators themselves."""
    scale = read(folder, layer, "scale", numpy.float32)
    if scale is None and layer.get("multiplier") is None and layer.get("shift") is None:
        return accumulators
    if scale is not None:
        return accumulators.astype(numpy.float32) * per_channel(scale, layer)
    multiplier = required(folder, layer, "multiplier", numpy.int32)
    shift = required(folder, layer, "shift", numpy.int32)
    return requantise(accumulators, per_channel(multiplier, layer), per_channel(shift, layer),
                      layer["output_zero"], layer["clamp"])


def check_layer(folder, layer):
    """Returns (accumulators, wrong ones, outputs, wrong ones) of one matrix layer."""
    name = layer.get("name")
    x = required(folder, layer, "input", numpy.int8)
    weight = required(folder, layer, "weight", numpy.int8)
    bias = read(folder, layer, "bias", numpy.int32)
    accumulators = required(folder, layer, "accumulators", numpy.int32)
    wrong = differing(accumulate(layer, x, weight, bias), accumulators, f"{name}: accumulators")
    expected = outputs_of(folder, layer, accumulators)
    output = required(folder, layer, "output", expected.dtype)
    return (accumulators.size, wrong, output.size, differing(expected, output, f"{name}: output"))


def check_layers(folder, layers):
    """Prints a table of all layers; returns whether all that could be checked are equal."""
    good, checked = True, 0
    print(f"{'layer':<32} {'kind':<16} {'accumulators':>13} {'differ':>8} {'outputs':>11} "
          f"{'differ':>8}")
    for layer in layers:
        label = f"{layer['index']} {layer['name']}"
        if layer["kind"] not in ("conv2d", "linear", "matmul") or layer.get("accumulators") is None:
            print(f"{label:<32} {layer['kind']:<16} skipped: not an integer matrix layer")
            continue
        count, wrong, outputs, wrong_outputs = check_layer(folder, layer)
        good = good and wrong == 0 and wrong_outputs == 0
        checked += 1
        print(f"{label:<32} {layer['kind']:<16} {count:>13} {wrong:>8} {outputs:>11} "
              f"{wrong_outputs:>8}")
    print(f"{checked} of {len(layers)} layers checked: {'all equal' if good else 'DIFFERENCES'}")
    if checked == 0 and not (folder / "struck_words.json").is_file():
        raise BadDump(f"{folder}: no layer with integers to check")
    return good


def check_struck_pass(folder, entry):
    """Checks the golden half of one pass: activations (M, K), weights (K, N), the rest (M, N)."""
    activations = required(folder, entry, "activations", numpy.int8)
    weights = required(folder, entry, "weights", numpy.int8)
    before = required(folder, entry, "accumulators_in", numpy.int32)
    golden = required(folder, entry, "golden", numpy.int32)
    faulty = required(folder, entry, "faulty", numpy.int32)
    expected = (before.astype(numpy.int64) + product(activations, weights)).astype(numpy.int32)
    wrong = differing(expected, golden, "golden")
    struck = differing(golden, faulty, "faulty")
    rows, depth = activations.shape
    print(f"struck pass ({entry['dataflow']}): {rows} x {depth} by {depth} x {weights.shape[1]}")
    print(f"  golden: {golden.size} accumulators, {wrong} differ from accumulators_in + A @ W")
    print(f"  faulty: {struck} of {faulty.size} differ from golden")
    return wrong == 0


def struck_constants(entry, layer, constants, after, word):
    """The layer's weight and bias with the struck words in their place."""
    struck = {name: None if array is None else array.copy() for name, array in constants.items()}
    flat = struck[entry["role"]].reshape(-1)
    flat[word] = after.astype(numpy.uint64).astype(
        f"u{flat.itemsize}", casting="unsafe").view(flat.dtype)
    return accumulate(layer, constants["input"], struck["weight"], struck["bias"])


def check_struck_words(folder, stores):
    """Checks that struck words follow from their faults, and that the first struck layer of an
    integer network follows from its struck constants; returns whether."""
    layers = json.loads((folder / "layers.json").read_text(encoding="utf-8"))
    faulty = json.loads((folder / "faulty.json").read_text(encoding="utf-8"))
    good = True
    for entry in stores:
        word, keep, flip = (required(folder, entry, key, numpy.int64)
                            for key in ("word", "keep", "flip"))
        before = read(folder, entry, "before", numpy.int64)
        if before is None:
            print(f"struck words of {entry['store']}: {word.size}, of an activation")
            continue
        after = required(folder, entry, "after", numpy.int64)
        every = numpy.int64(-1) if entry["bits"] >= 64 else numpy.int64((1 << entry["bits"]) - 1)
        wrong = differing(((before & keep) ^ flip) & every, after, f"{entry['store']}: after")
        print(f"struck words of {entry['store']}: {word.size}; {wrong} do not follow from "
              "their faults")
        good = good and wrong == 0
    constants = [entry for entry in stores if entry.get("before") is not None]
    if len(constants) != 1 or not faulty:
        return good  # several strikes on one layer, or nothing to see
    entry = constants[0]
    layer = next((one for one in layers if one["name"] == entry["layer"]), None)
    is_constant = entry["role"] in ("weight", "bias")
    if layer is None or layer.get("accumulators") is None or not is_constant:
        return good
    read_by = {key: read(folder, layer, key, dtype) for key, dtype in
               (("input", numpy.int8), ("weight", numpy.int8), ("bias", numpy.int32))}
    sums = struck_constants(entry, layer, read_by, required(folder, entry, "after", numpy.int64),
                            required(folder, entry, "word", numpy.int64))
    expected = outputs_of(folder, layer, sums)
    found = next((one for one in faulty if one["index"] == layer["index"]), layer)
    wrong = differing(expected, required(folder, found, "output", expected.dtype),
                      f"{layer['name']}: faulty output")
    print(f"struck layer {layer['index']} {layer['name']}: {wrong} of {expected.size} outputs do "
          "not follow from its struck constants")
    return good and wrong == 0


def check_faulty(folder, struck):
    """Checks that each struck layer's outputs follow from its accumulators; returns whether."""
    layers = json.loads((folder / "layers.json").read_text(encoding="utf-8"))
    good = True
    for entry in struck:
        layer = layers[entry["index"]]
        if entry["accumulators"] is None or entry["output"] is None:
            continue  # as in the golden run, or beside the mesh: nothing to compute again
        accumulators = required(folder, entry, "accumulators", numpy.int32)
        expected = outputs_of(folder, layer, accumulators)
        output = required(folder, entry, "output", expected.dtype)
        golden = required(folder, layer, "accumulators", numpy.int32)
        changed = differing(golden, accumulators, f"{layer['name']}: faulty accumulators")
        wrong = differing(expected, output, f"{layer['name']}: faulty output")
        print(f"struck layer {entry['index']} {layer['name']}: {changed} accumulators differ from "
              f"golden; {wrong} of {output.size} outputs do not follow from them")
        good = good and wrong == 0
    return good


def check(folder):
    """Checks whatever the folder holds; returns whether it is all equal."""
    checks = {"layers.json": check_layers, "struck_pass.json": check_struck_pass,
              "struck_words.json": check_struck_words, "faulty.json": check_faulty}
    present = [name for name in checks if (folder / name).is_file()]
    if not present:
        raise BadDump(f"{folder}: has neither {' nor '.join(checks)}; write them with `tilestrike "
                      "infer --int8 --dump` or `tilestrike replay --dump`")
    good = True
    for name in present:
        try:
            content = json.loads((folder / name).read_text(encoding="utf-8"))
            good = checks[name](folder, content) and good
        except (KeyError, IndexError, TypeError, OSError, ValueError) as error:
            raise BadDump(f"{folder / name}: {type(error).__name__}: {error}") from error
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=pathlib.Path, metavar="DIR")
    options = parser.parse_args()
    try:
        return 0 if check(options.folder) else 1
    except BadDump as error:
        print(f"check_dump: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""What a spiking network answers, by NumPy alone: an outsider's check of `tilestrike`.

    python python/reference_spiking.py MODEL.nir --images x.npy --out y.npz
                                       [--as float64 | float32 | integer] [--labels y.npy]

Reads MODEL.nir with h5py (`pip install h5py`), MODEL.spiking.yaml, and images, float32 (N, ...) of
the network's input shape. A file is written with `logits` (N, classes), float64, and for the input
and each layer of neurons `spikes_NAME`, uint8 (ticks, N, sizes ...); NAME is that of its node.

Prints a line for each layer: neurons, spikes, spikes per neuron and tick; of integers also the
scale (integers per unit of a float membrane), the thresholds and the leak in 4096ths. Then how many
answers tie at the top, and with labels the share of right ones.

float64 and float32: NIR's equations by Euler's method, all in that format. integer: int8 weights
and the neuron of docs/core.md, soft or hard reset, leak rounded down, 24 bits. Takes a line of
Affine, Linear, Conv2d, SumPool2d, AvgPool2d, Flatten, IF, LIF, LI; what else there is, it names.
"""

import argparse
import dataclasses
import math

import numpy

from spiking_network import NONE, POOLING, WEIGHTS, Layer, Refused, read, text

MEMBRANE_BITS = 24
WHOLE_LEAK = 4096


def fires(network, layer):
    """Whether its neurons fire; where their membrane is read, none does."""
    is_read = layer is network.layers[-1] and network.readout == "membrane"
    return layer.neurons.kind in ("IF", "LIF") and not is_read


# Synapses. x is (rows, sizes ...), a row for each tick and image.


def pair(value):
    return tuple(int(one) for one in numpy.broadcast_to(numpy.ravel(value), 2))


def padding_of(node, window):
    """((top, bottom), (left, right))"""
    padding = node.values["padding"]
    if isinstance(padding, (bytes, str)):
        if text(padding) == "valid":
            return (0, 0), (0, 0)
        return tuple(((size - 1) // 2, size // 2) for size in window)  # same
    return tuple((one, one) for one in pair(padding))


def windows(x, node, size, dilation):
    """(rows, channels, output rows, output columns, window rows, window columns)"""
    reach = [step * (one - 1) + 1 for one, step in zip(size, dilation)]
    x = numpy.pad(x, ((0, 0), (0, 0), *padding_of(node, reach)))
    stride = pair(node.values["stride"])
    seen = numpy.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, ::stride[0], ::stride[1], ::dilation[0], ::dilation[1]]


def convolved(x, node, weight):
    seen = windows(x, node, weight.shape[2:], pair(node.values["dilation"]))
    groups = int(node.values["groups"])
    parts = [numpy.tensordot(inputs, kernels, ((1, 4, 5), (1, 2, 3)))
             for inputs, kernels in zip(numpy.split(seen, groups, 1), numpy.split(weight, groups))]
    return numpy.moveaxis(numpy.concatenate(parts, -1), -1, 1)


def pooled(x, node, is_sum):
    size = pair(node.values["kernel_size"])
    total = windows(x, node, size, (1, 1)).sum((4, 5), dtype=x.dtype)
    return total if is_sum else total / x.dtype.type(math.prod(size))


def flattened(x, node):
    sizes = list(x.shape[1:])
    start, end = (int(node.values[key]) % len(sizes) for key in ("start_dim", "end_dim"))
    sizes[start:end + 1] = [math.prod(sizes[start:end + 1])]
    return x.reshape(len(x), *sizes)


def product(x, node, weight):
    axes = 4 if node.kind == "Conv2d" else 2
    if (weight.ndim, x.ndim) != (axes, axes):
        raise Refused(f"node {node.name}: a weight of shape {weight.shape} with an input of shape "
                      f"{x.shape[1:]} is not computed here")
    return convolved(x, node, weight) if node.kind == "Conv2d" else x @ weight.T


def bias_of(node, like):
    """The bias of a node with weights as something to add to its output `like`; or 0."""
    bias = node.values.get("bias")
    if bias is None:
        return like.dtype.type(0)
    bias = numpy.asarray(bias, like.dtype).ravel()
    return bias[:, None, None] if node.kind == "Conv2d" else bias


def through(x, nodes, has_bias=True):
    """All synapses of a layer in the number format of x."""
    for node in nodes:
        if node.kind in WEIGHTS:
            x = product(x, node, node.values["weight"].astype(x.dtype))
            x = x + bias_of(node, x) if has_bias else x
        else:
            x = flattened(x, node) if node.kind == "Flatten" else \
                pooled(x, node, node.kind == "SumPool2d")
    return x


# Encoding and readout.


def encoded(images, network, dtype):
    """(ticks, N, sizes ...)"""
    x = images.astype(numpy.float64).reshape(len(images), *network.input_shape)
    ticks = network.ticks
    if network.encode == "constant":
        return numpy.broadcast_to(x.astype(dtype), (ticks, *x.shape))
    x = numpy.clip(numpy.nan_to_num(x, nan=0.0), 0.0, 1.0)
    spikes = numpy.floor(x * ticks + 0.5).astype(numpy.int64)
    return numpy.stack([(tick + 1) * spikes // ticks > tick * spikes // ticks
                        for tick in range(ticks)]).astype(dtype)


def read_out(network, spikes, membrane):
    """Logits of the last layer, of its spikes (ticks, N, sizes ...) and its last membranes."""
    ticks = network.ticks
    if network.readout == "membrane":
        if network.layers[-1].neurons.kind == "LIF":
            raise Refused("readout membrane: the last neurons, LIF, fire")
        logits = membrane / ticks
    elif network.readout == "count":
        logits = spikes.sum(0, dtype=numpy.float64) / ticks
    else:
        logits = numpy.where(spikes.any(0), ticks - spikes.argmax(0), 0) / ticks
    return logits.reshape(len(logits), -1).astype(numpy.float64)


# Float.


def value(neurons, key, sizes, dtype):
    """A parameter for each neuron; what is stored once is for all."""
    stored = numpy.asarray(neurons.values.get(key, 0.0), dtype)
    return stored.reshape(sizes) if stored.size == math.prod(sizes) else \
        numpy.broadcast_to(stored.ravel(), sizes)


def float_neurons(network, layer, currents):
    """Spikes of all ticks, and the last membranes, in the number format of the currents."""
    neurons, dtype, sizes = layer.neurons, currents.dtype, currents.shape[2:]

    def get(key):
        return value(neurons, key, sizes, dtype)
    dt = dtype.type(network.dt)
    charge = dtype.type(1) if network.spike_as == "charge" else dt
    v = numpy.zeros(currents.shape[1:], dtype)
    spikes = numpy.zeros(currents.shape, numpy.uint8)
    for tick, current in enumerate(currents):
        if neurons.kind in ("LIF", "LI"):
            v = v + dt / get("tau") * (get("v_leak") - v + get("r") * current)
        else:
            v = v + (current if neurons.kind == NONE else get("r") * current) * charge
        if fires(network, layer):
            spikes[tick] = v > get("v_threshold")
            v = numpy.where(spikes[tick], v - get("v_threshold") if network.reset == "soft"
                            else get("v_reset"), v)
    return spikes, v


def run_float(network, images, dtype):
    """Logits (N, classes) and {layer: spikes (ticks, N, sizes ...)}."""
    x = encoded(images, network, numpy.dtype(dtype).type)
    found = {"input": x.astype(numpy.uint8)} if network.encode == "rate" else {}
    for layer in network.layers:
        currents = through(x.reshape(-1, *x.shape[2:]), layer.synapses)
        currents = currents.reshape(*x.shape[:2], *currents.shape[1:])
        spikes, membrane = float_neurons(network, layer, currents)
        if fires(network, layer):
            found[layer.neurons.name] = spikes
        x = spikes.astype(dtype)
    return read_out(network, spikes, membrane), found


# Integers: sums of spikes times int8, by float64, which holds them exactly; then int64.


@dataclasses.dataclass
class Integers:
    """A layer as the cores have it. The weights are those of its only node with weights, whole
    numbers in float64; the others, int64 but for the gain, have an entry for each neuron."""
    layer: Layer
    scale: float
    gain: numpy.ndarray
    weight: numpy.ndarray
    bias: numpy.ndarray
    threshold: numpy.ndarray
    reset: numpy.ndarray
    leak: numpy.ndarray


def to_integers(network, layer, sizes):
    """A layer whose neurons have these sizes."""
    neurons, node = layer.neurons, only_weights(layer)

    def get(key):
        return value(neurons, key, sizes, numpy.float64)
    part = network.dt / get("tau") if neurons.kind in ("LIF", "LI") else numpy.zeros(sizes)
    charge = 1.0 if network.spike_as == "charge" else network.dt
    gain = get("r") * part if neurons.kind in ("LIF", "LI") else \
        get("r") * charge if neurons.kind == "IF" else numpy.full(sizes, charge)
    row_gain = gain_per_row(node, gain)
    divisor = math.prod(math.prod(pair(pool.values["kernel_size"])) for pool in layer.synapses
                        if pool.kind == "AvgPool2d")
    weight = node.values["weight"].astype(numpy.float64)
    weight = weight * row_gain.reshape(-1, *(weight.ndim - 1) * (1,)) / divisor
    scale = 127.0 / numpy.abs(weight).max()
    bias = numpy.ravel(node.values.get("bias", numpy.zeros(len(weight)))).astype(numpy.float64)
    bias = gain * numpy.repeat(bias, gain.size // len(bias)).reshape(sizes) + part * get("v_leak")
    made = Integers(layer, scale, gain, numpy.rint(scale * weight),
                    numpy.rint(scale * bias).astype(numpy.int64),
                    numpy.floor(scale * get("v_threshold")).astype(numpy.int64) + 1,
                    numpy.rint(scale * get("v_reset")).astype(numpy.int64),
                    numpy.rint(WHOLE_LEAK * part).astype(numpy.int64))
    check_fits(network, made)
    return made


def only_weights(layer):
    """The node with weights of a layer. Averages before it are folded into it."""
    kinds = [node.kind for node in layer.synapses if node.kind != "Flatten"]
    nodes = [node for node in layer.synapses if node.kind in WEIGHTS]
    if len(nodes) != 1 or kinds[-1] not in WEIGHTS:
        raise Refused(f"node {layer.neurons.name}: integers need one node with weights before it, "
                      f"behind all pooling; it has {', '.join(kinds) or 'none'}")
    for node in layer.synapses:
        if node.kind in POOLING and any(step < size for step, size in zip(
                pair(node.values["stride"]), pair(node.values["kernel_size"]))):
            raise Refused(f"node {node.name}: its windows overlap, which is not computed in "
                          "integers here")
    return nodes[0]


def gain_per_row(node, gain):
    """The gain of each row of weights, or of each channel, whose neurons must share one."""
    rows = gain.reshape(len(node.values["weight"]), -1)
    if (rows != rows[:, :1]).any():
        raise Refused(f"node {node.name}: neurons of one channel differ in gain")
    return rows[:, 0]


def check_fits(network, made):
    """Refuses where the scale must be lowered."""
    most = 2 ** (MEMBRANE_BITS - 1) - 1
    held = [numpy.abs(made.threshold), numpy.abs(made.bias), numpy.abs(made.reset)]
    if not fires(network, made.layer):
        sums = numpy.abs(made.weight).reshape(len(made.weight), -1).sum(1)
        sums = numpy.repeat(sums, made.bias.size // len(sums)) + numpy.abs(made.bias).ravel()
        held = [network.ticks * sums]
    if max(one.max() for one in held) > most:
        raise Refused(f"node {made.layer.neurons.name}: numbers leave {MEMBRANE_BITS} bits at the "
                      f"scale {made.scale:.6g}; a lower one is not computed here")


def wrapped(numbers):
    """The low bits of the membrane as a signed number."""
    half = 2 ** (MEMBRANE_BITS - 1)
    return (numbers + half) % (2 * half) - half


def integer_currents(made, x):
    """Sums of weights, int64 (rows, sizes ...)."""
    for node in made.layer.synapses:
        if node.kind in WEIGHTS:
            x = product(x, node, made.weight)
        else:
            x = flattened(x, node) if node.kind == "Flatten" else pooled(x, node, is_sum=True)
    return x.astype(numpy.int64)


def integer_neurons(network, made, currents):
    """Spikes of all ticks, and the last membranes."""
    v = numpy.zeros(currents.shape[1:], numpy.int64)
    spikes = numpy.zeros(currents.shape, numpy.uint8)
    for tick, current in enumerate(currents):
        leaked = v - v * made.leak // WHOLE_LEAK  # // rounds down
        v = wrapped(leaked + current + made.bias)
        if fires(network, made.layer):
            spikes[tick] = v >= made.threshold
            v = numpy.where(spikes[tick], wrapped(v - made.threshold) if network.reset == "soft"
                            else wrapped(made.reset), v)
    return spikes, v


def run_integer(network, images):
    """As run_float, and the layers as Integers."""
    x = encoded(images, network, numpy.float64)
    found = {"input": x.astype(numpy.uint8)} if network.encode == "rate" else {}
    layers = []
    for layer in network.layers:
        rows = x.reshape(-1, *x.shape[2:])
        made = to_integers(network, layer, through(rows[:1], layer.synapses).shape[1:])
        if not layers and network.encode == "constant":  # computed beside the cores
            currents = through(rows, layer.synapses, has_bias=False)
            currents = numpy.rint(made.scale * made.gain * currents).astype(numpy.int64)
        else:
            currents = integer_currents(made, rows)
        currents = currents.reshape(*x.shape[:2], *currents.shape[1:])
        spikes, membrane = integer_neurons(network, made, currents)
        layers.append(made)
        if fires(network, layer):
            found[layer.neurons.name] = spikes
        x = spikes.astype(numpy.float64)
    return read_out(network, spikes, membrane / layers[-1].scale), found, layers


def run(network, images, number_format, batch=250):
    """Logits, {layer: spikes}, and the layers as Integers (of integers alone), over all images."""
    logits, spikes, layers = [], [], []
    for first in range(0, len(images), batch):
        part = images[first:first + batch]
        if number_format == "integer":
            answer, found, layers = run_integer(network, part)
        else:
            answer, found = run_float(network, part, number_format)
        logits.append(answer)
        spikes.append(found)
    return (numpy.concatenate(logits), {name: numpy.concatenate([one[name] for one in spikes], 1)
                                        for name in spikes[0]}, layers)


def describe(spikes, layers):
    """Prints a line for each layer."""
    integers = {made.layer.neurons.name: made for made in layers}
    for name in dict.fromkeys([*spikes, *integers]):
        line = f"{name}:"
        if name in spikes:
            found = spikes[name]
            line += (f" {found[0, 0].size} neurons, {found.sum(dtype=numpy.int64)} spikes, "
                     f"{found.mean():.4f} per neuron and tick")
        if name in integers:
            made = integers[name]
            line += f"{';' if name in spikes else ''} scale {made.scale:.9g}"
            if name in spikes:
                line += f", threshold {span(made.threshold)}"
            line += f", leak {span(made.leak)} / {WHOLE_LEAK}"
        print(line)


def span(numbers):
    least, most = numbers.min(), numbers.max()
    return str(least) if least == most else f"{least} to {most}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", metavar="MODEL.nir")
    parser.add_argument("--images", required=True, metavar="x.npy")
    parser.add_argument("--labels", metavar="y.npy")
    parser.add_argument("--out", required=True, metavar="y.npz")
    parser.add_argument("--as", dest="number_format", default="integer",
                        choices=("float64", "float32", "integer"))
    options = parser.parse_args()
    images = numpy.load(options.images)
    try:
        network = read(options.model)
        logits, spikes, layers = run(network, images, options.number_format)
    except (Refused, OSError) as error:
        raise SystemExit(str(error)) from error
    numpy.savez_compressed(options.out, logits=logits,
                           **{f"spikes_{name}": found for name, found in spikes.items()})
    describe(spikes, layers)
    best = numpy.sort(logits, 1)
    print(f"ties at the top: {(best[:, -2:-1] == best[:, -1:]).sum()} of {len(logits)}")
    if options.labels:
        right = (logits.argmax(1) == numpy.load(options.labels)).mean()
        print(f"right: {100 * right:.2f} % of {len(logits)}")


if __name__ == "__main__":
    main()

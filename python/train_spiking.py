# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Trains the zoo's spiking networks and writes them as NIR; zoo/README.md says what each takes.

    python python/train_spiking.py [--only NAME ...] [--epochs N] [--out zoo]

Needs torch and `pip install nir h5py`. Writes NAME.nir and NAME.spiking.yaml, then runs them over
the test images by python/reference_spiking.py, in float64 and as the integers of the cores. Right
are of the 10 000 test images, after minutes of one thread on a busy processor:

    snn_small  784-128-10, 4 ticks        87.42 % float  87.40 % integer   3 minutes
    snn_fc     784-256-10, 8 ticks        88.74 % float  88.65 % integer   5 minutes
    snn_conv   two convolutions, 8 ticks  88.91 % float  88.79 % integer  16 minutes
"""

import argparse
import dataclasses
import math
import pathlib
import time

import nir
import numpy
import torch
from torch import nn

import fashion_mnist
import reference_spiking
import spiking_network
import tilestrike

# Powers of two, so that float32 holds them and dt / tau is 1/8 and the gain 1, exactly.
DT = 2.0 ** -10  # seconds
TAU = 2.0 ** -7
LEAK = DT / TAU
RESISTANCE = TAU / DT  # the gain is r dt / tau
THRESHOLD = 1.0
BATCH = 128
MOST = 1.0  # of a weight or bias, so that int8 has 127 steps at least up to the threshold


class Scan(torch.autograd.Function):
    """NIR's LIF by Euler's method with soft reset: currents (ticks, N, ...) to spikes. Backwards a
    spike has the slope of an arctangent, and a reset passes nothing on."""

    @staticmethod
    def forward(context, currents):
        above, spikes = torch.empty_like(currents), torch.empty_like(currents)
        membrane = torch.zeros_like(currents[0])
        for tick, current in enumerate(currents):
            membrane = membrane + (current - LEAK * membrane)
            torch.sub(membrane, THRESHOLD, out=above[tick])
            spikes[tick] = above[tick] > 0
            membrane -= THRESHOLD * spikes[tick]
        context.save_for_backward(above)
        return spikes

    @staticmethod
    def backward(context, of_spikes):
        (above,) = context.saved_tensors
        of_currents = of_spikes / (1 + (math.pi * above).square_())
        for tick in reversed(range(len(above) - 1)):
            of_currents[tick] += (1 - LEAK) * of_currents[tick + 1]
        return of_currents


class Neurons(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
        self.sizes = sizes

    def forward(self, currents):
        return Scan.apply(currents)


class SpikingNetwork(nn.Sequential):
    """Layers of synapses and neurons. The last synapses are summed up over all ticks; the answer is
    that sum divided by the ticks."""

    def forward(self, spikes):
        ticks = len(spikes)
        for layer in self:
            if isinstance(layer, Neurons):
                spikes = layer(spikes)
            else:  # all ticks at once
                spikes = layer(spikes.flatten(0, 1)).unflatten(0, (ticks, -1))
        return spikes.mean(0)


def fully_connected(hidden):
    return SpikingNetwork(nn.Flatten(), nn.Linear(784, hidden), Neurons(hidden),
                          nn.Linear(hidden, 10))


def convolutional():
    return SpikingNetwork(nn.Conv2d(1, 8, 5, stride=2, padding=2), Neurons(8, 14, 14),
                          nn.Conv2d(8, 16, 3, stride=2, padding=1), Neurons(16, 7, 7),
                          nn.Flatten(), nn.Linear(784, 10))


@dataclasses.dataclass
class Recipe:
    network: object
    ticks: int
    epochs: int
    rates: tuple = (1e-3, 3e-4)  # of Adam; the second in the last third of the epochs


ZOO = {
    "snn_small": Recipe(lambda: fully_connected(128), 4, 24),
    "snn_fc": Recipe(lambda: fully_connected(256), 8, 15),
    "snn_conv": Recipe(convolutional, 8, 15, (4e-3, 4e-4)),
}


def spike_table(ticks):
    """Which ticks (rows) have one of k = 0 .. ticks evenly spaced spikes (columns)."""
    spikes, tick = torch.arange(ticks + 1), torch.arange(ticks)[:, None]
    return ((tick + 1) * spikes // ticks > tick * spikes // ticks).float()


class Encoded:
    """Images as numbers of spikes in so many ticks, and the spikes of a batch of them."""

    def __init__(self, part, ticks, folder):
        images, labels = fashion_mnist.load(part, folder)
        self.counts = torch.from_numpy(numpy.floor(images * ticks + 0.5).astype(numpy.uint8))
        self.labels = torch.from_numpy(labels)
        self.table = spike_table(ticks)

    def spikes(self, which):
        """(ticks, N, 1, 28, 28)"""
        counts = self.counts[which].int()
        return torch.stack([row[counts] for row in self.table])


def train(model, data, rates, epochs, seed):
    """Trains in place; prints loss and seconds per epoch."""
    optimizer = torch.optim.Adam(model.parameters())
    generator = torch.Generator().manual_seed(seed)
    for epoch in range(epochs):
        start, total = time.monotonic(), 0.0
        optimizer.param_groups[0]["lr"] = rates[3 * epoch >= 2 * epochs]
        batches = torch.randperm(len(data.labels), generator=generator).split(BATCH)
        for which in batches:
            loss = nn.functional.cross_entropy(model(data.spikes(which)), data.labels[which])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.clamp_(-MOST, MOST)
            total += loss.item()
        print(f"  epoch {epoch + 1}/{epochs}: loss {total / len(batches):.4f}, "
              f"{time.monotonic() - start:.1f} s", flush=True)


def nodes_of(model):
    """The trained network as nodes of NIR, by name."""
    nodes = {}
    for place, layer in enumerate(model):
        number = 1 + sum(isinstance(one, Neurons) for one in model[:place])
        if isinstance(layer, Neurons):
            every = numpy.ones(layer.sizes, numpy.float32)
            nodes[f"lif{number}"] = nir.LIF(tau=TAU * every, r=RESISTANCE * every,
                                            v_leak=0 * every, v_threshold=THRESHOLD * every)
        elif isinstance(layer, nn.Flatten):
            nodes[f"flatten{number}"] = nir.Flatten(None, start_dim=0)
        else:
            weight, bias = (one.detach().numpy() for one in (layer.weight, layer.bias))
            nodes[f"fc{number}" if isinstance(layer, nn.Linear) else f"conv{number}"] = \
                nir.Affine(weight, bias) if isinstance(layer, nn.Linear) else \
                nir.Conv2d(None, weight, layer.stride, layer.padding, layer.dilation,
                           layer.groups, bias)
    return nodes


def test(path, folder):
    """Prints how many test images the written network has right."""
    images, labels = fashion_mnist.load("test", folder)
    network = spiking_network.read(path)
    shares = []
    for number_format in ("float64", "integer"):
        logits, _, _ = reference_spiking.run(network, images, number_format)
        shares.append(100 * (logits.argmax(1) == labels).mean())
    print(f"{path}: {path.stat().st_size} bytes; right of {len(labels)} test images: "
          f"float {shares[0]:.2f} %, integer {shares[1]:.2f} %", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--only", nargs="+", choices=ZOO, metavar="NAME", default=list(ZOO),
                        help="which networks: " + ", ".join(ZOO) + " (default: all)")
    parser.add_argument("--epochs", type=int, help="instead of each network's own number")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("zoo"),
                        help="folder of the files (default: zoo)")
    parser.add_argument("--data", type=pathlib.Path, default=fashion_mnist.FOLDER,
                        help="folder of the Fashion-MNIST IDX files")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        recipe = ZOO[name]
        data = Encoded("train", recipe.ticks, options.data)
        torch.manual_seed(options.seed)
        model = recipe.network()
        print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters", flush=True)
        train(model, data, recipe.rates, options.epochs or recipe.epochs, options.seed)
        paths = tilestrike.write_nir(options.out / f"{name}.nir", nodes_of(model),
                                     ticks=recipe.ticks, dt=DT, input_shape=(1, 28, 28),
                                     reset="soft")
        test(paths.model, options.data)


if __name__ == "__main__":
    main()

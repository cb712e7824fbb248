# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""A spiking network as a line of layers: NAME.nir, read with h5py, and NAME.spiking.yaml."""

import dataclasses
import pathlib

import numpy

NUMBERS = ("ticks", "dt")
CHOICES = {"spike_as": ("charge", "current"), "reset": ("hard", "soft"),
           "encode": ("rate", "constant"), "readout": ("membrane", "count", "first_spike")}
NEURONS = ("IF", "LIF", "LI")
WEIGHTS = ("Affine", "Linear", "Conv2d")
POOLING = ("SumPool2d", "AvgPool2d")
NONE = "none"  # no neurons behind the last weights, which are summed up


class Refused(Exception):
    """What is not read, or not computed by python/reference_spiking.py."""


@dataclasses.dataclass
class Node:
    name: str
    kind: str
    values: dict  # as NIR names them


@dataclasses.dataclass
class Layer:
    synapses: list
    neurons: Node


@dataclasses.dataclass
class Network:
    layers: list
    input_shape: tuple
    ticks: int
    dt: float
    spike_as: str
    reset: str
    encode: str
    readout: str


def read(path):
    """The network of MODEL.nir and its side file."""
    import h5py

    path = pathlib.Path(path)
    with h5py.File(path, "r") as file:
        if "node/edges" not in file:
            raise Refused(f"{path}: HDF5, but no NIR graph")
        graph = file["node"]
        nodes = {name: Node(name, text(group["type"][()]),
                            {key: group[key][()] for key in group if key != "type"})
                 for name, group in graph["nodes"].items()}
        edges = [(text(source), text(target)) for source, target in graph["edges"][()]]
    line = straight_line(path, nodes, edges)
    settings = read_settings(path.with_suffix(".spiking.yaml"))
    shape = tuple(int(size) for size in numpy.ravel(line[0].values["shape"]))
    return Network(layers_of(path, line[1:-1]), shape, **settings)


def text(stored):
    return stored.decode() if isinstance(stored, bytes) else str(stored)


def straight_line(path, nodes, edges):
    """The nodes from Input to Output."""
    following = dict(edges)
    start = [name for name, node in nodes.items() if node.kind == "Input"]
    line = start[:1]
    while line and line[-1] in following and len(line) <= len(nodes):
        line.append(following[line[-1]])
    if len(start) != 1 or len(edges) != len(nodes) - 1 or len(line) != len(nodes) or \
            nodes[line[-1]].kind != "Output":
        raise Refused(f"{path}: its nodes are no straight line from an Input to an Output")
    return [nodes[name] for name in line]


def read_settings(path):
    """`key: value` lines; a # begins a comment."""
    lines = [line.split("#")[0] for line in path.read_text(encoding="utf-8").splitlines()]
    given = {key.strip(): value.strip() for key, _, value in
             (line.partition(":") for line in lines if line.strip())}
    if sorted(given) != sorted([*NUMBERS, *CHOICES]):
        raise Refused(f"{path}: has the keys {', '.join(given)}; it must have "
                      f"{', '.join([*NUMBERS, *CHOICES])}")
    for key, choices in CHOICES.items():
        if given[key] not in choices:
            raise Refused(f"{path}: {key}: {given[key]}; it must be one of {', '.join(choices)}")
    return {**given, "ticks": int(given["ticks"]), "dt": float(given["dt"])}


def layers_of(path, line):
    """Cuts the line behind each node of neurons."""
    layers, synapses = [], []
    for node in line:
        if node.kind in NEURONS:
            layers.append(Layer(synapses, node))
            synapses = []
        elif node.kind in (*WEIGHTS, *POOLING, "Flatten"):
            synapses.append(node)
        else:
            raise Refused(f"{path}: node {node.name}: {node.kind} is not among "
                          f"{', '.join((*WEIGHTS, *POOLING, 'Flatten', *NEURONS))}")
    if any(node.kind in WEIGHTS for node in synapses):
        name = [node.name for node in synapses if node.kind in WEIGHTS][-1]
        layers.append(Layer(synapses, Node(name, NONE, {})))
    elif synapses and any(node.kind in POOLING for node in synapses):
        raise Refused(f"{path}: node {synapses[0].name}: nothing linear comes after the pooling")
    if not layers:
        raise Refused(f"{path}: has no layers")
    return layers

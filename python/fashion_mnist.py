# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Fashion-MNIST from the gzip'd IDX files of the Debian package `dataset-fashion-mnist`."""

import gzip
import pathlib

import numpy

FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")
CLASSES = ("T-shirt", "trouser", "pullover", "dress", "coat",
           "sandal", "shirt", "sneaker", "bag", "ankle boot")


def read_idx(path):
    """Reads one gzip'd IDX file of unsigned bytes.

    Returns a uint8 array of the shape in the file's header: (N, 28, 28) for images, (N,) for
    labels.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; install the Debian package "
                                "dataset-fashion-mnist, or name another folder with --data")
    with gzip.open(path, "rb") as stream:
        data = stream.read()
    if len(data) < 4 or data[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path}: not an IDX file of unsigned bytes")
    header = 4 + 4 * data[3]
    shape = numpy.frombuffer(data[4:header], dtype=">u4").astype(int)
    if len(data) - header != shape.prod():
        raise ValueError(f"{path}: holds {len(data) - header} bytes, its header says "
                         f"{shape.prod()}; the file is damaged, fetch it again")
    return numpy.frombuffer(data[header:], dtype=numpy.uint8).reshape(shape)


def load(part, folder=FOLDER):
    """Loads one part, "train" (60 000 images) or "test" (10 000).

    Returns images, float32 (N, 1, 28, 28), byte / 255, in [0, 1]; and labels, int64 (N,), 0..9.
    """
    name = {"train": "train", "test": "t10k"}[part]
    images = read_idx(pathlib.Path(folder) / f"{name}-images-idx3-ubyte.gz")
    labels = read_idx(pathlib.Path(folder) / f"{name}-labels-idx1-ubyte.gz")
    scaled = images[:, numpy.newaxis].astype(numpy.float32) / numpy.float32(255)
    return scaled, labels.astype(numpy.int64)

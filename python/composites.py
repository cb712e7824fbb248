# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Scenes of two or three garments of Fashion-MNIST, with a label for each pixel."""

import numpy

SIDE = 56
CLASSES = ("background", "top", "trousers", "dress", "shoe", "bag")
# The class of each of fashion_mnist.CLASSES.
GROUPS = numpy.array([1, 2, 1, 3, 1, 4, 1, 4, 5, 4], numpy.uint8)
DARKEST = 16      # a darker pixel of a garment shows the background
BRIGHTEST = 64    # of the background
JITTER = 8        # pixels that a garment may leave its quarter of the scene


def make(garments, labels, count, seed):
    """Makes scenes; the same ones for the same seed.

    garments: uint8 (N, 28, 28), and labels: integers (N,), 0 to 9, of Fashion-MNIST.
    Each scene has a background of one brightness with noise, and garments that are drawn with
    replacement, each in a quarter of its own but for a few pixels; a later one hides earlier ones.

    Returns scenes, uint8 (count, 1, 56, 56), and the class of each pixel, uint8 (count, 56, 56).
    """
    random = numpy.random.Generator(numpy.random.PCG64(seed))
    level = random.integers(0, BRIGHTEST - 16, (count, 1, 1))
    scenes = (level + random.integers(0, 16, (count, SIDE, SIDE))).astype(numpy.uint8)
    classes = numpy.zeros((count, SIDE, SIDE), numpy.uint8)
    half = SIDE // 2
    for scene, pixels in zip(scenes, classes):
        quarters = random.permutation(4)[:random.integers(2, 4)]
        for quarter, which in zip(quarters, random.integers(0, len(garments), 3)):
            shift = random.integers(-JITTER, JITTER + 1, 2)
            top, left = numpy.clip(half * numpy.array(divmod(quarter, 2)) + shift, 0, half)
            place = numpy.s_[top:top + half, left:left + half]
            is_seen = garments[which] >= DARKEST
            scene[place][is_seen] = garments[which][is_seen]
            pixels[place][is_seen] = GROUPS[labels[which]]
    return scenes[:, numpy.newaxis], classes

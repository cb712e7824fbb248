# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""PyTorch's own answer of a .pt2 archive, to set beside `tilestrike infer`.

    python python/reference_logits.py MODEL.pt2 --images x.npy --out y.npy

Images are float32 (N, C, H, W), logits float32 (N, classes). One thread.
"""

import argparse

import numpy
import torch


@torch.no_grad()
def logits(model, images, batch):
    """Runs the archive at path `model` over the array `images`, `batch` images at a time."""
    torch.set_num_threads(1)
    module = torch.export.load(model).module()
    return torch.cat([module(part) for part in torch.from_numpy(images).split(batch)]).numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", metavar="MODEL.pt2")
    parser.add_argument("--images", required=True, metavar="x.npy")
    parser.add_argument("--out", required=True, metavar="y.npy")
    parser.add_argument("--batch", type=int, default=100,
                        help="images at a time (default: 100); the last bits depend on it")
    options = parser.parse_args()
    answer = logits(options.model, numpy.load(options.images), options.batch)
    numpy.save(options.out, answer)
    print(f"{options.out}: {answer.dtype} {answer.shape}")


if __name__ == "__main__":
    main()

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes a network with every operator that has an integer form with zero points.

    python tests/dnn/export_pt2e_operators.py DIR

DIR/operators_mobile.pt2, images DIR/operators_x.npy and their logits DIR/operators_mobile.npy.
Without torchao it ends with code 77.
"""

import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "python"))

import export_pt2e  # noqa: E402

IMAGES = 200


class Operators(nn.Module):
    """Values that are mostly positive or negative, so that no zero point is near zero."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.strided = nn.Conv2d(8, 12, 3, stride=2, padding=1)
        self.depthwise = nn.Conv2d(12, 12, 3, padding=1, groups=12)
        self.dilated = nn.Conv2d(12, 12, 3, padding=2, dilation=2)
        self.pointwise = nn.Conv2d(24, 16, 1)
        self.head = nn.Linear(16 * 4 + 16, 10)

    def forward(self, x):
        x = functional.relu(self.stem(x))
        x = functional.hardtanh(self.strided(functional.pad(x, (1, 1, 0, 1))), 0.0, 6.0)
        left = self.depthwise(x)
        right = self.dilated(x)
        x = torch.cat([left + x, functional.relu(right + left)], dim=1)
        x = functional.max_pool2d(self.pointwise(x), 3, stride=2, padding=1)
        x = functional.avg_pool2d(x, 2, stride=1, padding=1)
        pooled = functional.adaptive_avg_pool2d(x, 2)
        rows = pooled.permute(0, 2, 3, 1).reshape(x.shape[0], -1)
        means = x.mean(dim=(2, 3))
        return self.head(torch.cat([rows, means], dim=1))


def main():
    export_pt2e.needs_torchao()
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    images = torch.rand(IMAGES, 3, 17, 17) * 3.0 - 1.0
    export_pt2e.export(Operators().eval(), "mobile", images, images, folder / "operators_mobile")
    numpy.save(folder / "operators_x.npy", images.numpy())


if __name__ == "__main__":
    main()

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes the small archives of this folder, each with the PyTorch of one version.

    PYTHON_WITH_THAT_TORCH make_archives.py     torch_2_6.pt2, torch_2_6_y.npy (x.npy once)

torch.export.save has had three layouts: up to 2.7, 2.8, and from 2.9 on.
"""

import pathlib

import numpy
import torch
from torch import nn
from torch.nn import functional


class Small(nn.Module):
    """A tied weight, a constant, a parameter of bfloat16, and answers within answers."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.norm = nn.BatchNorm2d(2)
        self.up = nn.Linear(2, 4, bias=False)
        self.scale = nn.Parameter(torch.tensor([1.5, -0.75], dtype=torch.bfloat16))
        self.register_buffer("shift", torch.tensor([0.25, -1.0]), persistent=False)

    def forward(self, x):
        x = functional.relu(self.norm(self.conv(x))).mean((2, 3))
        x = self.up((x + self.shift) * self.scale)
        return {"logits": x, "parts": [functional.linear(x, self.up.weight.t()), x.sum(1)]}


def main():
    here = pathlib.Path(__file__).parent
    torch.manual_seed(0)
    model = Small()
    model.norm.running_mean.uniform_(-0.1, 0.1)
    model.norm.running_var.uniform_(0.5, 2.0)
    model.eval()
    x = torch.linspace(-1.0, 2.0, 4 * 36).view(4, 1, 6, 6)
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(model, (x,), dynamic_shapes=({0: batch},))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names files of the machine
    version = "_".join(torch.__version__.split(".")[:2])
    torch.export.save(program, here / f"torch_{version}.pt2")
    numpy.save(here / "x.npy", x.numpy())
    numpy.save(here / f"torch_{version}_y.npy", model(x)["logits"].detach().numpy())


if __name__ == "__main__":
    main()

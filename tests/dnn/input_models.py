# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Tiny models with several inputs or outputs, for export_operators.py.

For each of MODELS: DIR/NAME.pt2, its inputs DIR/NAME_INPUT.npy, and PyTorch's answers
DIR/NAME_OUTPUT.npy; where it can be scripted or traced, DIR/NAME_scripted.pt or _traced.pt.
"""

from typing import Dict

import numpy
import torch
from torch import nn

ROWS = 6
WORDS = 12
VOCABULARY = 40


class Text(nn.Module):
    """Numbers of tokens and a mask of those that count; attention between them."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 16)
        self.query = nn.Linear(16, 16)
        self.key = nn.Linear(16, 16)
        self.value = nn.Linear(16, 16)
        self.head = nn.Linear(16, 5)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> Dict[str, torch.Tensor]:
        x = self.embedding(ids)
        scores = torch.matmul(self.query(x), self.key(x).transpose(1, 2)) * 0.25
        scores = scores + (mask.unsqueeze(1) - 1.0) * 100.0
        x = torch.matmul(torch.softmax(scores, -1), self.value(x))
        weight = mask.unsqueeze(-1)
        pooled = (x * weight).sum(1) / weight.sum(1)
        return {"logits": self.head(pooled), "pooled": pooled}


class Pair(nn.Module):
    """Two images of one kind, a flag for each pair, and answers within answers."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(256, 7)

    def forward(self, left: torch.Tensor, right: torch.Tensor, is_new: torch.Tensor):
        a, b = torch.relu(self.conv(left)), torch.relu(self.conv(right))
        difference = (a - b).flatten(1)
        logits = torch.where(is_new.unsqueeze(1), self.head(difference), difference[:, :7])
        return logits, (difference.square().mean(1, keepdim=True), a.mean((2, 3)))


class Unused(nn.Module):
    """An input that the answer does not depend on, and one of bytes."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor, spare: torch.Tensor, kind: torch.Tensor):
        return self.head(x) + kind.unsqueeze(1)


class Table(nn.Module):
    """A second input without a batch dimension."""

    def forward(self, x: torch.Tensor, table: torch.Tensor):
        return x @ table


def mask():
    lengths = torch.tensor([12, 5, 9, 1, 12, 7])
    return (torch.arange(WORDS) < lengths.unsqueeze(1)).float()


# name: (model, its inputs by name, its outputs by name in the order in which they are returned)
MODELS = {
    "text": (Text, lambda: {"ids": torch.randint(0, VOCABULARY, (ROWS, WORDS)), "mask": mask()},
             ("logits", "pooled")),
    "pair": (Pair, lambda: {"left": torch.rand(ROWS, 3, 8, 8), "right": torch.rand(ROWS, 3, 8, 8),
                            "is_new": torch.arange(ROWS) % 2 == 0}, ("0", "1.0", "1.1")),
    "unused": (Unused, lambda: {"x": torch.rand(ROWS, 8), "spare": torch.rand(ROWS, 2, 2),
                                "kind": torch.arange(ROWS, dtype=torch.uint8)}, ("0",)),
}


def leaves(answer):
    if isinstance(answer, torch.Tensor):
        return [answer]
    parts = answer.values() if isinstance(answer, dict) else answer
    return [leaf for part in parts for leaf in leaves(part)]


def write(folder):
    batch = torch.export.Dim("batch", min=1)
    for name, (make, draw, outputs) in MODELS.items():
        model, inputs = make().eval(), draw()
        given = tuple(inputs.values())
        for key, tensor in inputs.items():
            numpy.save(folder / f"{name}_{key}.npy", tensor.numpy())
        program = torch.export.export(model, tuple(tensor[:2] for tensor in given),
                                      dynamic_shapes=tuple({0: batch} for _ in given))
        torch.export.save(program, folder / f"{name}.pt2")
        for key, answer in zip(outputs, leaves(program.module()(*given)), strict=True):
            numpy.save(folder / f"{name}_{key}.npy", answer.numpy())
        torch.jit.script(model).save(str(folder / f"{name}_scripted.pt"))
        torch.jit.trace(model, given, check_trace=False, strict=False).save(
            str(folder / f"{name}_traced.pt"))
    torch.export.save(torch.export.export(Table(), (torch.rand(2, 8), torch.rand(8, 3)),
                                          dynamic_shapes=({0: batch}, None)),
                      folder / "table.pt2")

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Tiny models as people have exported them, for export_operators.py.

Batches of one size alone, sizes that are free besides the batch's, inputs of other types than
float32, arguments that the exporter has fixed, answers in dataclasses and of other types. For each
of MODELS: DIR/NAME.pt2, its input DIR/NAME_x.npy, and PyTorch's answer DIR/NAME.npy as float32.
REFUSED have no answer. DIR/frozen.pt, DIR/packed.pt and DIR/scaled.pt are TorchScript.
"""

import dataclasses
import warnings

import numpy
import torch
from torch import nn

ROWS = 10


class Head(nn.Module):
    """A linear layer after whatever `before` does, and before whatever `after` does."""

    def __init__(self, before=lambda x: x, after=lambda y: y, width=12, kind=torch.float32):
        super().__init__()
        self.before, self.after = before, after
        self.fc = nn.Linear(width, 5).to(kind)

    def forward(self, x):
        return self.after(self.fc(self.before(x)))


class Fixed(nn.Module):
    """A view and a constant that have the number of images built in."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.fc = nn.Linear(48, 4)

    def forward(self, x):
        y = torch.relu(self.conv(x)).view(x.size(0), 48)
        return self.fc(y + torch.ones(x.size(0), 48))


class Options(nn.Module):
    """Arguments that are no tensors: the exporter fixes their values."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(12, 5)

    def forward(self, x, rate=8000, mode="sum", scale=1.0, mask=None, is_scaled=False):
        y = self.fc(x) * (rate / 16000)
        return y * scale if is_scaled and mode == "mean" and mask is None else y


@dataclasses.dataclass
class Answer:
    hidden: torch.Tensor
    loss: torch.Tensor | None
    logits: list[torch.Tensor]


class Structured(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(12, 5)

    def forward(self, x):
        y = self.fc(x)
        return Answer(hidden=x + 1, loss=None, logits=[y, y * 2])


class Spectrum(nn.Module):
    """A parameter of complex numbers."""

    def __init__(self):
        super().__init__()
        self.filter = nn.Parameter(torch.randn(12, dtype=torch.complex64))
        self.fc = nn.Linear(12, 5)

    def forward(self, x):
        return self.fc((x * self.filter).abs())


class First(nn.Module):
    """Steps of a series first, series second."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(12, 5)

    def forward(self, x):
        return self.fc(x.mean(0))


class Scaled(nn.Module):
    """An argument whose value no TorchScript file holds."""

    def forward(self, x: torch.Tensor, rate: int):
        return x * rate


def flat(rows=ROWS):
    return torch.randn(rows, 12)


BATCH = torch.export.Dim("batch", min=1)
LENGTH = torch.export.Dim("length", min=2, max=64)
AUTO = torch.export.Dim.AUTO
# name: (model, the example, other arguments, dynamic shapes of x)
MODELS = {
    "fixed_1": (Fixed, lambda: torch.randn(1, 1, 6, 6), {}, None),
    "fixed_4": (Fixed, lambda: torch.randn(4, 1, 6, 6), {}, None),
    "free_though_fixed": (Head, lambda: flat(3), {}, None),
    "lengths": (lambda: Head(before=lambda x: x.view(x.size(0), x.size(1), 2, 6).flatten(2).mean(1)
                             + x.size(1)),
                lambda: torch.randn(2, 7, 12), {}, {0: BATCH, 1: LENGTH}),
    "auto": (lambda: Head(before=lambda x: x.mean((2, 3)), width=3),
             lambda: torch.randn(2, 3, 8, 8), {}, {0: AUTO, 2: AUTO, 3: AUTO}),
    "options": (Options, lambda: flat(2), {"rate": 16000, "mode": "mean", "scale": 0.5,
                                           "mask": None, "is_scaled": True}, {0: BATCH}),
    "structured": (Structured, lambda: flat(2), {}, {0: BATCH}),
    "spectrum": (Spectrum, lambda: flat(2), {}, {0: BATCH}),
    "bfloat16": (lambda: Head(kind=torch.bfloat16), lambda: flat(2).bfloat16(), {}, {0: BATCH}),
    "double": (lambda: Head(kind=torch.float64), lambda: flat(2).double(), {}, {0: BATCH}),
}
REFUSED = {
    "series_first": (First, lambda: torch.randn(7, 2, 12), {}, {1: BATCH}),
    "series_answer": (lambda: Head(after=lambda y: y.transpose(0, 1)), lambda: flat(2), {},
                      {0: BATCH}),
    "decided": (lambda: Head(after=lambda y: y.argmax(1)), lambda: flat(2), {}, {0: BATCH}),
    "complex_input": (lambda: Head(before=torch.abs), lambda: flat(2).to(torch.complex64),
                      {}, {0: BATCH}),
    "number_input": (lambda: Head(before=lambda x: x + torch.ones(2, 12)),
                     lambda: torch.tensor(1.0), {}, None),
}


def data(name, example):
    if name == "lengths":
        return torch.randn(ROWS, 9, 12)
    if name == "auto":
        return torch.randn(ROWS, 3, 5, 11)
    return torch.randn(ROWS, *example.shape[1:]).to(example.dtype)


def answer(model, x, options, rows):
    parts = [model(part, **options) for part in x.split(rows)]
    parts = [part.logits[1] if isinstance(part, Answer) else part for part in parts]
    return torch.cat(parts).float()


def write(folder):
    torch.export.register_dataclass(Answer, serialized_type_name="given_models.Answer")
    for name, (make, draw, options, shapes) in (MODELS | REFUSED).items():
        model, example = make().eval(), draw()
        given = None if shapes is None else {"x": shapes} | {key: None for key in options}
        program = torch.export.export(model, (example,), options, dynamic_shapes=given)
        torch.export.save(program, folder / f"{name}.pt2")
        if name in MODELS:
            x = data(name, example)
            kept = x if x.dtype == torch.float64 else x.float()
            numpy.save(folder / f"{name}_x.npy", kept.numpy())
            # As the file's rows run, in groups of the example's where those are fixed.
            rows = len(example) if shapes is None else ROWS
            padded = torch.cat([x, x])[:-(-len(x) // rows) * rows]
            numpy.save(folder / f"{name}.npy", answer(model, padded, options, rows)[:ROWS].numpy())
    write_torchscript(folder)


def write_torchscript(folder):
    x = torch.randn(1, 1, 6, 6)
    flat_model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4)).eval()
    torch.jit.freeze(torch.jit.script(flat_model)).save(str(folder / "frozen.pt"))
    numpy.save(folder / "frozen_x.npy", x.expand(3, 1, 6, 6).numpy())
    numpy.save(folder / "frozen.npy", flat_model(x.expand(3, 1, 6, 6)).numpy())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        packed = torch.ao.quantization.quantize_dynamic(flat_model, {nn.Linear}, torch.qint8)
        # Its code lies under FOLDER/models, as that of torchvision's networks does.
        packed.__class__ = type("Net", (nn.Sequential,), {"__module__": "own.models.net"})
        torch.jit.trace(packed, x).save(str(folder / "packed.pt"))
    torch.jit.script(Scaled().eval()).save(str(folder / "scaled.pt"))

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes tiny models that use every operator of dnn/operators.cpp, and models that must be refused.

    python tests/dnn/export_operators.py DIR

For each model NAME of MODELS: DIR/NAME.pt2, DIR/NAME_decomposed.pt2 (after run_decompositions()),
and PyTorch's answers DIR/NAME.npy, DIR/NAME_decomposed.npy on the images DIR/x.npy, one thread. For
each zoo network: DIR/ZOO.npy on DIR/ZOO_x.npy. For each of REFUSED: DIR/NAME.pt2. For models with
several inputs or outputs: what input_models.py says; of PyTorch's core set: what core_operators.py
says; for models in other forms than most: what given_models.py says. DIR/quantised.pt2: a network
that is quantised already.
"""

import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional

import core_operators
import given_models
import input_models
import operator_models
from operator_models import Function

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
IMAGES = 5


def features(*layers):
    """A network of the given layers between a first convolution and a last linear layer."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), *layers, nn.Flatten(), nn.LazyLinear(10))


class Tied(nn.Module):
    """A weight under two names, one that is a slice of another, and two kinds of buffer."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(192, 192)
        self.b = nn.Linear(192, 192)
        self.b.weight = self.a.weight
        whole = torch.randn(20, 384)
        self.rest = nn.Parameter(whole[5:15, 100:292])
        self.register_buffer("scale", torch.rand(192) + 0.5, persistent=False)
        self.register_buffer("shift", torch.rand(192))

    def forward(self, x):
        x = self.b(self.a(x.flatten(1))) * self.scale + self.shift
        return functional.linear(x, self.rest)


class Constants(nn.Module):
    """Values that depend on weights and literals alone."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(192, 10))
        self.gain = nn.Parameter(torch.rand(10))

    def forward(self, x):
        return x.flatten(1) @ (self.weight * self.gain) + torch.tensor([1.5]) * self.gain


class Shared(nn.Module):
    """One module that is called twice."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3)
        self.b = nn.Conv2d(4, 4, 3)
        self.c = nn.Conv2d(4, 4, 3)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x = self.relu(self.b(self.relu(self.a(x))))
        return self.fc(self.c(x).flatten(1))


class InPlace(nn.Module):
    """In-place operators, read again by their old name and through views made after the write."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        y = self.conv(x)
        functional.relu_(y)
        z = y + 1
        y.add_(z).mul_(0.5).sub_(0.25).div_(2.0).clamp_(-1, 3)
        functional.dropout(y, training=False, inplace=True)
        functional.hardtanh_(y, -0.9, 0.9)
        functional.leaky_relu_(y)
        functional.elu_(y)
        y.sigmoid_()
        y.tanh_()
        functional.silu(y, inplace=True)
        functional.hardswish(y, inplace=True)
        functional.hardsigmoid(y, inplace=True)
        copy = y.clone()
        copy.relu_()
        flat = y.view(-1, 512)
        return self.fc(flat) + self.fc(copy.flatten(1)) + self.fc(z.flatten(1))


class Shapes(nn.Module):
    """Shapes made of the batch size, and views of views."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(99, 10)

    def forward(self, x):
        batch = x.size(0)
        x = x.permute(0, 2, 3, 1).contiguous().view(batch * 2, 4, 24)
        x = x.transpose(1, 2).reshape(batch, 2, 96).unsqueeze(1).squeeze(1)
        x = x.view(batch * 2, 96).view(batch, 2, 96)
        x = torch.cat([x, x.mean(1, keepdim=True)], 1)
        x = x + x.mean(dim=(1, 2), keepdim=True).expand(batch, 3, 96)
        x = functional.pad(x, (1, 2), value=0.5).unsqueeze(1)
        for size in (batch + 2, 3 * batch - 1, (batch + 3) // 2):
            x = x + x.mean().reshape(1).expand(size).mean(0)
        x = torch.ops.aten.alias(x.squeeze(dim=(1,)).detach()).mean(1)
        return self.fc(torch.ops.aten._unsafe_view(x.t().contiguous().t().clone(), [-1, 1, 99])
                       .squeeze())


class Matrices(nn.Module):
    """Products that are no linear layer of a module."""

    def __init__(self):
        super().__init__()
        self.first = nn.Parameter(torch.randn(192, 64) / 14)
        self.second = nn.Parameter(torch.randn(64, 10) / 8)
        self.bias = nn.Parameter(torch.randn(10))
        self.last = nn.Linear(10, 10, bias=False)

    def forward(self, x):
        x = torch.mm(x.flatten(1), self.first)
        x = torch.addmm(self.bias, x, self.second, beta=0.5, alpha=2)
        return self.last(x)


def activations(x):
    for function in (functional.relu, functional.relu6, functional.hardtanh, torch.sigmoid,
                     functional.hardsigmoid, functional.silu, functional.hardswish, torch.tanh,
                     functional.gelu, functional.leaky_relu, functional.elu):
        x = x + function(x * 2)
    x = functional.gelu(x, approximate="tanh") - x.clamp(min=-0.5) + x.clamp(max=0.7)
    x = torch.clamp_min(x, -3) + torch.clamp_max(x, 3) + x.clamp(-1, 1)
    return torch.softmax(x, 1) + torch.log_softmax(x, 1).float()


def arithmetic(x):
    y = torch.add(x, 1, alpha=2) - torch.sub(3.0, x) * 0.17
    y = y / (x * x + 1) + torch.mul(x, 2) / 3
    ops = torch.ops.aten
    y = ops.add.Scalar(y, 0.5) + ops.sub.Scalar(x, 1) + ops.mul.Scalar(x, 3) + ops.div.Scalar(x, 2)
    y = y + x.mean() + x.double().sigmoid().float()
    return torch.cat([y, x, torch.sub(y, x, alpha=0.5)], dim=1)


MODELS = {
    "convolutions": lambda: features(
        nn.Conv2d(8, 12, 3, stride=2, padding=2, dilation=2, groups=4, bias=False), nn.ReLU(),
        nn.Conv2d(12, 12, (3, 1), padding="same"), nn.Conv2d(12, 12, (2, 4), padding="same"),
        nn.Conv2d(12, 12, 3, padding="same", dilation=(1, 2), groups=12),
        nn.Conv2d(12, 6, 2, padding="valid"), nn.Conv2d(6, 6, 1, groups=6)),
    "norms": lambda: features(
        nn.BatchNorm2d(8), nn.Conv2d(8, 4, 1), nn.BatchNorm2d(4, affine=False, eps=1e-3),
        nn.Dropout(), nn.Dropout2d(), nn.AlphaDropout(), nn.Identity()),
    "pools": lambda: features(
        nn.MaxPool2d(2, stride=1, padding=1), nn.AvgPool2d(3, stride=1, padding=1),
        nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False),
        nn.MaxPool2d(2, dilation=2, stride=1),
        nn.AdaptiveAvgPool2d((2, 1))),
    "shared": Shared,
    "activations": lambda: Function(activations),
    "arithmetic": lambda: Function(arithmetic),
    "tied": Tied,
    "constants": Constants,
    "in_place": InPlace,
    "shapes": Shapes,
    "matrices": Matrices,
    **operator_models.MODELS,
}


# Those that are also written by torch.jit.trace and torch.jit.script.
TRACED = ("convolutions", "norms", "in_place", "shapes", "window_attention", "attention")
SCRIPTED = ("convolutions", "norms", "pools", "shared", "tied")


class Branch(nn.Module):
    """A model whose operators depend on what the images hold."""

    def forward(self, x):
        if bool(x.sum() > 0):
            return x.flatten(1) * 2
        return x.flatten(1).abs()


class OfALibrary(nn.Module):
    """An operator that only the program which exports the model has."""

    def __init__(self):
        super().__init__()
        self.block = Function(lambda x: torch.ops.tilestrike_test.own(x))
        self.block(torch.zeros(1, 3, 8, 8))  # the lazy layer takes its shape

    def forward(self, x):
        return self.block(x)


def define_operator():
    library = torch.library.Library("tilestrike_test", "DEF")
    library.define("own(Tensor x) -> Tensor")
    library.impl("own", lambda x: x * 2, "CompositeExplicitAutograd")
    return library


def cond(m, x):
    return torch.cond(x.mean() > 0, lambda z: m.fc(z), lambda z: m.fc(z) + 1, (x.flatten(1),))


def autocast(m, x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return m.fc(x.flatten(1)).float()


class BatchNormInTraining(nn.Module):
    """Of which evaluation forgets one norm."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(144, 10)

    def forward(self, x):
        return self.fc(functional.batch_norm(self.conv(x), self.norm.running_mean,
                                             self.norm.running_var, training=True).flatten(1))


class WritesBuffer(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))
        self.fc = nn.Linear(192, 10)

    def forward(self, x):
        self.calls.add_(1)
        return self.fc(x.flatten(1)) + self.calls


class WritesPart(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        y = self.conv(x)
        part, _ = y.chunk(2, 1)
        part.relu_()
        return y


class Other(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function
        self.fc = nn.Linear(192, 10)

    def forward(self, *inputs):
        return self.function(self, *inputs)


class Quantised(nn.Module):
    """Activations between pairs, as PT2E leaves them."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.fc = nn.Linear(4 * 6 * 6, 10)

    @staticmethod
    def pair(x):
        form = (0.05, 0, -128, 127, torch.int8)
        pairs = torch.ops.quantized_decomposed
        return pairs.dequantize_per_tensor(pairs.quantize_per_tensor(x, *form), *form)

    def forward(self, x):
        return self.fc(self.pair(functional.relu(self.conv(self.pair(x)))).flatten(1))


def write_quantised(folder):
    """DIR/quantised.pt2, where PyTorch still registers the operators of the pairs."""
    try:
        from torch.ao.quantization.fx import _decomposed  # noqa: F401
    except ImportError:
        return
    torch.export.save(export(Quantised().eval(), (IMAGE,)), folder / "quantised.pt2")


# name: (model, its example inputs, dynamic batch, evaluation mode)
IMAGE = torch.zeros(2, 3, 8, 8)
REFUSED = {
    "of_a_library": (OfALibrary, (IMAGE,), True, True),
    "cond": (lambda: Other(cond), (IMAGE,), True, True),
    "random": (lambda: Other(lambda m, x: m.fc((x + torch.randn_like(x)).flatten(1))), (IMAGE,),
               True, True),
    "random_attention": (lambda: Other(lambda m, x: m.fc(functional.scaled_dot_product_attention(
        x, x, x, dropout_p=0.1).flatten(1))), (IMAGE,), True, True),
    "of_the_batch": (lambda: Other(lambda m, x: m.fc(functional.batch_norm(
        x, None, None, training=True).flatten(1))), (IMAGE,), True, True),
    "batch_norm_in_training": (BatchNormInTraining, (IMAGE,), True, True),
    "norm_counts": (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten()),
                    (IMAGE,), True, False),
    "as_many_as": (lambda: Other(lambda m, x: m.fc(x.flatten(1)) + x[x > 0].sum()), (IMAGE,), True,
                   True),
    "number_of_image": (lambda: Other(lambda m, x: m.fc(x.flatten(1)) * x.sum().item()), (IMAGE,),
                        True, True),
    "autocast": (lambda: Other(autocast), (IMAGE,), True, True),
    "writes_buffer": (WritesBuffer, (IMAGE,), True, True),
    "writes_input": (lambda: Other(lambda m, x: m.fc(x.relu_().flatten(1))), (IMAGE,), True, True),
    "writes_part": (WritesPart, (IMAGE,), True, True),
    "two_outputs": (lambda: Other(lambda m, x: (m.fc(x.flatten(1)), x)), (IMAGE,), True, True),
    "mean_output": (lambda: Other(lambda m, x: m.fc(x.flatten(1)).mean(0)), (IMAGE,), True, True),
    "no_images": (lambda: Other(lambda m, x: m.fc.weight * 2), (IMAGE,), True, True),
    "training": (lambda: nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(192, 10)), (IMAGE,),
                 True, False),
}


def export(model, inputs, dynamic=True):
    batch = torch.export.Dim("batch", min=1)
    shapes = tuple({0: batch} for _ in inputs)
    if isinstance(model, Other):
        shapes = (shapes,)
    return torch.export.export(model, inputs, dynamic_shapes=shapes if dynamic else None)


def main():
    library = define_operator()
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    x = torch.randn(IMAGES, 3, 8, 8)
    numpy.save(folder / "x.npy", x.numpy())
    with torch.no_grad():
        for name, make in MODELS.items():
            model = make().eval()
            model(x)  # lazy layers take their shapes
            for module in model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.running_mean.normal_()
                    module.running_var.uniform_(0.5, 2)
            program = export(model, (torch.randn(2, 3, 8, 8),))
            for suffix, form in (("", program), ("_decomposed", program.run_decompositions())):
                torch.export.save(form, folder / f"{name}{suffix}.pt2")
                numpy.save(folder / f"{name}{suffix}.npy", form.module()(x.clone()).numpy())
            if name in TRACED:
                with torch.enable_grad():  # attention in one fused operator otherwise
                    traced = torch.jit.trace(model, torch.randn(2, 3, 8, 8), check_trace=False)
                traced.save(str(folder / f"{name}_traced.pt"))
                numpy.save(folder / f"{name}_traced.npy", traced(x.clone()).numpy())
            if name in SCRIPTED:
                scripted = torch.jit.script(model)
                scripted.save(str(folder / f"{name}_scripted.pt"))
                numpy.save(folder / f"{name}_scripted.npy", scripted(x.clone()).numpy())
        torch.jit.script(Branch().eval()).save(str(folder / "branch_scripted.pt"))
        torch.jit.script(nn.Flatten().train()).save(str(folder / "training_scripted.pt"))
        static = features(nn.ReLU()).eval()
        static(x)
        torch.export.save(export(static, (x[:2],), dynamic=False), folder / "static.pt2")
        numpy.save(folder / "static.npy", static(x).numpy())
        zoo = {name: torch.rand(32, 1, 28, 28)
               for name in ("lenet5", "resnet8", "mobilenet", "vit")}
        zoo |= {"segmenter": torch.rand(4, 1, 56, 56), "tiny_lm": torch.randint(64, (4, 64))}
        for name, images in zoo.items():
            numpy.save(folder / f"{name}_x.npy", images.numpy())
            program = torch.export.load(ROOT / "zoo" / f"{name}.pt2")
            numpy.save(folder / f"{name}.npy", program.module()(images).numpy())
        input_models.write(folder)
        core_operators.write(folder)
        given_models.write(folder)
        write_quantised(folder)
        # tril_ leaves columns as they lie, so that their transpose is rows in memory (as tril's, to
        # which PyTorch decomposes it, is not).
        columns = Other(lambda m, x: m.fc(
            x.transpose(2, 3).clone().tril_().transpose(2, 3).view(-1, 192))).eval()
        torch.export.save(export(columns, (IMAGE,)), folder / "columns.pt2")
        numpy.save(folder / "columns.npy", columns(x).numpy())
        beside = Other(lambda m, x: (m.fc(x.flatten(1)), torch.randn_like(x))).eval()
        torch.export.save(export(beside, (IMAGE,)), folder / "random_beside.pt2")
        numpy.save(folder / "random_beside.npy", beside(x)[0].numpy())
    for name, (make, inputs, dynamic, evaluates) in REFUSED.items():
        model = make().train(not evaluates)
        with torch.no_grad():
            torch.export.save(export(model, inputs, dynamic), folder / f"{name}.pt2")
    del library


if __name__ == "__main__":
    main()

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes small models whose weights are hard to see, before and after run_decompositions().

    python tests/dnn/export_roles.py DIR

For each NAME below: DIR/NAME.pt2, DIR/NAME_decomposed.pt2, and DIR/NAME.txt with one line
"name role" for each tensor of the file: what a person who knows the model says it is.
"""

import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune


class Patches(nn.Module):
    """A vision transformer of one block, as DeiT is written."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 16, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, 16))
        self.position = nn.Parameter(torch.randn(1, 5, 16))
        self.norm1, self.norm2 = nn.LayerNorm(16), nn.LayerNorm(16)
        self.qkv, self.proj = nn.Linear(16, 48), nn.Linear(16, 16)
        self.up, self.down = nn.Linear(16, 32), nn.Linear(32, 16)
        self.gamma = nn.Parameter(torch.rand(16))
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.position
        q, k, v = self.qkv(self.norm1(x)).reshape(-1, 5, 3, 2, 8).permute(2, 0, 3, 1, 4).unbind(0)
        y = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(-1, 5, 16)
        x = x + self.gamma * self.proj(y)
        return self.head((x + self.down(functional.gelu(self.up(self.norm2(x)))))[:, 0])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(16, 2, 24, batch_first=True, norm_first=True)
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        return self.head(self.layer(x.flatten(2)[..., :16]).mean(1))


class Cell(nn.Module):
    """An LSTM cell by hand, unrolled."""

    def __init__(self):
        super().__init__()
        self.input, self.hidden = nn.Linear(24, 32), nn.Linear(8, 32, bias=False)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        x = x.flatten(2)[..., :24]
        h = c = x[:, 0, :8] * 0
        for t in range(3):
            i, f, g, o = (self.input(x[:, t]) + self.hidden(h)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        return self.head(h)


class RootMeanSquare(nn.Module):
    """Norms that are written out, one of them with statistics, and a matrix with a bias."""

    def __init__(self):
        super().__init__()
        self.gain, self.shift = nn.Parameter(torch.rand(12)), nn.Parameter(torch.rand(12))
        self.register_buffer("mean", torch.rand(12))
        self.register_buffer("variance", torch.rand(12) + 0.5)
        self.scale = nn.Parameter(torch.rand(12))
        self.matrix, self.bias = nn.Parameter(torch.rand(12, 4)), nn.Parameter(torch.rand(4))
        self.fc = nn.Linear(192, 12)

    def forward(self, x):
        x = self.fc(x.flatten(1))
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.gain + self.shift
        x = (x - self.mean) * torch.rsqrt(self.variance + 1e-5) * self.scale
        return x @ self.matrix + self.bias


class Integers(nn.Module):
    """Weights stored as int8 and uint8, with scales and zero points."""

    def __init__(self):
        super().__init__()
        self.register_buffer("q", torch.randint(-128, 128, (8, 192), dtype=torch.int8))
        self.register_buffer("q_scale", torch.rand(8, 1) / 100)
        self.u = nn.Parameter(torch.randint(0, 256, (4, 8), dtype=torch.uint8), requires_grad=False)
        self.u_scale = nn.Parameter(torch.rand(4, 1) / 100)
        self.register_buffer("u_zero", torch.full((4, 1), 128, dtype=torch.uint8))
        self.bias = nn.Parameter(torch.rand(4))

    def forward(self, x):
        x = functional.linear(x.flatten(1), self.q.to(torch.float32) * self.q_scale).relu()
        w = (self.u.to(torch.float32) - self.u_zero.to(torch.float32)) * self.u_scale
        return functional.linear(x, w, self.bias)


class Masked(nn.Module):
    """A causal mask, rows of a table at stored places, and a wave: stored, but not trained."""

    def __init__(self):
        super().__init__()
        self.register_buffer("allowed", torch.ones(12, 12).tril().bool())
        self.register_buffer("places", torch.arange(12))
        self.register_buffer("wave", torch.rand(12, 16))
        self.table = nn.Embedding(12, 16)
        self.qk = nn.Linear(16, 16, bias=False)
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        x = x.reshape(-1, 12, 16) + self.table(self.places) + self.wave
        scores = (self.qk(x) @ x.transpose(1, 2)).masked_fill(~self.allowed, float("-inf"))
        return self.head((scores.softmax(-1) @ x).mean(1))


def small():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
                         nn.Linear(144, 4))


def pruned():
    model = small()
    for part in (model[0], model[4]):
        prune.l1_unstructured(part, "weight", amount=0.5)
    return model


def changed(function):
    model = small()
    function(model[0])
    function(model[4])
    model.train()(torch.randn(2, 3, 8, 8))
    return model


SMALL = {"0.weight": "weight", "0.bias": "bias", "4.weight": "weight", "4.bias": "bias",
         **{"1." + name: "normalisation"
            for name in ("weight", "bias", "running_mean", "running_var")}}


def with_parts(parts):
    """SMALL, whose weights are made of other tensors: name after "0." or "4." -> role."""
    roles = {name: role for name, role in SMALL.items() if role != "weight"}
    return roles | {f"{layer}.{name}": role for layer in "04" for name, role in parts.items()}


def linears(*names):
    return {f"{name}.{part}": part for name in names for part in ("weight", "bias")}


MODELS = {
    "small": (small, SMALL),
    "patches": (Patches, linears("embed", "qkv", "proj", "up", "down", "head") | {
        "token": "parameter", "position": "parameter", "gamma": "parameter",
        **{f"{norm}.{part}": "normalisation"
           for norm in ("norm1", "norm2") for part in ("weight", "bias")}}),
    "encoder": (Encoder, linears("head", "layer.linear1", "layer.linear2",
                                 "layer.self_attn.out_proj") | {
        "layer.self_attn.in_proj_weight": "weight", "layer.self_attn.in_proj_bias": "bias",
        **{f"layer.{norm}.{part}": "normalisation"
           for norm in ("norm1", "norm2") for part in ("weight", "bias")}}),
    "cell": (Cell, linears("input", "head") | {"hidden.weight": "weight"}),
    "norms": (RootMeanSquare, linears("fc") | {
        "gain": "normalisation", "shift": "normalisation", "mean": "normalisation",
        "variance": "normalisation", "scale": "normalisation", "matrix": "weight",
        "bias": "bias"}),
    "pruned": (pruned, with_parts({"weight_orig": "weight", "weight_mask": "buffer"})),
    "weight_norm": (lambda: changed(parametrizations.weight_norm), with_parts(
        {"parametrizations.weight.original0": "weight",
         "parametrizations.weight.original1": "weight"})),
    "spectral_norm": (lambda: changed(parametrizations.spectral_norm), with_parts(
        {"parametrizations.weight.original": "weight", "parametrizations.weight.0._u": "buffer",
         "parametrizations.weight.0._v": "buffer"})),
    "integers": (Integers, {"q": "weight", "q_scale": "buffer", "u": "weight",
                            "u_scale": "parameter", "u_zero": "unstruck", "bias": "bias"}),
    "masked": (Masked, linears("head") | {
        "qk.weight": "weight", "table.weight": "weight", "wave": "buffer", "places": "unstruck",
        "allowed": "unstruck"}),
}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    batch = ({0: torch.export.Dim("batch", min=1)},)
    for name, (make, roles) in MODELS.items():
        torch.manual_seed(1)
        model = make().eval()
        program = torch.export.export(model, (torch.randn(2, 3, 8, 8),), dynamic_shapes=batch)
        torch.export.save(program, folder / f"{name}.pt2")
        torch.export.save(program.run_decompositions(), folder / f"{name}_decomposed.pt2")
        (folder / f"{name}.txt").write_text(
            "".join(f"{tensor} {role}\n" for tensor, role in roles.items()), encoding="utf-8")


main(pathlib.Path(sys.argv[1]))

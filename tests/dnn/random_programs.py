# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Random programs for fuzz_models.py: the steps that there are, and how they are drawn."""

import random

import torch
from torch import nn
from torch.nn import functional

ROWS, STEPS, WIDEST, LARGEST = 3, 30, 1500, 1e3


class Step:
    """One call: its function takes the module of parameters (or None) and its operands."""

    def __init__(self, name, function, operands, module=None, is_fresh=True, writes=None):
        self.name, self.function, self.operands, self.module = name, function, operands, module
        self.is_fresh = (
            is_fresh  # no view of an operand, and nothing is written: noise may be added
        )
        self.writes = writes


class Program(nn.Module):
    def __init__(self, rng):
        super().__init__()
        self.rng = rng
        self.parts = nn.ModuleList()
        self.steps = []
        self.jumps = False
        self.chosen = []

    def forward(self, x, s, i):
        return self.answer(self.replay([x, s, i]))

    def answer(self, pool):
        return torch.cat(
            [pool[k].reshape(pool[k].shape[0], -1).to(torch.float32) for k in self.chosen], 1
        )

    def replay(self, pool, noise=None):
        for step in self.steps:
            part = () if step.module is None else (self.parts[step.module],)
            result = step.function(*part, *[pool[k] for k in step.operands])
            if noise is not None and step.is_fresh and result.is_floating_point():
                result = result + noise(result)
            pool.append(result)
        return pool


UNARY = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "exp": lambda x: x.clamp(max=3).exp(),
    "abs": torch.abs,
    "neg": torch.neg,
    "root": lambda x: (x.abs() + 0.1).sqrt(),
    "cos": torch.cos,
    "sin": torch.sin,
    "elu": functional.elu,
    "leaky": lambda x: functional.leaky_relu(x, 0.2),
    "hardswish": functional.hardswish,
    "softplus": functional.softplus,
    "erf": torch.erf,
    "square": torch.square,
    "power": lambda x: (x.abs() + 0.2) ** 1.5,
    "cube": lambda x: x**3,
    "clamp": lambda x: x.clamp(-0.7, 1.1),
    "mish": functional.mish,
    "celu": functional.celu,
    "logsigmoid": functional.logsigmoid,
    "selu": functional.selu,
    "softsign": functional.softsign,
    "shrink": functional.hardshrink,
    "softshrink": functional.softshrink,
    "expm1": lambda x: x.clamp(max=3).expm1(),
    "log1p": lambda x: x.abs().log1p(),
    "atan": torch.atan,
    "asinh": torch.asinh,
    "half": lambda x: x.to(torch.float64).mul(0.3).to(torch.float32),
    "bfloat16": lambda x: x.to(torch.bfloat16).to(torch.float32),
    "copy": lambda x: x * 1,
    "rsub": lambda x: 1.5 - x,
    "over": lambda x: 1 / (x.abs() + 0.5),
    "scale": lambda x: x * 0.37 + 2,
    "relu6": functional.relu6,
    "threshold": lambda x: functional.threshold(x, 0.1, 0.2),
    "logit": lambda x: torch.logit(x.sigmoid(), 1e-3),
    "sinc": torch.sinc,
}
JUMPS = {"shrink", "threshold", "bfloat16"}
JUMPING = {
    "round": torch.round,
    "floor": torch.floor,
    "sign": torch.sign,
    "trunc": torch.trunc,
    "frac": torch.frac,
    "truth": lambda x: x > 0.1,
    "whole": lambda x: (x * 3).to(torch.int64),
    "isnan": lambda x: torch.isnan(x),
    "not": lambda x: torch.logical_not(x > 0.2),
}
BINARY = {
    "add": torch.add,
    "sub": lambda a, b: torch.sub(a, b, alpha=0.5),
    "mul": torch.mul,
    "div": lambda a, b: a / (b.abs() + 0.5),
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "atan2": lambda a, b: torch.atan2(a, b.abs() + 0.3),
    "lerp": lambda a, b: torch.lerp(a, b, 0.3),
    "hypot": torch.hypot,
    "addcmul": lambda a, b: torch.addcmul(a, b, a, value=0.1),
    "logaddexp": torch.logaddexp,
    "plain": lambda a, b: a - b,
}
BINARY_JUMPING = {
    "where": lambda a, b: torch.where(a > b, a, b * 0.5),
    "fmod": lambda a, b: torch.fmod(a, b.abs() + 0.4),
    "remainder": lambda a, b: torch.remainder(a, b.abs() + 0.4),
    "ge": lambda a, b: a >= b,
    "masked": lambda a, b: a.expand_as(a + b).masked_fill(b > 0.3, 0.25),
    "floordiv": lambda a, b: torch.div(a, b.abs() + 0.4, rounding_mode="floor"),
    "xor": lambda a, b: torch.logical_xor(a > 0, b > 0),
    "copysign": torch.copysign,
}


def reduction(rng, rank):
    dim, keep = rng.randrange(1, rank), rng.random() < 0.5
    dims = sorted(rng.sample(range(1, rank), rng.randint(1, rank - 1)))
    smooth = {
        "sum": lambda x: x.sum(dims, keepdim=keep) * 0.2,
        "mean": lambda x: x.mean(dims, keepdim=keep),
        "amax": lambda x: x.amax(dims, keepdim=keep),
        "amin": lambda x: x.amin(dims, keepdim=keep),
        "var": lambda x: x.var(dim, correction=0, keepdim=keep),
        "std": lambda x: (x.var(dim, correction=0, keepdim=keep) + 0.1).sqrt(),
        "logsumexp": lambda x: x.logsumexp(dims, keepdim=keep),
        "norm": lambda x: x.norm(dim=dim, keepdim=keep),
        "prod": lambda x: x.clamp(-1.2, 1.2).prod(dim, keepdim=keep),
        "max": lambda x: x.max(dim, keepdim=keep)[0],
        "softmax": lambda x: x.softmax(dim),
        "log_softmax": lambda x: x.log_softmax(dim),
        "cumsum": lambda x: x.cumsum(dim) * 0.3,
        "cumprod": lambda x: x.clamp(-1, 1).cumprod(dim),
        "sort": lambda x: x.sort(dim)[0],
        "topk": lambda x: x.topk(1, dim)[0],
        "cummax": lambda x: x.cummax(dim)[0],
        "logcumsumexp": lambda x: x.logcumsumexp(dim),
        "normalize": lambda x: functional.normalize(x, dim=dim),
        "median": lambda x: x.median(dim, keepdim=keep)[0],
    }
    jumping = {
        "argmax": lambda x: x.argmax(dim, keepdim=keep),
        "any": lambda x: (x > 1).any(dim, keepdim=keep),
        "where is the least": lambda x: x.sort(dim)[1],
        "all": lambda x: (x > -1).all(dim, keepdim=keep),
        "count": lambda x: torch.count_nonzero(x > 0, dim=dim),
    }
    return smooth, jumping


def movement(rng, shape):
    """Of what elements are where. -> (functions whose result may be a view, others)."""
    rank = len(shape)
    dim = rng.randrange(1, rank)
    size = shape[dim]
    low = rng.randrange(size)
    high = rng.randint(low + 1, size)
    order = [0] + rng.sample(range(1, rank), rank - 1)
    other = rng.randrange(1, rank)
    index = torch.tensor([rng.randrange(size) for _ in range(rng.randint(1, 4))])
    inner = 1
    for part in shape[1:]:
        inner *= part
    divisor = rng.choice([d for d in range(1, inner + 1) if inner % d == 0])
    views = {
        "permute": lambda x: x.permute(order),
        "transpose": lambda x: x.transpose(dim, other),
        "slice": lambda x: x.narrow(dim, low, high - low),
        "step": lambda x: x.movedim(dim, 1)[:, ::2],
        "reshape": lambda x: x.reshape(x.shape[0], divisor, inner // divisor),
        "flatten": lambda x: x.flatten(1),
        "contiguous": lambda x: x.contiguous(),
        "unsqueeze": lambda x: x.unsqueeze(dim),
        "squeeze": lambda x: x.unsqueeze(1).squeeze(1),
        "chunk": lambda x: x.chunk(2, dim)[0],
        "split": lambda x: x.split([low, size - low], dim)[1],
        "unbind": lambda x: x.unbind(dim)[low],
        "expand": lambda x: x.narrow(dim, low, 1).expand_as(x),
        "select": lambda x: x.select(dim, low),
        "view of rows": lambda x: x.contiguous().view(x.shape[0], -1),
        "unfold": lambda x: x.unfold(dim, min(2, size), 1),
        "swap": lambda x: x.swapaxes(1, rank - 1),
        "tensor_split": lambda x: x.tensor_split(2, dim)[1],
        "diagonal": lambda x: x.diagonal(0, rank - 2, rank - 1) if rank > 2 else x,
        "broadcast": lambda x: torch.broadcast_tensors(x, x.narrow(dim, 0, 1))[1],
    }
    copies = {
        "flip": lambda x: x.flip(dim),
        "roll": lambda x: x.roll(low, dim),
        "index": lambda x: x.index_select(dim, index),
        "repeat": lambda x: torch.cat([x, x], dim),
        "tril": torch.tril,
        "pad": lambda x: functional.pad(x, (1, 2), value=0.3),
        "negative pad": lambda x: functional.pad(x, (2, -1)),
        "gather": lambda x: x.gather(
            dim, torch.zeros_like(x.narrow(dim, 0, 1), dtype=torch.int64) + low
        ),
        "tile": lambda x: x.tile([1] * (rank - 1) + [2]),
        "stack": lambda x: torch.stack([x, x * 2], dim),
        "clone": lambda x: x.clone(),
        "repeat_interleave": lambda x: x.repeat_interleave(2, dim),
        "fancy": lambda x: x.movedim(dim, 1)[:, index],
        "scatter": lambda x: x.scatter(
            dim, torch.zeros_like(x.narrow(dim, 0, 1), dtype=torch.int64) + low, 0.5
        ),
        "index_add": lambda x: x.index_add(dim, index[:1], x.narrow(dim, 0, 1), alpha=0.5),
    }
    if rank > 2 and shape[-1] > 2:
        copies["reflect"] = lambda x: functional.pad(x, (1, 2), mode="reflect") if rank < 4 else x
        copies["circular"] = lambda x: (
            functional.pad(x, (1, 1), mode="circular") if rank == 3 else x
        )
    return views, copies


def writing(rng, shape):
    """Writes in place. Each returns what it wrote into."""
    dim = rng.randrange(1, len(shape))
    low = rng.randrange(shape[dim])
    index = torch.tensor([low])

    def part(change):
        def write(x, y):
            change(x.select(dim, low), y)
            return x

        return write

    def whole(change):
        def write(x, y):
            change(x, y)
            return x

        return write

    return {
        "relu_": whole(lambda x, y: x.relu_()),
        "add_": whole(lambda x, y: x.add_(0.5)),
        "mul_": whole(lambda x, y: x.mul_(y)),
        "sub_": whole(lambda x, y: x.sub_(y, alpha=0.2)),
        "fill_": part(lambda x, y: x.fill_(0.3)),
        "zero_": part(lambda x, y: x.zero_()),
        "part +=": part(lambda x, y: x.add_(1)),
        "part *=": part(lambda x, y: x.mul_(0.5)),
        "copy_": whole(lambda x, y: x.copy_(y)),
        "clamp_": whole(lambda x, y: x.clamp_(-0.5, 0.9)),
        "masked_fill_": whole(lambda x, y: x.masked_fill_(x > 0.8, 0.1)),
        "index_fill_": whole(lambda x, y: x.index_fill_(dim, index, 0.7)),
        "cumsum_": whole(lambda x, y: x.cumsum_(dim).mul_(0.3)),
        "lt_": whole(lambda x, y: x.lt_(0.2)),
        "through a view": whole(lambda x, y: x.flatten(1)[:, 1:].mul_(0.6)),
        "transposed": whole(lambda x, y: x.transpose(0, dim).add_(0.25)),
        "item": whole(lambda x, y: x.index_put_((torch.tensor([0]),), torch.tensor(0.4))),
        "addcmul_": whole(lambda x, y: x.addcmul_(y, y, value=0.1)),
        "tril_": whole(lambda x, y: x.tril_()),
        "sigmoid_": part(lambda x, y: x.sigmoid_()),
        "lerp_": whole(lambda x, y: x.lerp_(y, 0.3)),
    }


WRITES_THAT_JUMP = {"masked_fill_", "lt_"}


def parts_for(rng, shape):
    """Modules of parameters for a float value of the shape, and how each is called."""
    call = lambda part, x: part(x)  # noqa: E731
    rank, channels, last = len(shape), shape[1], shape[-1]
    out = rng.choice([4, 6, 8])
    choices = [
        ("linear", lambda: nn.Linear(last, out, bias=rng.random() < 0.8), call),
        ("layer_norm", lambda: nn.LayerNorm(last), call),
        ("rms_norm", lambda: nn.RMSNorm(last), call),
        ("prelu", lambda: nn.PReLU(channels), call),
        (
            "parameter",
            lambda: nn.ParameterList([torch.rand(last) + 0.5]),
            lambda part, x: x * part[0],
        ),
    ]
    if rank == 2:
        choices.append(("batch_norm", lambda: nn.BatchNorm1d(channels), call))
    if rank == 3:
        choices += [
            ("conv1d", lambda: nn.Conv1d(channels, out, 3, padding=1), call),
            ("lstm", lambda: nn.LSTM(last, 5, batch_first=True), lambda p, x: p(x)[0]),
            (
                "gru",
                lambda: nn.GRU(last, 4, 2, batch_first=True, bidirectional=True),
                lambda p, x: p(x)[0],
            ),
            ("rnn", lambda: nn.RNN(last, 4, batch_first=True), lambda p, x: p(x)[1][0]),
            ("up1d", lambda: nn.ConvTranspose1d(channels, out, 2, 2), call),
            ("pool1d", lambda: nn.AvgPool1d(2, ceil_mode=True), call),
            ("max1d", lambda: nn.MaxPool1d(2, ceil_mode=True), call),
            ("instance1d", lambda: nn.InstanceNorm1d(channels), call),
            (
                "own attention",
                nn.Identity,
                lambda p, x: functional.scaled_dot_product_attention(x, x, x),
            ),
            (
                "causal",
                nn.Identity,
                lambda p, x: functional.scaled_dot_product_attention(
                    x.unsqueeze(1), x.unsqueeze(1), x.unsqueeze(1), is_causal=True
                ).squeeze(1),
            ),
            ("gram", nn.Identity, lambda p, x: x @ x.transpose(1, 2) * 0.2),
            ("einsum", nn.Identity, lambda p, x: torch.einsum("nij,nkj->nik", x, x) * 0.2),
            ("cdist", nn.Identity, lambda p, x: torch.cdist(x, x + 0.5)),
        ]
        if last % 2 == 0:
            choices += [
                (
                    "attention",
                    lambda: nn.MultiheadAttention(last, 2, batch_first=True),
                    lambda p, x: p(x, x, x, need_weights=False)[0],
                ),
                ("glu", nn.Identity, lambda p, x: functional.glu(x)),
            ]
    if rank == 4 and min(shape[2:]) >= 2:
        groups = 2 if channels % 2 == 0 else 1
        choices += [
            ("conv2d", lambda: nn.Conv2d(channels, out, 3, padding=1), call),
            ("strided", lambda: nn.Conv2d(channels, out, 2, stride=2, bias=False), call),
            (
                "depthwise",
                lambda: nn.Conv2d(channels, channels, 3, padding=1, groups=channels),
                call,
            ),
            ("dilated", lambda: nn.Conv2d(channels, out, 3, padding="same", dilation=2), call),
            ("batch_norm", lambda: nn.BatchNorm2d(channels), call),
            (
                "conv and norm",
                lambda: nn.Sequential(
                    nn.Conv2d(channels, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()
                ),
                call,
            ),
            ("group_norm", lambda: nn.GroupNorm(groups, channels), call),
            ("instance_norm", lambda: nn.InstanceNorm2d(channels, affine=True), call),
            (
                "up",
                lambda: nn.ConvTranspose2d(channels, out, 3, 2, padding=1, output_padding=1),
                call,
            ),
            ("max_pool", lambda: nn.MaxPool2d(2), call),
            ("pool", lambda: nn.AvgPool2d(2, 1), call),
            ("adaptive", lambda: nn.AdaptiveAvgPool2d((2, 3)), call),
            ("adaptive max", lambda: nn.AdaptiveMaxPool2d(2), call),
            ("nearest", lambda: nn.Upsample(scale_factor=2), call),
            ("bilinear", lambda: nn.Upsample(size=(5, 6), mode="bilinear"), call),
            (
                "conv3d",
                lambda: nn.Conv3d(1, 2, 3, padding=1),
                lambda p, x: p(x.unsqueeze(1)).sum(1),
            ),
            ("reflect2d", lambda: nn.ReflectionPad2d(1), call),
            ("lp", lambda: nn.LPPool2d(2, 2), call),
            ("im2col", nn.Identity, lambda p, x: functional.unfold(x, 2)),
            ("response", lambda: nn.LocalResponseNorm(2), call),
            (
                "weight norm",
                lambda: nn.utils.parametrizations.weight_norm(nn.Conv2d(channels, out, 1)),
                call,
            ),
        ]
    return choices


class Maker:
    """Draws a program, step by step, on example values; a step that cannot be is left out."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.may_jump = self.rng.random() < 0.5
        torch.manual_seed(self.rng.randrange(1 << 30))
        self.inputs = (
            torch.randn(ROWS, 3, 6, 6),
            torch.randn(ROWS, 4, 6),
            torch.randint(0, 9, (ROWS, 4)),
        )
        self.program = Program(self.rng)
        self.pool = [one.clone() for one in self.inputs]
        self.origin = {one.untyped_storage().data_ptr() for one in self.pool}
        self.made = []  # (module, the shape that it takes, how it is called, its name)

    def floats(self):
        return [
            k
            for k, v in enumerate(self.pool)
            if v.is_floating_point() and v.dim() > 1 and min(v.shape) > 0
        ]

    def add(self, name, function, operands, module=None, is_fresh=True, jumps=False):
        if jumps and not self.may_jump:
            return False
        step = Step(name, function, operands, module, is_fresh)
        part = () if module is None else (self.program.parts[module],)
        try:
            with torch.no_grad():
                before = [v.clone() for v in self.pool]
                result = function(*part, *[self.pool[k] for k in operands])
        except (RuntimeError, IndexError, ValueError, TypeError):
            return False
        finite = all(
            bool(torch.isfinite(v.float()).all()) and float(v.float().abs().max()) < LARGEST
            for v in [*self.pool, result]
            if v.numel() and v is not None
        )
        fits = (
            result.dim() >= 1 and result.shape[0] == ROWS and 0 < result.numel() // ROWS <= WIDEST
        )
        inputs_kept = all(torch.equal(a, b) for a, b in zip(self.pool[:3], self.inputs))
        if not (finite and fits and inputs_kept and result.dim() <= 5):
            for value, old in zip(self.pool, before):
                if not torch.equal(value, old):
                    value.copy_(old)
            return False
        self.pool.append(result)
        self.program.steps.append(step)
        self.program.jumps |= jumps
        return True

    def draw(self):
        rng = self.rng
        kind = rng.choices(
            ["unary", "binary", "reduce", "move", "part", "write", "jump", "ids", "again"],
            [14, 14, 8, 16, 22, 10, 4, 4, 8],
        )[0]
        candidates = self.floats()
        k = candidates[-1] if rng.random() < 0.4 else rng.choice(candidates)
        value = self.pool[k]
        if kind == "unary":
            name = rng.choice(list(UNARY))
            return self.add(name, UNARY[name], [k], jumps=name in JUMPS)
        if kind == "jump":
            name = rng.choice(list(JUMPING))
            return self.add(name, JUMPING[name], [k], jumps=True)
        if kind == "binary":
            table = BINARY_JUMPING if rng.random() < 0.2 else BINARY
            name = rng.choice(list(table))
            other = rng.choice(range(len(self.pool)))
            return self.add(name, table[name], [k, other], jumps=table is BINARY_JUMPING)
        if kind == "reduce":
            smooth, jumping = reduction(rng, value.dim())
            table = jumping if rng.random() < 0.15 else smooth
            name = rng.choice(list(table))
            return self.add(name, table[name], [k], jumps=table is jumping)
        if kind == "move":
            views, copies = movement(rng, value.shape)
            table = copies if rng.random() < 0.4 else views
            name = rng.choice(list(table))
            return self.add(name, table[name], [k], is_fresh=False)
        if kind == "write":
            if value.untyped_storage().data_ptr() in self.origin:
                return False
            table = writing(rng, value.shape)
            name = rng.choice(list(table))
            same = [j for j in candidates if self.pool[j].shape == value.shape]
            return self.add(
                name,
                table[name],
                [k, rng.choice(same)],
                is_fresh=False,
                jumps=name in WRITES_THAT_JUMP,
            )
        if kind == "ids":
            self.program.parts.append(nn.Embedding(9, rng.choice([4, 6])))
            return self.add("embedding", lambda part, i: part(i), [2], len(self.program.parts) - 1)
        if kind == "again" and self.made:
            module, shape, call, name = rng.choice(self.made)
            same = [j for j in candidates if self.pool[j].shape[1:] == shape]
            return bool(same) and self.add(name + " again", call, [rng.choice(same)], module)
        name, make, call = rng.choice(parts_for(rng, value.shape))
        part = make().eval()
        for one in part.modules():
            if isinstance(one, (nn.BatchNorm1d, nn.BatchNorm2d)):
                one.running_mean.normal_(0, 0.3)
                one.running_var.uniform_(0.5, 2)
                one.weight.data.uniform_(0.5, 1.5)
        self.program.parts.append(part)
        if not self.add(name, call, [k], len(self.program.parts) - 1):
            return False
        self.made.append((len(self.program.parts) - 1, value.shape[1:], call, name))
        return True

    def make(self):
        tries = 0
        while len(self.program.steps) < STEPS and tries < 20 * STEPS:
            self.draw()
            tries += 1
        width = 0
        for k in reversed(range(3, len(self.pool))):
            width += self.pool[k].numel() // ROWS
            if width < 3 * WIDEST or not self.program.chosen:
                self.program.chosen.append(k)
        return self.program.requires_grad_(False).eval(), self.inputs

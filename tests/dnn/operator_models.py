# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Tiny models for export_operators.py: attention, parts and masks, writes through views, and what
else of LibTorch's operators networks are made of. All take images (N, 3, 8, 8)."""

import torch
from torch import nn
from torch.nn import functional

ops = torch.ops.aten


class Function(nn.Module):
    """A convolution, a function of its output, and a linear layer if the function has none."""

    def __init__(self, function):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.function = function
        self.fc = nn.LazyLinear(10)

    def forward(self, x):
        return self.fc(self.function(self.conv(x)).flatten(1))


class Attention(nn.Module):
    """Attention in all the ways in which it is written."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 32, 2, stride=2)
        self.token = nn.Parameter(torch.randn(1, 1, 32))
        self.position = nn.Embedding(17, 32)
        self.norm1 = nn.LayerNorm(32)
        self.norm2 = nn.LayerNorm(32, elementwise_affine=False)
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)
        self.qkv = nn.Linear(32, 96)
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        x = self.embed(x)
        n, c, h, w = x.shape
        x = x.reshape(n, c, h * w).permute(0, 2, 1)
        x = torch.cat([self.token.expand(n, -1, -1), x], 1)
        x = x + self.position(torch.arange(17)) * torch.arange(1, 18, 1.0).sqrt().view(17, 1)
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        q, k, v = self.qkv(self.norm2(x)).reshape(n, 17, 3, 4, 8).permute(2, 0, 3, 1, 4).unbind(0)
        x = x + functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        mask = torch.ones(17, 17).tril().bool()
        weights = (q @ k.transpose(-2, -1) * 8 ** -0.5).masked_fill(~mask, float("-inf"))
        y = weights.softmax(-1) @ v
        y = y + torch.einsum("nhqk,nhkd->nhqd", weights.softmax(-1), v)
        y = y + functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        y = y + ops._scaled_dot_product_flash_attention_for_cpu(q, k, v)[0]
        x = x + y.transpose(1, 2).reshape(n, 17, 32)
        q, k = (z.reshape(n * 4, 17, 8) for z in (q, k))
        scores = torch.baddbmm(torch.zeros(1, 17, 17), q, k.transpose(1, 2), beta=0)
        x = x + torch.bmm(scores.softmax(-1), k).reshape(n, 17, 32)
        return self.fc(x[:, 0] + x.mean(1))


class WindowAttention(nn.Module):
    """Shifted windows: a mask written through slices, a table of biases read by index."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 8, 1)
        self.qkv = nn.Linear(8, 24)
        self.table = nn.Parameter(torch.randn(49, 2))
        corner = torch.stack(torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij"))
        offsets = corner.flatten(1)[:, :, None] - corner.flatten(1)[:, None, :] + 3
        self.register_buffer("index", (offsets[0] * 7 + offsets[1]).flatten())
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        x = self.embed(x).permute(0, 2, 3, 1)
        n = x.shape[0]
        x = torch.roll(functional.pad(x, (0, 0, 0, 0, 0, 0)), (-2, -2), (1, 2))
        x = x.view(n, 2, 4, 2, 4, 8).permute(0, 1, 3, 2, 4, 5).reshape(n * 4, 16, 8)
        q, k, v = self.qkv(x).reshape(n * 4, 16, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        scores = q.mul(0.5).matmul(k.transpose(-2, -1))
        scores = scores + self.table[self.index].view(16, 16, 2).permute(2, 0, 1).unsqueeze(0)
        mask = x.new_zeros((8, 8))
        count = 0
        for rows in ((0, -4), (-4, -2), (-2, None)):
            for columns in ((0, -4), (-4, -2), (-2, None)):
                mask[rows[0]:rows[1], columns[0]:columns[1]] = count
                count += 1
        mask = mask.view(2, 4, 2, 4).permute(0, 2, 1, 3).reshape(4, 16)
        mask = mask.unsqueeze(1) - mask.unsqueeze(2)
        mask = mask.masked_fill(mask != 0, -100.0).masked_fill(mask == 0, 0.0)
        scores = scores.view(n, 4, 2, 16, 16) + mask.unsqueeze(1).unsqueeze(0)
        x = (scores.view(-1, 2, 16, 16).softmax(-1) @ v).transpose(1, 2).reshape(n, 2, 2, 4, 4, 8)
        x = torch.roll(x.permute(0, 1, 3, 2, 4, 5).reshape(n, 8, 8, 8), (2, 2), (1, 2))
        return self.fc(x.flatten(1))


def writes(x):
    """In-place operators through views of computed values; every look at them sees the writes."""
    x = x * 1
    x[:, 1:5, ::2].mul_(2)
    x[:, 0].fill_(0.25)
    flat = x.view(-1, 512)
    flat[:, 3:7] += 1
    y = x.transpose(1, 3)
    y[:, 2] = y[:, 5] * 0.5
    y.permute(0, 3, 1, 2).unsqueeze(1).add_(0.125)
    x.diagonal(dim1=2, dim2=3).copy_(x[:, :, 0] + 3)
    copied = y.reshape(-1, 512)
    copied.neg_()
    x.narrow(1, 6, 1).zero_()
    x.index_put_((torch.tensor([0]), torch.tensor([1, 2])), torch.tensor(7.0))
    x.masked_fill_(x > 6, 0.75).relu_()
    early = x.view(-1, 512)
    x.sub_(0.5)
    square = x[:, :, :4, :4].unflatten(1, (2, 4)).clone()
    square[:, 1].squeeze(1).abs_()
    return torch.cat([x.flatten(1), y.flatten(1), flat, early, copied, square.flatten(1)], 1)


def parts(x):
    a, b = x.chunk(2, 1)
    c, d, e = x.split(3, 1)
    f, g = x.split_with_sizes([2, 6], 1)
    rows = torch.stack(x.unbind(2)[::-1], -1)
    picked = x[:, [0, 3, 5]] + x[:, :, torch.tensor([1, 2, 4])[:, None], torch.tensor([0, 7, 3])
                                 ].mean((1, 2, 3), keepdim=True)
    y = torch.cat([b, a, e, c[:, :, ::3].repeat(1, 1, 3, 1)[:, :, :8], d, g, f, picked, rows], 1)
    y = y.roll(3, 1).flip(2) + y.index_select(3, torch.tensor([7, 6, 5, 4, 3, 2, 1, 0]))
    y = y + y.gather(1, torch.zeros(1, 1, 8, 8, dtype=torch.int64).expand(y.shape[0], 1, 8, 8))
    y = ops.slice_scatter(y, y[:, 1:3] * 2, 1, 4, 6)
    y = ops.select_scatter(y, y[:, 1], 1, 0)
    y = y + ops.narrow(y, 1, 2, 1) + ops.expand_as(y[:, :1], y) * ops.reshape_as(y, y)
    y = ops.diagonal_scatter(y, y[:, :, 0] * 3, 0, 2, 3)
    return ops.index_put(y, [None, torch.tensor([1, 2])], y[:, 4:6])


def masks(x):
    y = torch.where(x > 0, x, x * 0.1) + torch.where(torch.eq(x, 0.0), 1.0, x.abs())
    y = y + torch.where(x < 0.4, x, 2.0)
    y = y.masked_fill(torch.logical_and(x < 1, x >= -1), 0.5)
    y = y + (x <= 0.2).float() + torch.ne(x, 0.5).type_as(x)
    y = y.masked_fill(torch.bitwise_and(x < y, ~(x > y)), torch.tensor(2.0))
    y = y.masked_fill(torch.logical_not(x > 0.3), 1.0) + torch.eq(x, y)
    y = y + torch.maximum(x, y) + torch.minimum(x, y * 2)
    y = y + torch.any(x > 2, 1, keepdim=True) + torch.full((8,), 3.0) * torch.ones(8)
    y = y + torch.zeros(8).add(torch.linspace(0, 1, 8)) + torch.arange(2, 10) + x.new_ones(8)
    y = y + x.new_full((8,), 0.5) * torch.arange(8) + torch.ones(8, 8).triu()
    y = y + torch.zeros_like(x) + torch.ones_like(x) * torch.full_like(x, 0.25)
    y = ops.copy(y, x * 2) + ops.fill(y, 0.5) + ops.fill(y, torch.tensor(0.5)) + ops.zero(y)
    return y + torch.scalar_tensor(3.0) + y.argmax(1, keepdim=True)


def math(x):
    y = x.abs() + 0.1
    y = y.sqrt() + y.rsqrt() + y.log() + (-x).exp() * 0.1 + torch.erf(x) + y.reciprocal()
    y = y + x.sin() * x.cos() + x.square() + x.floor() * 0.5 + torch.rsub(x, 1.5) + x ** 2
    y = y + y.abs().pow(0.5) + torch.pow(y.abs(), x) + torch.fmod(x, 0.3) + torch.remainder(x, 0.4)
    y = y + torch.div(x, 0.3, rounding_mode="floor") + ops.div.Tensor_mode(x, y, rounding_mode=None)
    y = y.as_strided((x.shape[0], 512, 1), (512, 1, 1)).view(x.shape)
    variance, mean = torch.var_mean(y, 1, correction=0, keepdim=True)
    y = (y - mean) / (variance + 1).sqrt() + y.sum((2, 3), keepdim=True) * 0.01 + y.sum() * 0.001
    y = y + y.amax(1, keepdim=True) - y.amin((1, 2), keepdim=True) + y.max(1, keepdim=True).values
    y = y + torch.cumsum(y, 1) * 0.1 + y.sort(1).values + y.topk(2, 1).values.sum(1, keepdim=True)
    return y + functional.softplus(x) + functional.mish(x)


class Layers(nn.Module):
    """Modules that are no attention."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.group = nn.GroupNorm(4, 8)
        self.prelu = nn.PReLU(8)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2, output_padding=0)
        self.line = nn.Conv1d(8, 8, 3, padding=1, groups=2)
        self.cube = nn.Conv3d(1, 2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)
        self.largest = nn.AdaptiveMaxPool2d(3)
        self.fc = nn.LazyLinear(10)

    def forward(self, x):
        x = self.prelu(self.group(self.conv(x)))
        y = self.up(x)
        z = self.line(x.flatten(2))
        z = z.view(-1, 8, 8, 8) + self.cube(x.unsqueeze(1)).sum(1)
        small = [functional.interpolate(y, (5, 7), mode="nearest"),
                 functional.interpolate(y, scale_factor=0.5, mode="bilinear"),
                 functional.interpolate(y, (9, 6), mode="bilinear", align_corners=True),
                 functional.interpolate(y, scale_factor=0.5, mode="bicubic")]
        pooled = functional.adaptive_avg_pool1d(z.flatten(2), 5)
        padded = functional.pad(x, (1, 2, 0, 1), mode="reflect")
        return self.fc(torch.cat([one.flatten(1) for one in
                                  [self.largest(self.shuffle(z)), pooled, padded, *small]], 1))


def sizes(x):
    """Numbers that are made of the batch size."""
    n = x.shape[0]
    x = x * n + x / (n + 1) + x * (1 / n) + x * torch.sym_float(n)
    for size in (torch.sym_max(n, 3), torch.sym_min(n, 4) + 1, n % 3 + 2):
        x = x + x.mean().reshape(1).expand(size).mean(0)
    return x


def memory(x):
    """Memory that is made first and written afterwards."""
    n = x.shape[0]
    y = torch.empty(n, 8, 8, 8)
    y.copy_(x)
    y = y + torch.empty_like(x).fill_(0.5) + x.new_empty((8, 8)).zero_()
    y = y + ops.empty_strided([8, 8], [1, 8]).fill_(2) + ops.new_empty_strided(x, [8], [1]).fill_(3)
    y = y + ops.empty_permuted([8, 8, 8], [2, 0, 1]).fill_(0.25)
    return y * ops.as_strided(x.contiguous(), [n, 8, 1, 8], [512, 64, 8, 1])


class Numbers(nn.Module):
    """Numbers that are taken from buffers, and checks of numbers."""

    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.tensor(3))
        some = [True, False, True, True, False, False, True, True]
        self.register_buffer("some", torch.tensor(some))
        self.fc = nn.LazyLinear(10)

    def forward(self, x):
        n = x.shape[0]
        count = self.count.item()
        torch._check(count >= 0)
        torch._check(count < 8)
        ops.sym_constrain_range_for_size(count, min=0, max=7)
        y = x[:, :, self.some].sum(2) + x[:, :, :count].sum(2)
        for size in (2 * n - 1, n ** 2, torch.sym_int(n * 1.0)):
            y = y + x.mean().reshape(1).expand(size).mean(0)
        y = y + x.mean() * (-n)
        ops._assert_async.msg(self.count > 0, "there are some")
        return self.fc(y.flatten(1))


class Others(nn.Module):
    """Operators that are in no table: recurrent cells, norms, transposed and 3-D convolutions,
    views of which schemas say nothing, writes in place."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 6, batch_first=True, bidirectional=True)
        self.gru = nn.GRU(8, 5, batch_first=True)
        self.rnn = nn.RNN(8, 4, batch_first=True)
        self.cell = nn.GRUCell(8, 4)
        self.norm = nn.RMSNorm(8)
        self.up1 = nn.ConvTranspose1d(24, 4, 3, 2)
        self.up3 = nn.ConvTranspose3d(3, 2, 2, 2)
        self.norm3 = nn.InstanceNorm3d(2, affine=True)
        self.old = nn.utils.parametrizations.weight_norm(nn.Conv1d(24, 4, 3))
        self.new = nn.utils.parametrizations.spectral_norm(nn.Linear(8, 3))
        self.bag = nn.EmbeddingBag(7, 4, mode="mean")
        self.two = nn.Bilinear(8, 8, 3)
        self.standard = nn.Parameter(torch.randn(4, 3, 3, 3))
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.LazyLinear(10)

    def forward(self, x):
        rows = x.flatten(1, 2)
        few = rows[:, :2]
        with torch.no_grad():
            angle = self.norm(rows * 0.5).cumprod(1)
        parts = [self.lstm(few)[0], self.gru(few)[1][0], self.rnn(few)[0][:, -1], angle,
                 self.relu(self.cell(rows[:, 0])), self.up1(rows), self.old(rows), self.new(rows)]
        deep = self.norm3(self.up3(x.unsqueeze(2)))
        parts += [functional.max_pool3d(deep, 2), functional.grid_sample(
            x, torch.stack(torch.meshgrid(torch.linspace(-1, 1, 5), torch.linspace(-1, 1, 4),
                                          indexing="xy"), -1).expand(x.shape[0], -1, -1, -1),
            align_corners=False), self.two(rows, rows.flip(1))]
        weight = functional.batch_norm(self.standard.reshape(1, 4, -1), None, None, training=True,
                                       momentum=0.0, eps=1e-5).reshape_as(self.standard)
        parts.append(functional.conv2d(x, weight))
        pooled, where = functional.max_pool2d(x, 2, return_indices=True)
        parts += [functional.max_unpool2d(pooled, where, 2), self.bag((rows[:, :6] > 0).sum(2) % 7)]
        y = rows * 1
        y.index_fill_(1, torch.tensor([3]), 0.5).addcmul_(rows, rows, value=0.1)
        y.scatter_(1, torch.zeros(x.shape[0], 1, 8, dtype=torch.int64), 2.0)
        mask = y.clone().lt_(0.3)
        side = torch.broadcast_tensors(y, y[:, :1])[1].cumsum(2)
        parts += [y, mask, side, torch.fft.rfft(y).abs(), torch.linalg.norm(y, dim=1),
                  functional.glu(y), functional.interpolate(rows, scale_factor=2.0, mode="linear"),
                  2.0 ** rows, rows.abs() ** rows, functional.unfold(x, 3, padding=1)]
        return self.fc(torch.cat([part.flatten(1) for part in parts], 1))


MODELS = {
    "others": Others,
    "memory": lambda: Function(memory),
    "numbers": Numbers,
    "attention": Attention,
    "window_attention": WindowAttention,
    "writes": lambda: Function(writes),
    "parts": lambda: Function(parts),
    "masks": lambda: Function(masks),
    "math": lambda: Function(math),
    "layers": Layers,
    "sizes": lambda: Function(sizes),
}

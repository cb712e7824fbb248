# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""One small program for every operator of PyTorch's core set (torch.Tag.core), in one model.

For export_operators.py: DIR/core.pt2, an output by the name of each operator; its inputs
DIR/core_x.npy, DIR/core_i.npy; PyTorch's answers DIR/core/OPERATOR.npy; and DIR/core.json, which
says of every operator of the set whether it runs, is refused, or cannot be exported, and why.
"""

import json

import numpy
import torch
from torch import nn

ops = torch.ops.aten
ROWS = 4

# Operators that no export holds under their own name, and why.
NOT_EXPORTED = {
    "sym_is_contiguous.default": "torch.export calls it while it traces; graphs do not hold it",
    "sym_numel.default": "torch.export writes it as a product of sizes",
    "sym_storage_offset.default": "torch.export puts the number in its place",
    "sym_stride.int": "torch.export writes it as a product of sizes",
    "resize_.default": "torch.export refuses a tensor that gets another size in place",
}

# What TileStrike refuses, and a word of its reason.
REFUSED = {
    "_local_scalar_dense.default": "makes a number of what depends on the images",
    "_native_batch_norm_legit.default": "training mode",
    "atan2.out": "writes into its argument 'out'",
    "native_dropout.default": "training mode",
    "nonzero.default": "as many elements as the images have it",
    "rand.default": "random",
    "randn.default": "random",
    "randperm.default": "random",
}


def unary(name):
    return lambda x, i: getattr(ops, name).default(x)


def between(function):
    """Of a function that is defined from -1 to 1."""
    return lambda x, i: function(x * 0.3)


def line(size):
    return torch.arange(size, dtype=torch.float32) * 0.25 - 1


def grid(x):
    side = torch.linspace(-1.2, 1.1, 5)
    points = torch.stack(torch.meshgrid(side, side, indexing="ij"), -1)
    return points.unsqueeze(0) + x[:, :1, :1, :1] * 0.1


def pooled(x):
    return ops.max_pool2d_with_indices.default(x, [2, 2], [2, 2])


def normed(x):
    return ops.native_layer_norm.default(x, [8, 8], None, None, 1e-5)


def grouped(x):
    return ops.native_group_norm.default(x, None, None, x.shape[0], 4, 64, 2, 1e-5)


def weights():
    return torch.linspace(-1, 1, 4 * 4 * 3 * 3).reshape(4, 4, 3, 3)


# operator: a program of images x (N, 4, 8, 8) and whole numbers i (N, 6) from 0 to 7.
PROGRAMS = {
    "_adaptive_avg_pool2d.default": lambda x, i: ops._adaptive_avg_pool2d.default(x, [3, 5]),
    "_adaptive_avg_pool2d_backward.default": lambda x, i: ops._adaptive_avg_pool2d_backward.default(
        x[:, :, :4, :4], x),
    "_adaptive_avg_pool3d.default": lambda x, i: ops._adaptive_avg_pool3d.default(x, [2, 3, 3]),
    "_cdist_forward.default": lambda x, i: ops._cdist_forward.default(x, x.flip([2]), 2.0, None),
    "_embedding_bag.default": lambda x, i: ops._embedding_bag.default(
        line(48).reshape(8, 6), i.reshape(-1), torch.arange(x.shape[0]) * 6, False, 1)[0],
    "_fft_c2r.default": lambda x, i: ops._fft_c2r.default(
        torch.complex(x, x * 0.5), [3], 2, 14),
    "_fft_r2c.default": lambda x, i: ops.abs.default(ops._fft_r2c.default(x, [2, 3], 1, True)),
    "_local_scalar_dense.default": lambda x, i: x * ops._local_scalar_dense.default(x[0, 0, 0, 0]),
    "_log_softmax.default": lambda x, i: ops._log_softmax.default(x, 1, False),
    "_native_batch_norm_legit.default": lambda x, i: ops._native_batch_norm_legit.default(
        x, None, None, torch.zeros(4), torch.ones(4), True, 0.1, 1e-5)[0],
    "_native_batch_norm_legit.no_stats": lambda x, i: ops._native_batch_norm_legit.no_stats(
        x.reshape(1, -1, 8, 8), None, None, True, 0.1, 1e-5)[0].reshape(x.shape),
    "_native_batch_norm_legit_no_training.default":
        lambda x, i: ops._native_batch_norm_legit_no_training.default(
            x, torch.ones(4), None, torch.zeros(4), torch.ones(4) * 2, 0.1, 1e-5)[0],
    "_pdist_forward.default": lambda x, i: x + ops._pdist_forward.default(
        line(24).reshape(4, 6).square()).sum(),
    "_softmax.default": lambda x, i: ops._softmax.default(x, 2, False),
    "_to_copy.default": lambda x, i: ops._to_copy.default(x, dtype=torch.float64).mul(3).float(),
    "abs.default": unary("abs"),
    "acos.default": between(ops.acos.default),
    "acosh.default": lambda x, i: ops.acosh.default(x.abs() + 1.5),
    "adaptive_avg_pool1d.default": lambda x, i: ops.adaptive_avg_pool1d.default(x.flatten(2), [7]),
    "add.Scalar": lambda x, i: ops.add.Scalar(x, 0.3, 2),
    "add.Tensor": lambda x, i: ops.add.Tensor(x, x.flip([3]), alpha=0.5),
    "addmm.default": lambda x, i: ops.addmm.default(
        line(5), x.flatten(1), line(1280).reshape(256, 5), beta=0.5, alpha=2),
    "alias.default": lambda x, i: ops.alias.default(x) * 2,
    "amax.default": lambda x, i: ops.amax.default(x, [1, 3], True),
    "amin.default": lambda x, i: ops.amin.default(x, [2]),
    "any.default": lambda x, i: x + ops.any.default(line(4) > 0),
    "any.dim": lambda x, i: ops.any.dim(x > 1.5, 3),
    "any.dims": lambda x, i: ops.any.dims(x > 1.5, [1, 2], True),
    "arange.start_step": lambda x, i: x + ops.arange.start_step(1.0, 5.0, 0.5),
    "argmax.default": lambda x, i: ops.argmax.default(x, 3, True),
    "argmin.default": lambda x, i: ops.argmin.default(x, 1),
    "as_strided.default": lambda x, i: ops.as_strided.default(
        x, [x.shape[0], 4, 6, 3, 8], [256, 64, 8, 8, 1]),
    "asin.default": between(ops.asin.default),
    "asinh.default": unary("asinh"),
    "atan.default": unary("atan"),
    "atan2.default": lambda x, i: ops.atan2.default(x, x.flip([2]) + 0.1),
    "atan2.out": lambda x, i: ops.atan2.out(x, x + 1, out=torch.zeros_like(x)),
    "atanh.default": between(ops.atanh.default),
    "avg_pool1d.default": lambda x, i: ops.avg_pool1d.default(x.flatten(2), [3], [2], [1], True),
    "avg_pool2d.default": lambda x, i: ops.avg_pool2d.default(
        x, [3, 2], [2, 1], [1, 0], False, False, 4),
    "avg_pool2d_backward.default": lambda x, i: ops.avg_pool2d_backward.default(
        x[:, :, :4, :4], x, [2, 2], [2, 2], [0, 0], False, True, None),
    "avg_pool3d.default": lambda x, i: ops.avg_pool3d.default(x, [2, 2, 2]),
    "bitwise_and.Scalar": lambda x, i: ops.bitwise_and.Scalar(i, 5),
    "bitwise_and.Tensor": lambda x, i: ops.bitwise_and.Tensor(i, i.flip([1])),
    "bitwise_not.default": lambda x, i: ops.bitwise_not.default(i),
    "bitwise_or.Scalar": lambda x, i: ops.bitwise_or.Scalar(i, 2),
    "bitwise_or.Tensor": lambda x, i: ops.bitwise_or.Tensor(i, i.flip([1])),
    "bitwise_xor.Scalar": lambda x, i: ops.bitwise_xor.Scalar(i, 3),
    "bitwise_xor.Tensor": lambda x, i: ops.bitwise_xor.Tensor(x > 0, x > 1),
    "bmm.default": lambda x, i: ops.bmm.default(x.flatten(2), x.flatten(2).transpose(1, 2)),
    "cat.default": lambda x, i: ops.cat.default([x, x * 2, x[:, :1]], 1),
    "ceil.default": unary("ceil"),
    "clamp.Tensor": lambda x, i: ops.clamp.Tensor(x, line(8), line(8) + 1),
    "clamp.default": lambda x, i: ops.clamp.default(x, -0.5, None),
    "clone.default": lambda x, i: ops.clone.default(
        x.transpose(1, 2), memory_format=torch.contiguous_format).view(-1, 256),
    "col2im.default": lambda x, i: ops.col2im.default(
        x.reshape(-1, 4, 64), [9, 9], [2, 2], [1, 1], [0, 0], [1, 1]),
    "constant_pad_nd.default": lambda x, i: ops.constant_pad_nd.default(x, [1, 2, -1, 0], 0.5),
    "convolution.default": lambda x, i: ops.convolution.default(
        x, weights(), line(4), [2, 1], [1, 0], [1, 2], False, [0, 0], 1),
    "convolution_backward.default": lambda x, i: ops.convolution_backward.default(
        x[:, :, :6, :6], x, weights(), [4], [1, 1], [0, 0], [1, 1], False, [0, 0], 1,
        [True, False, False])[0],
    "copy.default": lambda x, i: ops.copy.default(x, x[:, :1] * 3),
    "cos.default": unary("cos"),
    "cosh.default": unary("cosh"),
    "cumsum.default": lambda x, i: ops.cumsum.default(x, 3),
    "diagonal.default": lambda x, i: ops.diagonal.default(x, 1, 2, 3) + 1,
    "div.Scalar": lambda x, i: ops.div.Scalar(x, 3),
    "div.Scalar_mode": lambda x, i: ops.div.Scalar_mode(x, 0.3, rounding_mode="floor"),
    "div.Tensor": lambda x, i: ops.div.Tensor(x, x.abs() + 1),
    "div.Tensor_mode": lambda x, i: ops.div.Tensor_mode(x, x.abs() + 0.1, rounding_mode="trunc"),
    "elu.default": lambda x, i: ops.elu.default(x, 1.2, 1.1, 0.9),
    "embedding.default": lambda x, i: ops.embedding.default(line(40).reshape(8, 5), i),
    "embedding_dense_backward.default": lambda x, i: x + ops.embedding_dense_backward.default(
        line(12).reshape(4, 3), torch.tensor([0, 2, 1, 2]), 8, -1, False)[:, :1],
    "empty.memory_format": lambda x, i: x + ops.empty.memory_format([8]).fill_(0.25),
    "empty_strided.default": lambda x, i: x + ops.empty_strided.default([8, 8], [1, 8]).fill_(2),
    "eq.Scalar": lambda x, i: ops.eq.Scalar(i, 3),
    "eq.Tensor": lambda x, i: ops.eq.Tensor(i, i.flip([1])),
    "erf.default": unary("erf"),
    "exp.default": unary("exp"),
    "expand.default": lambda x, i: ops.expand.default(x[:, :1], [-1, 3, -1, -1]) * 2,
    "expm1.default": unary("expm1"),
    "fill.Scalar": lambda x, i: ops.fill.Scalar(x, 3) + x,
    "flip.default": lambda x, i: ops.flip.default(x, [1, 3]),
    "floor.default": unary("floor"),
    "fmod.Scalar": lambda x, i: ops.fmod.Scalar(x, 0.7),
    "fmod.Tensor": lambda x, i: ops.fmod.Tensor(x, x.abs() + 0.2),
    "full.default": lambda x, i: x + ops.full.default([4, 1, 1], 0.125),
    "full_like.default": lambda x, i: x + ops.full_like.default(x, 0.125),
    "gather.default": lambda x, i: ops.gather.default(x.flatten(1), 1, i * 9),
    "ge.Scalar": lambda x, i: ops.ge.Scalar(x, 0.1),
    "ge.Tensor": lambda x, i: ops.ge.Tensor(x, x.flip([3])),
    "gelu.default": lambda x, i: ops.gelu.default(x, approximate="tanh"),
    "grid_sampler_2d.default": lambda x, i: ops.grid_sampler_2d.default(x, grid(x), 0, 1, True),
    "gt.Scalar": lambda x, i: ops.gt.Scalar(x, 0.1),
    "gt.Tensor": lambda x, i: ops.gt.Tensor(x, x.flip([3])),
    "hardtanh.default": lambda x, i: ops.hardtanh.default(x, -0.4, 0.9),
    "index.Tensor": lambda x, i: ops.index.Tensor(
        x, [None, torch.tensor([0, 2]), torch.tensor([1, 5])]),
    "index_put.default": lambda x, i: ops.index_put.default(
        x, [None, torch.tensor([1, 1])], x[:, :2], True),
    "index_select.default": lambda x, i: ops.index_select.default(x, 3, torch.tensor([7, 0, 0])),
    "isinf.default": lambda x, i: ops.isinf.default(x / (x > 0)),
    "isnan.default": lambda x, i: ops.isnan.default(x.log()),
    "le.Scalar": lambda x, i: ops.le.Scalar(x, 0.1),
    "le.Tensor": lambda x, i: ops.le.Tensor(x, x.flip([3])),
    "leaky_relu.default": lambda x, i: ops.leaky_relu.default(x, 0.2),
    "log.default": lambda x, i: ops.log.default(x.abs() + 0.1),
    "log10.default": lambda x, i: ops.log10.default(x.abs() + 0.1),
    "log1p.default": lambda x, i: ops.log1p.default(x.abs()),
    "log2.default": lambda x, i: ops.log2.default(x.abs() + 0.1),
    "logical_and.default": lambda x, i: ops.logical_and.default(x > 0, i[:, :1, None, None] > 3),
    "logical_not.default": lambda x, i: ops.logical_not.default(x > 0),
    "logical_or.default": lambda x, i: ops.logical_or.default(x > 0, x < -1),
    "logical_xor.default": lambda x, i: ops.logical_xor.default(x > 0, x > 1),
    "lt.Scalar": lambda x, i: ops.lt.Scalar(x, 0.1),
    "lt.Tensor": lambda x, i: ops.lt.Tensor(x, x.flip([3])),
    "masked_scatter.default": lambda x, i: ops.masked_scatter.default(
        x, torch.arange(8) % 2 == 0, x * 2),
    "max.dim": lambda x, i: (lambda a: a[0] + a[1])(ops.max.dim(x, 2)),
    "max_pool2d_with_indices.default": lambda x, i: (lambda a: a[0] + a[1])(pooled(x)),
    "max_pool2d_with_indices_backward.default":
        lambda x, i: ops.max_pool2d_with_indices_backward.default(
            x[:, :, :4, :4], x, [2, 2], [2, 2], [0, 0], [1, 1], False, pooled(x)[1]),
    "max_pool3d_with_indices.default": lambda x, i: (lambda a: a[0] - a[1])(
        ops.max_pool3d_with_indices.default(x, [2, 2, 2])),
    "maximum.default": lambda x, i: ops.maximum.default(x, x.flip([3])),
    "mean.default": lambda x, i: x + ops.mean.default(line(7)),
    "mean.dim": lambda x, i: ops.mean.dim(x, [1, 3]),
    "min.dim": lambda x, i: (lambda a: a[0] + a[1])(ops.min.dim(x, 3, True)),
    "minimum.default": lambda x, i: ops.minimum.default(x, x.flip([3])),
    "mm.default": lambda x, i: ops.mm.default(x.flatten(1), line(768).reshape(256, 3)),
    "mul.Scalar": lambda x, i: ops.mul.Scalar(x, 3),
    "mul.Tensor": lambda x, i: ops.mul.Tensor(x, x.flip([1])),
    "native_dropout.default": lambda x, i: ops.native_dropout.default(x, 0.5, True)[0],
    "native_group_norm.default": lambda x, i: (lambda a: a[0] + a[1].mean() * 0)(grouped(x)),
    "native_group_norm_backward.default": lambda x, i: ops.native_group_norm_backward.default(
        x, x * 2, grouped(x)[1], grouped(x)[2], None, x.shape[0], 4, 64, 2,
        [True, False, False])[0],
    "native_layer_norm.default": lambda x, i: (lambda a: a[0] * a[1] + a[2])(normed(x)),
    "native_layer_norm_backward.default": lambda x, i: ops.native_layer_norm_backward.default(
        x, x * 2, [8, 8], normed(x)[1], normed(x)[2], None, None, [True, False, False])[0],
    "ne.Scalar": lambda x, i: ops.ne.Scalar(i, 3),
    "ne.Tensor": lambda x, i: ops.ne.Tensor(i, i.flip([1])),
    "neg.default": unary("neg"),
    "nonzero.default": lambda x, i: x + ops.nonzero.default(x > 0).sum(),
    "permute.default": lambda x, i: ops.permute.default(x, [0, 2, 3, 1]) * 2,
    "pow.Scalar": lambda x, i: ops.pow.Scalar(1.5, x),
    "pow.Tensor_Scalar": lambda x, i: ops.pow.Tensor_Scalar(x.abs(), 1.7),
    "pow.Tensor_Tensor": lambda x, i: ops.pow.Tensor_Tensor(x.abs(), x),
    "prod.default": lambda x, i: x + ops.prod.default(line(4)),
    "prod.dim_int": lambda x, i: ops.prod.dim_int(x, 3),
    "rand.default": lambda x, i: x + ops.rand.default([8]),
    "randn.default": lambda x, i: x + ops.randn.default([8]),
    "randperm.default": lambda x, i: x + ops.randperm.default(8),
    "reciprocal.default": lambda x, i: ops.reciprocal.default(x.abs() + 0.2),
    "reflection_pad1d.default": lambda x, i: ops.reflection_pad1d.default(x.flatten(2), [3, 1]),
    "reflection_pad2d.default": lambda x, i: ops.reflection_pad2d.default(x, [1, 2, 0, 3]),
    "reflection_pad3d.default": lambda x, i: ops.reflection_pad3d.default(
        x.unsqueeze(1), [1, 2, 0, 3, 1, 1]),
    "relu.default": unary("relu"),
    "remainder.Scalar": lambda x, i: ops.remainder.Scalar(x, 0.7),
    "remainder.Tensor": lambda x, i: ops.remainder.Tensor(x, x.abs() + 0.2),
    "repeat.default": lambda x, i: ops.repeat.default(x, [1, 2, 1, 3]),
    "replication_pad2d.default": lambda x, i: ops.replication_pad2d.default(x, [1, 2, 0, 3]),
    "replication_pad3d.default": lambda x, i: ops.replication_pad3d.default(
        x.unsqueeze(1), [1, 2, 0, 3, 1, 1]),
    "round.default": unary("round"),
    "rsqrt.default": lambda x, i: ops.rsqrt.default(x.abs() + 0.2),
    "scalar_tensor.default": lambda x, i: x + ops.scalar_tensor.default(2.5),
    "scatter.src": lambda x, i: ops.scatter.src(
        x.flatten(1), 1, torch.tensor([[5, 3, 200]]).expand(x.shape[0], 3), x.flatten(1) * 2),
    "scatter.value": lambda x, i: ops.scatter.value(x.flatten(1), 1, i * 9, 0.75),
    "scatter_add.default": lambda x, i: ops.scatter_add.default(
        x.flatten(1), 1, i * 9, x.flatten(1)),
    "scatter_reduce.two": lambda x, i: ops.scatter_reduce.two(
        x.flatten(1), 1, i * 9, x.flatten(1), "amax"),
    "select.int": lambda x, i: ops.select.int(x, 1, 2) * 2,
    "select_scatter.default": lambda x, i: ops.select_scatter.default(x, x[:, 0] * 2, 1, 3),
    "sigmoid.default": unary("sigmoid"),
    "sign.default": unary("sign"),
    "sin.default": unary("sin"),
    "sinh.default": unary("sinh"),
    "slice.Tensor": lambda x, i: ops.slice.Tensor(x, 3, 1, 7, 2) * 2,
    "slice_scatter.default": lambda x, i: ops.slice_scatter.default(x, x[:, :2] * 2, 1, 1, 3),
    "sort.default": lambda x, i: (lambda a: a[0] + a[1])(ops.sort.default(x, 3, True)),
    "split_with_sizes.default": lambda x, i: (lambda a: a[0] * 2 + a[1][:, :1])(
        ops.split_with_sizes.default(x, [1, 3], 1)),
    "sqrt.default": lambda x, i: ops.sqrt.default(x.abs()),
    "squeeze.dim": lambda x, i: ops.squeeze.dim(x[:, :1], 1) * 2,
    "squeeze.dims": lambda x, i: ops.squeeze.dims(x[:, :1, :1], [1, 2]) * 2,
    "sub.Scalar": lambda x, i: ops.sub.Scalar(x, 0.3),
    "sub.Tensor": lambda x, i: ops.sub.Tensor(x, x.flip([3]), alpha=2),
    "sum.dim_IntList": lambda x, i: ops.sum.dim_IntList(x, [1, 2]),
    "sym_size.int": lambda x, i: x + ops.sym_size.int(x, 0),
    "tan.default": unary("tan"),
    "tanh.default": unary("tanh"),
    "topk.default": lambda x, i: (lambda a: a[0] + a[1])(ops.topk.default(x, 3)),
    "trunc.default": unary("trunc"),
    "unsqueeze.default": lambda x, i: ops.unsqueeze.default(x, 2) * 2,
    "upsample_bilinear2d.vec": lambda x, i: ops.upsample_bilinear2d.vec(x, None, False, [1.5, 2.0]),
    "upsample_nearest2d.vec": lambda x, i: ops.upsample_nearest2d.vec(x, [5, 13], None),
    "var.correction": lambda x, i: ops.var.correction(x, [1], correction=0.5, keepdim=True),
    "var.dim": lambda x, i: ops.var.dim(x, [2, 3], False),
    "view.default": lambda x, i: ops.view.default(x, [-1, 16, 16]) * 2,
    "where.self": lambda x, i: ops.where.self(x > 0, x, x * 0.1),
}


def core_set():
    """The names of all operators of this PyTorch with the tag."""
    names = set()
    for schema in torch._C._jit_get_all_schemas():
        space, name = schema.name.split("::")
        if space == "aten":
            overload = schema.overload_name or "default"
            try:
                operator = getattr(getattr(ops, name), overload)
            except AttributeError:
                continue
            if torch.Tag.core in operator.tags:
                names.add(f"{name}.{overload}")
    return names


class Core(nn.Module):
    """Every program, each an output by the name of its operator."""

    def forward(self, x, i):
        return {name: program(x, i).to(torch.float32) + 0
                for name, program in PROGRAMS.items()}


def write(folder):
    (folder / "core").mkdir(exist_ok=True)
    x, i = torch.randn(ROWS, 4, 8, 8), torch.randint(0, 8, (ROWS, 6))
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(Core(), (x[:2], i[:2]), dynamic_shapes=({0: batch}, {0: batch}))
    torch.export.save(program, folder / "core.pt2")
    numpy.save(folder / "core_x.npy", x.numpy())
    numpy.save(folder / "core_i.npy", i.numpy())
    for name, answer in program.module()(x, i).items():
        numpy.save(folder / "core" / f"{name}.npy", answer.numpy())
    state = {name: {"state": "not tried"} for name in core_set()}
    for name in PROGRAMS:
        state[name] = {"state": "refused", "why": REFUSED[name]} if name in REFUSED else {
            "state": "runs"}
    for name, why in NOT_EXPORTED.items():
        state[name] = {"state": "not exported", "why": why}
    (folder / "core.json").write_text(json.dumps(state, indent=1, sort_keys=True))

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Exports torchvision networks with seeded random weights, as material for tests of the importer.

    python python/export_torchvision.py --out DIR [--models resnet18 vgg11 mobilenet_v2]
                                        [--images 2] [--decompose]

Writes DIR/x.npy (float32 (N, 3, 224, 224)) and for each network DIR/NAME.pt2 (dynamic batch) and
DIR/logits_NAME.npy (float32 (N, 1000)), the exported program's answer in PyTorch, with one thread.
With `--decompose` also DIR/NAME_decomposed.pt2 and DIR/logits_NAME_decomposed.npy, for the same
network after run_decompositions(). The line that is printed says how far the model itself is from
that: PyTorch computes attention in another way there.

Needs torchvision: `pip install --no-deps torchvision==0.28.0 pillow` beside torch 2.13.0 is enough.
"""

import argparse
import functools
import importlib.util
import pathlib

import numpy
import torch
from torch import nn


@functools.cache  # its schemas are defined once
def import_torchvision():
    """Imports torchvision, also beside a torch that its compiled operators cannot be loaded into.

    Its import refers to the schemas of two of them, which are then defined here.
    """
    spec = importlib.util.find_spec("torchvision")
    if spec is None:
        raise SystemExit("export_torchvision: torchvision is not installed; "
                         "pip install --no-deps torchvision==0.28.0 pillow")
    try:
        torch.ops.load_library(str(pathlib.Path(spec.origin).with_name("_C.so")))
    except OSError:
        library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import_torchvision.keep = library  # the schemas live as long as this object
    import torchvision
    return torchvision


def smooth_noise(count, size, generator):
    """Images (count, 3, size, size) of about zero mean and unit variance, smooth as photographs."""
    coarse = torch.randn(count, 3, size // 16, size // 16, generator=generator)
    fine = torch.randn(count, 3, size, size, generator=generator)
    return nn.functional.interpolate(coarse, size=(size, size), mode="bicubic") + 0.25 * fine


@torch.no_grad()
def fill_zero_heads(model):
    """Gives last layers that start as zeros (ViT's) weights, so that the logits say something."""
    for module in model.modules():
        if isinstance(module, nn.Linear) and not module.weight.any():
            nn.init.normal_(module.weight, std=0.02)


@torch.no_grad()
def settle_batch_norm(model, generator, size, batches=4, batch=8):
    """Sets the running statistics to the averages over a few seeded batches."""
    model.eval()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.momentum = None  # a plain average over the batches
    for _ in range(batches if norms else 0):
        model(smooth_noise(batch, size, generator))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    model.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument("--models", nargs="+", metavar="NAME",
                        default=["resnet18", "vgg11", "mobilenet_v2"])
    parser.add_argument("--images", type=int, default=2, help="how many (default: 2)")
    parser.add_argument("--size", type=int, default=224, help="pixels a side (default: 224)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--decompose", action="store_true", help="write both forms")
    options = parser.parse_args()

    torchvision = import_torchvision()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    x = smooth_noise(options.images, options.size, torch.Generator().manual_seed(options.seed))
    numpy.save(options.out / "x.npy", x.numpy())
    example = smooth_noise(2, options.size, torch.Generator().manual_seed(options.seed))
    for name in options.models:
        torch.manual_seed(options.seed)
        model = torchvision.models.get_model(name, weights=None)
        fill_zero_heads(model)
        settle_batch_norm(model, torch.Generator().manual_seed(options.seed + 1), options.size)
        program = torch.export.export(model, (example,),
                                      dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))
        forms = {"": program}
        if options.decompose:
            forms["_decomposed"] = program.run_decompositions()
        with torch.no_grad():
            eager = model(x)
            for suffix, form in forms.items():
                logits = form.module()(x)
                torch.export.save(form, options.out / f"{name}{suffix}.pt2")
                numpy.save(options.out / f"logits_{name}{suffix}.npy", logits.numpy())
                difference = (logits - eager).abs().max() / eager.abs().max()
                print(f"{name}{suffix}: logits {tuple(logits.shape)}, {logits.min():.3g} .. "
                      f"{logits.max():.3g}, {difference:.3g} from the eager model's, "
                      f"{(options.out / f'{name}{suffix}.pt2').stat().st_size / 1e6:.1f} MB",
                      flush=True)


if __name__ == "__main__":
    main()

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Quantises a network of the zoo with torchao's PT2E and exports it as .pt2.

    python python/export_pt2e.py --model lenet5 --style mobile --out FOLDER [--images N]

Writes FOLDER/MODEL_STYLE.pt2, and the logits of the fake-quantised original on the first N test
images as MODEL_STYLE.npy, to compare with by `tilestrike infer --expect`. Styles: `x86`, torchao's
own quantiser for x86 (uint8 activations); `mobile`, int8 activations at both inputs of an addition
and around pooling. Needs torchao 0.18 (`pip install --no-deps torchao==0.18.*`); without it the
script ends with code 77.
"""

import argparse
import pathlib
import sys

import numpy
import torch

import fashion_mnist
import train_zoo

MISSING = 77
CALIBRATION_IMAGES = 512
BATCH = 100


def mobile_quantizer():
    """Every operator that has an integer form, between int8 activations."""
    from torchao.quantization.pt2e import HistogramObserver, PerChannelMinMaxObserver
    from torchao.quantization.pt2e.quantizer import (
        QuantizationAnnotation,
        QuantizationSpec,
        Quantizer,
        SharedQuantizationSpec,
    )

    activation = QuantizationSpec(
        dtype=torch.int8, observer_or_fake_quant_ctr=HistogramObserver, quant_min=-128,
        quant_max=127, qscheme=torch.per_tensor_affine, is_dynamic=False)
    weight = QuantizationSpec(
        dtype=torch.int8, observer_or_fake_quant_ctr=PerChannelMinMaxObserver, quant_min=-127,
        quant_max=127, qscheme=torch.per_channel_symmetric, ch_axis=0, is_dynamic=False)
    aten = torch.ops.aten
    products = (aten.conv2d.default, aten.linear.default)
    activations = (aten.relu.default, aten.relu_.default, aten.hardtanh.default,
                   aten.hardtanh_.default, aten.relu6.default)
    additions = (aten.add.Tensor, aten.add_.Tensor)
    pools = (aten.avg_pool2d.default, aten.adaptive_avg_pool2d.default, aten.mean.dim)
    same_scale = (aten.max_pool2d.default, aten.flatten.using_ints, aten.view.default,
                  aten.reshape.default, aten.permute.default, aten.pad.default)

    class MobileQuantizer(Quantizer):
        def annotate(self, model):
            for node in model.graph.nodes:
                inputs = {}
                if node.target in products:
                    inputs = {node.args[0]: activation, node.args[1]: weight}
                elif node.target in additions:
                    inputs = {arg: activation for arg in node.args[:2]}
                elif node.target in pools:
                    inputs = {node.args[0]: activation}
                elif node.target == aten.cat.default:
                    inputs = {arg: activation for arg in node.args[0]}
                elif node.target in same_scale:
                    inputs = {node.args[0]: activation}
                    output = SharedQuantizationSpec((node.args[0], node))
                    node.meta["quantization_annotation"] = QuantizationAnnotation(
                        input_qspec_map=inputs, output_qspec=output, _annotated=True)
                    continue
                else:
                    continue
                users = list(node.users)
                fused = len(users) == 1 and users[0].target in activations
                node.meta["quantization_annotation"] = QuantizationAnnotation(
                    input_qspec_map=inputs, output_qspec=None if fused else activation,
                    _annotated=True)
                if fused:
                    users[0].meta["quantization_annotation"] = QuantizationAnnotation(
                        output_qspec=activation, _annotated=True)
            return model

        def validate(self, model):
            pass

    return MobileQuantizer()


def x86_quantizer():
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    quantizer = x86.X86InductorQuantizer()
    return quantizer.set_global(x86.get_default_x86_inductor_quantization_config())


def quantised(model, quantizer, images):
    from torchao.quantization.pt2e import move_exported_model_to_eval
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    shapes = ({0: torch.export.Dim("batch", min=1, max=4096)},)
    program = torch.export.export(model.eval(), (images[:2],), dynamic_shapes=shapes)
    prepared = prepare_pt2e(program.module(), quantizer)
    for first in range(0, len(images), BATCH):
        prepared(images[first:first + BATCH])
    converted = convert_pt2e(prepared)
    move_exported_model_to_eval(converted)
    return torch.export.export(converted, (images[:2],), dynamic_shapes=shapes)


def export(model, style, calibration, images, stem):
    """Quantises, and writes STEM.pt2 and its logits of `images`, STEM.npy."""
    quantizer = {"x86": x86_quantizer, "mobile": mobile_quantizer}[style]()
    with torch.no_grad():
        program = quantised(model, quantizer, calibration)
        module = program.module()
        logits = torch.cat([module(images[i:i + BATCH]) for i in range(0, len(images), BATCH)])
    stem.parent.mkdir(parents=True, exist_ok=True)
    torch.export.save(program, f"{stem}.pt2")
    numpy.save(f"{stem}.npy", logits.numpy())


def needs_torchao():
    try:
        import torchao  # noqa: F401
    except ImportError:
        print("SKIPPED: no torchao (pip install --no-deps torchao==0.18.*)", file=sys.stderr)
        sys.exit(MISSING)
    torch.set_num_threads(1)
    torch.manual_seed(1)


def images_of(part, count):
    return torch.from_numpy(fashion_mnist.load(part)[0][:count])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=("lenet5", "resnet8"), required=True)
    parser.add_argument("--style", choices=("x86", "mobile"), required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--zoo", type=pathlib.Path, default=pathlib.Path("zoo"))
    parser.add_argument("--images", type=int, default=1000)
    arguments = parser.parse_args()
    needs_torchao()
    model = {"lenet5": train_zoo.LeNet5, "resnet8": train_zoo.ResNet8}[arguments.model]()
    trained = torch.export.load(arguments.zoo / f"{arguments.model}.pt2")
    model.load_state_dict(trained.state_dict)
    stem = arguments.out / f"{arguments.model}_{arguments.style}"
    images = images_of("test", arguments.images)
    export(model, arguments.style, images_of("train", CALIBRATION_IMAGES), images, stem)
    print(f"{stem.name}: {len(images)} images")


if __name__ == "__main__":
    main()

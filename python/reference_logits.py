# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""PyTorch's own answer of a .pt2 archive, to set beside `tilestrike infer`.

    python python/reference_logits.py MODEL.pt2 --images x.npy --out y.npy
    python python/reference_logits.py MODEL.pt2 --images ids.npy --images mask.npy \\
        --output logits --out y.npy

Images are float32 (N, C, H, W), logits float32 (N, classes); several inputs come in the order of
the model's arguments, with a row of each for each inference. One thread, and parameters that
require no gradients: where a weight does, PyTorch computes some products in another way.
"""

import argparse

import numpy
import torch


def chosen(answer, output):
    """The part that a path of keys and places leads to, such as "logits" or "1.0"."""
    for key in [] if output is None else output.split("."):
        try:
            answer = answer[key] if isinstance(answer, dict) else answer[int(key)]
        except (KeyError, ValueError, IndexError):
            raise SystemExit(f"--output {output}: the model returns no '{key}' there") from None
    if not isinstance(answer, torch.Tensor):
        names = list(answer) if isinstance(answer, dict) else list(range(len(answer)))
        raise SystemExit(f"the model returns several tensors; add --output, one of {names}")
    return answer


@torch.inference_mode()
def logits(model, inputs, batch, output=None):
    """Runs the archive at path `model` over the arrays `inputs`, `batch` rows at a time."""
    torch.set_num_threads(1)
    module = torch.export.load(model).module().requires_grad_(False)
    parts = zip(*(torch.from_numpy(array).split(batch) for array in inputs))
    return torch.cat([chosen(module(*part), output) for part in parts]).numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", metavar="MODEL.pt2")
    parser.add_argument("--images", required=True, metavar="x.npy", action="append",
                        help="once for each input of the model, in their order")
    parser.add_argument("--out", required=True, metavar="y.npy")
    parser.add_argument("--output", help="of several outputs: key or place, such as logits or 1.0")
    parser.add_argument("--batch", type=int, default=100,
                        help="images at a time (default: 100); the last bits depend on it")
    options = parser.parse_args()
    answer = logits(options.model, [numpy.load(path) for path in options.images], options.batch,
                    options.output)
    numpy.save(options.out, answer)
    print(f"{options.out}: {answer.dtype} {answer.shape}")


if __name__ == "__main__":
    main()

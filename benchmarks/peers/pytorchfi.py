# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""What do k weight-bit flips cost with PyTorchFI, and what with TileStrike?

    python3 benchmarks/peers/pytorchfi.py [--env build/peers/pytorchfi] [--batches 1 32]
        [--faults 100 1000 10000 100000] [--ways values function] [--repeats 5]

Installs PyTorchFI, torchvision and the torch of python/requirements.txt into an environment of its
own (--env; TILESTRIKE_TORCH_INDEX names a package index for torch), and runs in it, with one
thread: ResNet-18 at 224 x 224, k flips of different weights' bits, one inference, the flips gone
again; beside the plain inference, in turn. Prints the ratio of the medians and nanoseconds per
fault. Where build/release/bin/ts_benchmarks is built, its `flips` benchmarks run afterwards and
stand in the same table. benchmarks/peers/README.md says what is measured and what came out.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BENCHMARKS = ROOT / "build/release/bin/ts_benchmarks"
INSIDE = "TILESTRIKE_PEER_ENVIRONMENT"  # set in the environment's own process
PACKAGES = ("pytorchfi==0.6.0", "torchvision==0.28.0")  # their own needs would change torch


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--env", type=pathlib.Path, default=ROOT / "build/peers/pytorchfi",
                        help="folder of the environment (default: build/peers/pytorchfi)")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32], metavar="N")
    parser.add_argument("--faults", type=int, nargs="+", default=[100, 1000, 10_000, 100_000],
                        metavar="K")
    parser.add_argument("--ways", nargs="+", choices=("values", "function"), default=["values"],
                        help="of declaring the faults (benchmarks/peers/README.md)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-ours", action="store_true", help="leave out TileStrike's benchmarks")
    return parser.parse_args()


def make_environment(folder):
    """Creates the environment if it is not whole yet; returns its Python."""
    python = folder / "bin/python"
    whole = folder / "whole"
    wanted = "\n".join(PACKAGES)
    if not (whole.is_file() and whole.read_text() == wanted):
        print(f"installing into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        needs = (ROOT / "python/requirements.txt").read_text().split()
        torch = next(line for line in needs if line.startswith("torch=="))
        index = os.environ.get("TILESTRIKE_TORCH_INDEX")
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *(["--index-url", index] if index else []), torch], check=True)
        subprocess.run([*pip, "numpy", "pillow"], check=True)
        subprocess.run([*pip, "--no-deps", *PACKAGES], check=True)
        whole.write_text(wanted)
    return python


class Peer:
    """ResNet-18 under PyTorchFI's weight faults."""

    def __init__(self, batch):
        import torch
        from pytorchfi.core import fault_injection
        sys.path.insert(0, str(ROOT / "python"))
        from export_torchvision import import_torchvision
        self.torch = torch
        torch.set_num_threads(1)
        torch.manual_seed(1)
        self.model = import_torchvision().models.resnet18(weights=None).eval()
        self.images = torch.randn(batch, 3, 224, 224)
        kinds = [torch.nn.Conv2d, torch.nn.Linear]
        with torch.no_grad():
            self.injector = fault_injection(self.model, batch, input_shape=[3, 224, 224],
                                            layer_types=kinds, use_cuda=False)
        self.weights = [module.weight.detach() for module in self.model.modules()
                        if isinstance(module, tuple(kinds))]
        self.flat = torch.cat([weight.flatten() for weight in self.weights])

    def draw(self, count):
        """Words without repetition, a bit for each, and the words as PyTorchFI names them."""
        torch = self.torch
        words = torch.randperm(len(self.flat))[:count].sort().values
        bits = torch.randint(0, 32, (count,))
        flips = (torch.ones(count, dtype=torch.int64) << bits).to(torch.int32)
        place = {"layer_num": [], "k": [], "dim1": [], "dim2": [], "dim3": []}
        first = 0
        for layer, weight in enumerate(self.weights):
            inside = words[(words >= first) & (words < first + weight.numel())] - first
            indices = [column.tolist() for column in torch.unravel_index(inside, weight.shape)]
            indices += [[None] * len(inside)] * (4 - weight.dim())
            place["layer_num"] += [layer] * len(inside)
            for name, column in zip(("k", "dim1", "dim2", "dim3"), indices):
                place[name] += column
            first += weight.numel()
        return words, flips, place

    def struck_model(self, way, words, flips, place):
        torch = self.torch
        if way == "values":
            values = (self.flat[words].view(torch.int32) ^ flips).view(torch.float32).tolist()
            return self.injector.declare_weight_fi(value=values, **place)
        next_flip = iter(flips)  # it strikes layer after layer, each in the order of the list

        def flip(weight, index):
            return (weight[index].view(torch.int32) ^ next(next_flip)).view(torch.float32)
        return self.injector.declare_weight_fi(function=flip, **place)

    def infer(self, model):
        with self.torch.inference_mode():
            return model(self.images)

    def check(self, way, drawn):
        """The flips are there, all of them and no other; afterwards the weights are as before."""
        struck = self.struck_model(way, *drawn)
        after = self.torch.cat([module.weight.detach().flatten() for module in struck.modules()
                                if isinstance(module, (self.torch.nn.Conv2d,
                                                       self.torch.nn.Linear))])
        changed = after.view(self.torch.int32) != self.flat.view(self.torch.int32)
        if not self.torch.equal(changed.nonzero().flatten(), drawn[0]):
            raise SystemExit(f"PyTorchFI changed {int(changed.sum())} words instead of "
                             f"{len(drawn[0])}")

    def measure(self, way, count, repeats):
        drawn = self.draw(count)
        self.check(way, drawn)
        golden = self.infer(self.model)
        plain, struck, striking = [], [], []
        for _ in range(repeats):
            start = time.perf_counter()
            self.infer(self.model)
            plain.append(time.perf_counter() - start)
            start = time.perf_counter()
            model = self.struck_model(way, *drawn)
            declared = time.perf_counter()
            self.infer(model)
            inferred = time.perf_counter()
            self.injector.fi_reset()  # which forgets its copy of the model
            del model
            end = time.perf_counter()
            struck.append(end - start)
            striking.append(declared - start + end - inferred)
        if not self.torch.equal(self.infer(self.model), golden):
            raise SystemExit("the weights are not as they were before the faults")
        plain, struck, striking = map(statistics.median, (plain, struck, striking))
        return {"who": f"PyTorchFI, {way}", "batch": len(self.images), "faults": count,
                "ratio": struck / plain, "ns_per_fault": 1e9 * striking / count,
                "ms_inference": 1e3 * plain}


def ours(options):
    """The rows of TileStrike's own benchmarks that stand beside the peer's."""
    output = subprocess.run([BENCHMARKS, "--benchmark_filter=^flips", "--benchmark_format=json"],
                            env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True,
                            capture_output=True, text=True).stdout
    for result in json.loads(output)["benchmarks"]:
        name = re.match(r"flips_(?:b(\d+)|table/(\d+))", result["name"])
        if name is None or result.get("run_type", "iteration") != "iteration":
            continue
        batch = int(name[1] or 1)
        faults = int(name[2] or 100_000)
        if batch in options.batches and faults in options.faults:
            yield {"who": "TileStrike", "batch": batch, "faults": faults,
                   **{key: result[key] for key in ("ratio", "ns_per_fault", "ms_inference")}}


def print_row(row):
    print(f"| {row['who']} | {row['batch']} | {row['faults']:,} | {row['ratio']:.3f} | "
          f"{row['ns_per_fault']:,.0f} | {row['ms_inference']:.0f} |", flush=True)


def main():
    options = parse_options()
    if INSIDE not in os.environ:
        python = make_environment(options.env.absolute())
        environment = {**os.environ, INSIDE: "1", "OMP_NUM_THREADS": "1"}
        os.execve(python, [python, __file__, *sys.argv[1:]], environment)
    sys.path.pop(0)  # this file has the name of the package that it measures
    print("| who | batch | faults | struck / plain | ns per fault | plain inference, ms |\n"
          "|---|---|---|---|---|---|")
    for batch in options.batches:
        peer = Peer(batch)
        for way in options.ways:
            for count in options.faults:
                print_row(peer.measure(way, count, options.repeats))
    if options.no_ours:
        return
    if BENCHMARKS.is_file():
        for row in ours(options):
            print_row(row)
    else:
        print(f"{BENCHMARKS} is not built: cmake --build --preset release --target ts_benchmarks",
              file=sys.stderr)


if __name__ == "__main__":
    main()

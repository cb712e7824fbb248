# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Random small programs over PyTorch's operators, against PyTorch itself.

    python tests/dnn/fuzz_models.py --tilestrike build/release/bin/tilestrike --seconds 600 --seed 1

Program k of a seed is the same on every machine. Each draws some thirty steps (element types,
broadcasting, views, writes in place, parameters that are used several times) on three inputs,
is exported, and half of them decomposed. In float the answer must have PyTorch's bits, or be
refused in one sentence. In int8 it must be computed or refused, every integer layer as
check_dump.py computes it with NumPy; where no step jumps, it must be as near to float's as noise of
the size of the scales at every step brings it. What fails stays in --keep as program_SEED_K.pt2
with its inputs, and the steps are printed. Exit status: 0 nothing was found; 1 something was.
"""

import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
import torch

from random_programs import ROWS, Maker

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NOISE_DRAWS, NOISE_MARGIN = 6, 12.0


class Fuzz:
    def __init__(self, tilestrike, keep):
        self.tilestrike, self.keep = tilestrike, keep
        self.counts = collections.Counter()
        self.reasons = collections.Counter()
        self.found = 0

    def run(self, arguments):
        done = subprocess.run(
            [self.tilestrike, *arguments],
            capture_output=True,
            text=True,
            env={"OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin", "TILESTRIKE_ROOT": str(ROOT)},
            timeout=300,
        )
        return done.returncode, (done.stdout + done.stderr).strip()

    def report(self, name, program, what):
        self.found += 1
        print(f"FOUND {name}: {what}", flush=True)
        for k, step in enumerate(program.steps):
            print(f"   {k + 3}: {step.name} {step.operands} {step.module or ''}")

    def try_one(self, seed, k, folder):
        name = f"program_{seed}_{k}"
        program, inputs = Maker(f"{seed} {k}").make()
        batch = torch.export.Dim("batch", min=1)
        try:
            with torch.no_grad():
                exported = torch.export.export(
                    program,
                    tuple(one[:2].clone() for one in inputs),
                    dynamic_shapes=({0: batch}, {0: batch}, {0: batch}),
                )
                if k % 2 == 1:
                    exported = exported.run_decompositions()
                answer = exported.module()(*[one.clone() for one in inputs])
        except Exception as error:  # noqa: BLE001  torch's own refusals are many
            self.counts["not exported"] += 1
            self.reasons["export: " + str(error).split("\n")[0][:60]] += 1
            return
        model = folder / f"{name}.pt2"
        torch.export.save(exported, model)
        given = []
        for key, tensor in zip("xsi", inputs):
            numpy.save(folder / f"{name}_{key}.npy", tensor.numpy())
            given.append(f"{key}={folder / name}_{key}.npy")
        numpy.save(folder / f"{name}_y.npy", answer.numpy())
        found = self.found
        images = [text for one in given for text in ("--images", one)]
        self.check_float(name, program, inputs, folder, images)
        self.check_int8(name, program, inputs, answer, folder, images)
        for file in folder.glob(f"{name}*"):
            if self.found > found and file.is_file():
                file.rename(self.keep / file.name)
            elif file.is_file():
                file.unlink()

    def check_float(self, name, program, inputs, folder, images):
        out = folder / "out.npy"
        status, text = self.run(
            [
                "infer",
                str(folder / f"{name}.pt2"),
                *images,
                "--out",
                str(out),
                "--expect",
                str(folder / f"{name}_y.npy"),
            ]
        )
        if status == 0:
            self.counts["float equal"] += 1
        elif status == 1:
            found, expected = numpy.load(out), numpy.load(folder / f"{name}_y.npy")
            column = int(numpy.argwhere((found != expected).any(0))[0, 0])
            pool = program.replay([one.clone() for one in inputs])
            for k in program.chosen:
                column -= pool[k].numel() // ROWS
                if column < 0:
                    break
            self.report(
                name, program, f"float differs, first in value {k}: {text.splitlines()[-1]}"
            )
        elif status == 2 and "\n" not in text.strip():
            self.counts["float refused"] += 1
            self.reasons[self.kind_of(text)] += 1
        else:
            self.report(name, program, f"float ended with {status}: {text[-500:]}")

    @staticmethod
    def kind_of(text):
        return text.split(": ", 3)[-1].split(" in layer")[0][:60] + " ..." + text[-60:]

    def check_int8(self, name, program, inputs, answer, folder, images):
        out, dump = folder / "out8.npy", folder / "dump"
        status, text = self.run(
            [
                "infer",
                str(folder / f"{name}.pt2"),
                *images,
                "--int8",
                "--out",
                str(out),
                "--dump",
                str(dump),
            ]
        )
        if status == 2 and len(text.splitlines()) == 1:
            self.counts["int8 refused"] += 1
            self.reasons["int8: " + self.kind_of(text)] += 1
            return
        if status != 0:
            self.report(name, program, f"int8 ended with {status}: {text[-500:]}")
            return
        self.counts["int8 ran"] += 1
        checked = subprocess.run(
            [sys.executable, ROOT / "python" / "check_dump.py", dump],
            capture_output=True,
            text=True,
        )
        has_integer_layers = "no layer with integers" not in checked.stderr
        if checked.returncode != 0 and has_integer_layers:
            self.report(name, program, f"int8 layers differ from NumPy's: {checked.stdout[-400:]}")
        if program.jumps:
            return
        self.counts["int8 compared"] += 1
        self.compare_int8(name, program, inputs, answer, torch.from_numpy(numpy.load(out)))

    def compare_int8(self, name, program, inputs, answer, found):
        generator = torch.Generator().manual_seed(1)

        def noise(value):
            step = value.abs().max() / 127
            return (torch.rand(value.shape, generator=generator) - 0.5) * 2 * step

        bound = torch.zeros_like(answer)
        for _ in range(NOISE_DRAWS):
            x, s, i = (one.clone() for one in inputs)
            pool = program.replay([x + noise(x), s + noise(s), i], noise)
            bound = torch.maximum(bound, (program.answer(pool) - answer).abs())
        column = 0
        joined = float(answer.abs().max()) / 254  # all values leave in one tensor, of one scale
        pool = program.replay([one.clone() for one in inputs])
        for k in program.chosen:
            width = pool[k].numel() // ROWS
            part = slice(column, column + width)
            column += width
            allowed = (
                NOISE_MARGIN * float(bound[:, part].max())
                + 0.05 * float(answer[:, part].abs().max())
                + joined
                + 1e-3
            )
            error = float((found[:, part] - answer[:, part]).abs().max())
            if not error <= allowed:
                self.report(
                    name,
                    program,
                    f"int8 is {error:.3g} from float in value {k}, where noise "
                    f"allows {allowed:.3g}",
                )
                return


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tilestrike", default=str(ROOT / "build/release/bin/tilestrike"))
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--programs", type=int, default=1 << 30)
    parser.add_argument("--first", type=int, default=0, help="the first program of the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("fuzz-finds"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.keep.mkdir(parents=True, exist_ok=True)
    fuzz = Fuzz(options.tilestrike, options.keep)
    end, k = time.monotonic() + options.seconds, options.first
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end and k < options.first + options.programs:
            fuzz.try_one(options.seed, k, pathlib.Path(folder))
            k += 1
    print(
        f"seed {options.seed}, programs {options.first} to {k - 1}: {dict(fuzz.counts)}, "
        f"{fuzz.found} found"
    )
    for reason, count in fuzz.reasons.most_common(20):
        print(f"   {count} x {reason}")
    sys.exit(1 if fuzz.found else 0)


if __name__ == "__main__":
    main()

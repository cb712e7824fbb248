# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Which networks of the usual libraries are imported, and are the answers PyTorch's?

    python python/import_coverage.py --out DIR [--only GLOB ...] [--family torchvision timm ...]
                                     [--largest 1e8] [--markdown FILE] [--list]

Builds each network with seeded random weights and small inputs, exports it to DIR, and runs
`tilestrike infer` on it in float and in int8 beside PyTorch's own answer: one thread, the same
batch, parameters that require no gradients. A network that is refused as it was exported is tried
once more after run_decompositions(). Exported files are kept, so that a second run only compares.
Prints a line for each network, and counts at the end; `--markdown docs/networks.md` writes both
into that page.

Libraries that are not installed are left out, with a line. The program is that of the environment
variable TILESTRIKE, else what the release preset builds. Needs about 1 GB of disk for each hundred
million parameters.
"""

import argparse
import contextlib
import dataclasses
import fnmatch
import json
import logging
import os
import pathlib
import subprocess
import time
import warnings

import numpy
import torch

import networks

PROGRAM = pathlib.Path(os.environ.get("TILESTRIKE", pathlib.Path(__file__).resolve().parent.parent /
                                      "build/release/bin/tilestrike"))
SECONDS = 900  # that one command may take
NOT_EXPORTED = "not exported"
MARK = "<!-- from here on written by import_coverage.py -->"


@dataclasses.dataclass
class Row:
    """What became of one network. `exported`: any batch, fixed batch, decomposed, or why not."""
    name: str
    family: str
    parameters: int = 0
    exported: str = ""
    imported: str = ""   # empty: refused
    int8: str = ""       # empty: refused
    refused: str = ""    # why, in the program's words

    def line(self):
        return (f"{self.family}/{self.name}: {self.parameters:,} parameters, {self.exported}; "
                f"float: {self.imported or '-'}; int8: {self.int8 or '-'}"
                + (f"; {self.refused}" if self.refused else ""))


def decompose(network, folder, inputs):
    """Writes decomposed.pt2 and its answer, unless they are there."""
    if not (folder / "decomposed.pt2").is_file():
        program = torch.export.load(folder / "model.pt2").run_decompositions()
        rows = [torch.from_numpy(numpy.load(folder / f"x{index}.npy")) for index in range(inputs)]
        numpy.save(folder / "y_decomposed.npy", networks.answer_of(program, rows, network.output))
        torch.export.save(program, folder / "decomposed.pt2")


def infer(network, folder, inputs, model, answer, *options):
    """What `tilestrike infer` says: (report or None, the reason of a refusal)."""
    command = [PROGRAM, "infer", folder / model, "--json", "--expect", folder / answer, *options]
    for index in range(inputs):
        command += ["--images", folder / f"x{index}.npy"]
    if network.output:
        command += ["--output", network.output]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS,
                              env={**os.environ, "OMP_NUM_THREADS": "1"})
    except subprocess.TimeoutExpired:
        return None, f"took more than {SECONDS} s"
    if done.returncode in (0, 1) and done.stdout.startswith("{"):
        return json.loads(done.stdout), ""
    words = " ".join(done.stderr.split()).replace(str(folder) + "/", "")
    return None, words[:400] or f"ended with status {done.returncode}"


def compare(network, folder):
    """The row of one network, which is exported first where it is not yet."""
    row = Row(network.name, network.family)
    try:
        found = networks.export(network, folder)
    except Exception as error:  # the library or torch.export: not TileStrike's to answer for
        row.exported = f"{NOT_EXPORTED} by PyTorch ({type(error).__name__}: " \
                       f"{' '.join(str(error).split())[:200]})"
        return row
    row.parameters, row.exported = found["parameters"], found["exported"]
    form = ("model.pt2", "y.npy")
    report, why = infer(network, folder, found["inputs"], *form)
    if report is None:
        try:
            decompose(network, folder, found["inputs"])
            form = ("decomposed.pt2", "y_decomposed.npy")
            report, _ = infer(network, folder, found["inputs"], *form)
        except Exception as error:
            why += f"; decomposition: {type(error).__name__}"
    if report is None:
        row.refused = why
        return row
    if form[0] != "model.pt2":
        row.exported += ", decomposed"
    row.imported = "equal bits" if report["different_logits"] == 0 else \
        f"{report['largest_relative_difference']:.1e}"
    report, why = infer(network, folder, found["inputs"], *form, "--int8")
    if report is None:
        row.refused = f"int8: {why}"
    else:
        row.int8 = f"{report['largest_relative_difference']:.1e}"
    return row


def summary(rows):
    lines = []
    for family in dict.fromkeys(row.family for row in rows):
        of = [row for row in rows if row.family == family]
        here = [row for row in of if not row.exported.startswith(NOT_EXPORTED)]
        lines.append(f"{family}: {len(of)} networks, {len(of) - len(here)} not exported by PyTorch,"
                     " "
                     f"{sum(bool(row.imported) for row in here)} imported "
                     f"({sum(row.imported == 'equal bits' for row in here)} with equal bits), "
                     f"{sum(bool(row.int8) for row in here)} quantised to int8, "
                     f"{sum(not row.imported for row in here)} refused")
    return lines


def markdown(rows):
    lines = ["| network | parameters | export | float, from PyTorch | int8, from float | refused |",
             "|---|---|---|---|---|---|"]
    for row in rows:
        refused = row.refused.replace("|", "\\|")
        lines.append(f"| {row.family} {row.name} | {row.parameters:,} | {row.exported} | "
                     f"{row.imported or '-'} | {row.int8 or '-'} | {refused} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("out/import_coverage"))
    parser.add_argument("--only", nargs="+", default=["*"], metavar="GLOB", help="of names")
    parser.add_argument("--family", nargs="+", metavar="NAME", help="such as torchvision or timm")
    parser.add_argument("--largest", type=float, default=1e8,
                        help="leave out networks of more parameters (default: 1e8)")
    parser.add_argument("--markdown", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--export-only", action="store_true", help="compare nothing")
    parser.add_argument("--list", action="store_true", help="print the names")
    options = parser.parse_args()

    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    chosen = [network for network in networks.all_networks(options.family)
              if any(fnmatch.fnmatch(network.name, glob) for glob in options.only)
              and network.parameters <= options.largest]
    rows = []
    for network in chosen:
        if options.list:
            print(f"{network.family}/{network.name}")
            continue
        began = time.monotonic()
        folder = options.out / network.family / network.name
        if options.export_only:
            with contextlib.suppress(Exception):
                networks.export(network, folder)
        else:
            rows.append(compare(network, folder))
            print(f"{rows[-1].line()}; {time.monotonic() - began:.0f} s", flush=True)
    print("\n".join(summary(rows)))
    if options.markdown:
        page = options.markdown.read_text(encoding="utf-8") if options.markdown.is_file() else ""
        options.markdown.write_text(page.split(MARK)[0] + MARK + "\n\n" + "\n".join(
            f"- {line}" for line in summary(rows)) + "\n\n" + markdown(rows), encoding="utf-8")


if __name__ == "__main__":
    main()

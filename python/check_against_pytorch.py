# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Strikes the tensors of many small networks, and applies each drawn fault again in PyTorch.

    python python/check_against_pytorch.py --out DIR [--only GLOB ...] [--family own timm ...]
                                           [--trials 40]

For each network and number format one campaign on its constants (weights, biases, norms, other
parameters) and one on its activations go through `tilestrike run`. Each fault that the results file
names (tensor, word, bit) is then made in the exported program: in the memory of the parameter of
that name, or in what the node of that layer computes. Every answer is compared: one for each trial
and image. Formats: float32; bfloat16 as the scenario's `format`; bfloat16 models; int8 weights
times a scale (the network weight_only). Exit status 1 where an answer is wrong.

Exported files are kept in DIR, as import_coverage.py keeps its own.
"""

import argparse
import collections
import dataclasses
import fnmatch
import json
import logging
import os
import pathlib
import re
import subprocess
import sys
import warnings

import numpy
import torch

import networks
import tilestrike

PROGRAM = pathlib.Path(os.environ.get("TILESTRIKE", pathlib.Path(__file__).resolve().parent.parent /
                                      "build/release/bin/tilestrike"))
CONSTANTS = {"weight": "weights", "bias": "biases", "normalisation": "normalisation",
             "parameter": "parameters", "buffer": "buffers"}
WORDS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
CLOSE = {"float32": 1e-4, "bfloat16": 0.02}  # of the largest logit: sums in another order

# The importer's names of operators that a decomposed program has under others.
SAME = {"convolution": "conv", "conv1d": "conv", "conv2d": "conv", "conv3d": "conv",
        "_softmax": "softmax", "native_layer_norm": "layer_norm", "_unsafe_view": "view",
        "_native_batch_norm_legit_no_training": "batch_norm",
        "max_pool2d_with_indices": "max_pool2d"}


@dataclasses.dataclass
class Count:
    equal: int = 0
    close: int = 0
    wrong: int = 0
    skipped: int = 0  # trials whose place has no node or tensor of that name
    unknown: set = dataclasses.field(default_factory=set)

    def outcomes(self):
        return self.equal + self.close + self.wrong


class Struck(torch.fx.Interpreter):
    """Runs a program with faults in what its nodes compute: {node: [(image, word, bit)]}.

    With `rounds_to` each result is rounded to that type, as a format stores it.
    """

    def __init__(self, module, rounds_to=None):
        super().__init__(module)
        self.rounds_to = rounds_to
        self.faults = {}

    def run_node(self, n):
        result = super().run_node(n)
        if self.rounds_to is not None and n.op == "call_function":
            result = torch.utils._pytree.tree_map(self._rounded, result)
        if n.name not in self.faults:
            return result
        first = result[0] if isinstance(result, (tuple, list)) else result
        first = first.clone()
        for image, word, bit in self.faults[n.name]:
            rows = first[image].contiguous()
            is_rounded = n.op == "call_function"  # images stay as they come in
            flip_stored(rows.view(-1), word, bit, self.rounds_to if is_rounded else None)
            first[image] = rows
        return (first, *result[1:]) if isinstance(result, (tuple, list)) else first

    def _rounded(self, value):
        if isinstance(value, torch.Tensor) and value.dtype is torch.float32:
            return value.to(self.rounds_to).float()
        return value


def flip(words, word, bit):
    """Flips a bit of a word of a flat tensor, in its memory."""
    whole = words.view(WORDS[words.element_size()])
    mask = 1 << bit
    top = 8 * words.element_size() - 1
    whole[word] ^= mask - (1 << (top + 1)) if bit == top else mask


def flip_stored(words, word, bit, stored_as):
    """The same, of words that a format stores as numbers of another type (None: as they are)."""
    if stored_as is None or words.dtype is not torch.float32:
        flip(words, word, bit)
    else:
        stored = words[word:word + 1].to(stored_as)
        flip(stored, 0, bit)
        words[word] = stored.float()[0]


class Program:
    """An exported network in PyTorch, with places for the faults that a results file names."""

    def __init__(self, folder, network, inputs, number_format):
        program = torch.export.load(folder / "model.pt2")
        self.module = program.module().requires_grad_(False)
        self.tensors = {**dict(self.module.named_parameters(remove_duplicate=False)),
                        **dict(self.module.named_buffers(remove_duplicate=False))}
        self.rounds_to = None if number_format == "float32" else torch.bfloat16
        if self.rounds_to is not None:
            for tensor in self.tensors.values():
                if tensor.dtype is torch.float32:
                    tensor.data.copy_(tensor.data.to(self.rounds_to).float())
        self.output = network.output
        given = network.inputs(torch.Generator().manual_seed(2))
        self.inputs = [torch.from_numpy(numpy.load(folder / f"x{index}.npy")).to(rows.dtype)
                       for index, rows in zip(range(inputs), given)]
        self.interpreter = Struck(self.module, self.rounds_to)
        self.placeholders = [node.name for node in self.module.graph.nodes
                             if node.op == "placeholder"]
        self.golden = self.answer()

    @torch.no_grad()
    def answer(self, faults=()):
        """Answers (N, ...) as float32, with faults (place, image or None, word, bit)."""
        self.interpreter.faults = collections.defaultdict(list)
        undo = []
        for place, image, word, bit in faults:
            if image is not None:
                self.interpreter.faults[place].append((image, word, bit))
                continue
            flat = flat_memory(self.tensors[place])
            undo.append((flat, word, flat[word].clone()))
            flip_stored(flat, word, bit, self.rounds_to)
        answer = self.interpreter.run(*(rows.clone() for rows in self.inputs))
        for flat, word, before in reversed(undo):
            flat[word] = before
        answer = answer if isinstance(answer, torch.Tensor) or self.output else answer[0]
        for key in self.output.split(".") if self.output else ():
            answer = answer[key] if isinstance(answer, collections.abc.Mapping) else \
                answer[int(key)]
        return answer.float().contiguous().numpy()

    def nodes(self, layers):
        """The node of each layer that has the same name of operator at the same place of their
        order; operators of which the program has more, or fewer, are left out."""
        ours, theirs = collections.defaultdict(list), collections.defaultdict(list)
        for node in self.module.graph.nodes:
            if node.op == "call_function":
                ours[operator(str(node.target))].append(node.name)
        for layer in layers:
            theirs[operator(layer["operator"])].append(layer["name"])
        found = {name: node for of in theirs if len(theirs[of]) == len(ours[of])
                 for name, node in zip(theirs[of], ours[of])}
        return {**dict(zip(self.input_names(), self.placeholders)), **found}

    def input_names(self):
        return ["input"] if len(self.placeholders) == 1 else \
            [f"input.{name}" for name in self.placeholders]


def flat_memory(tensor):
    """All words of a tensor in the order of its memory."""
    return torch.as_strided(tensor.data, (tensor.numel(),), (1,), tensor.data.storage_offset())


def operator(target):
    """aten.relu_.default -> relu: what is computed, whatever it is written to."""
    name = re.sub(r"^aten\.|\..*$", "", target).rstrip("_")
    return SAME.get(name, name)


def run(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    if done.returncode:
        raise RuntimeError(" ".join((done.stderr or done.stdout).split())[:300])
    return done.stdout


def campaign(folder, network, inputs, where, number_format, trials):
    """Runs a campaign; the results of tilestrike.load()."""
    tag = f"{'_'.join(where)}_{number_format}"
    images = "[" + ", ".join(f"x{index}.npy" for index in range(inputs)) + "]"
    lines = ["model: model.pt2", f"data: {{images: {images if inputs > 1 else 'x0.npy'}}}",
             "accelerator: none", "judge: relative_l2", f"format: {number_format}",
             "strike: {where: {" + ", ".join(f'{key}: "*"' for key in where) + "}, count: 1}",
             f"trials: {trials}"]
    lines += [f"output: {network.output}"] if network.output else []
    scenario = folder / f"{tag}.yaml"
    scenario.write_text("\n".join(lines) + "\n", encoding="utf-8")
    results = folder / f"{tag}.sqlite"
    for old in folder.glob(results.name + "*"):
        old.unlink()
    run("run", scenario, "--out", results)
    return tilestrike.load(results)


def compare(count, mine, golden, outcome, logits, close):
    """One answer: mine, of PyTorch, and what the results file has of it."""
    mine, golden = mine.ravel(), golden.ravel()
    if outcome == "nonfinite":
        is_right = not numpy.isfinite(mine).all()
        count.equal += is_right
        count.wrong += not is_right
        return
    theirs = golden if logits is None else logits
    scale = max(numpy.abs(mine[numpy.isfinite(mine)]).max(initial=0), 1e-30)
    if numpy.array_equal(mine.view(numpy.int32), theirs.view(numpy.int32)):
        count.equal += 1
    elif numpy.isfinite(mine).all() and numpy.abs(mine - theirs).max() <= close * scale:
        count.close += 1
    else:
        count.wrong += 1


def check(folder, network, number_format, trials):
    """One count for the constants and one for the activations of a network."""
    found = networks.export(network, folder)
    program = Program(folder, network, found["inputs"], number_format)
    options = ["--output", network.output] if network.output else []
    stores = json.loads(run("inspect", folder / "model.pt2", "--tensors", "--json", "--format",
                            number_format, *options))
    layers = json.loads(run("inspect", folder / "model.pt2", "--json", *options))
    nodes = program.nodes(layers)
    roles = {store["role"] for store in stores if "role" in store}
    close = CLOSE["float32" if number_format == "float32" and
                  program.golden.dtype == numpy.float32 and not is_bfloat16(program) else
                  "bfloat16"]
    counts = {}
    for kind, where in (("constants", [CONSTANTS[role] for role in CONSTANTS if role in roles]),
                        ("activations", ["activations"])):
        count = counts[kind] = Count()
        results = campaign(folder, network, found["inputs"], where, number_format, trials)
        faults = {trial: list(zip(of.register, of.word, of.bit))
                  for trial, of in results.faults.groupby("trial")}
        changed = {}
        if hasattr(results, "outcomes"):
            changed = {(row.trial, row.image): row for row in results.outcomes.itertuples()}
        for trial in results.trials.itertuples():
            image = int(trial.image) if kind == "activations" else None
            places = [((nodes if kind == "activations" else {name: name for name in
                                                             program.tensors}).get(name), name,
                       int(word), int(bit)) for name, word, bit in faults[trial.trial]]
            missing = {name for place, name, _, _ in places if place is None}
            if missing:
                count.skipped += 1
                count.unknown |= missing
                continue
            answers = program.answer([(place, image, word, bit) for place, _, word, bit in places])
            for row in range(len(answers)) if image is None else [image]:
                said = trial if image is not None else changed.get((trial.trial, row))
                outcome, logits = ("masked", None) if said is None else (said.outcome, said.logits)
                before = count.wrong
                compare(count, answers[row], program.golden[row], outcome, logits, close)
                if count.wrong > before:
                    print(f"  WRONG {network.name} {kind} trial {trial.trial}, {places}, row {row}:"
                          f" {outcome}, {None if logits is None else logits[:3]}, PyTorch "
                          f"{answers[row].ravel()[:3]}", flush=True)
    return counts


def is_bfloat16(program):
    return any(tensor.dtype is torch.bfloat16 for tensor in program.tensors.values())


def in_bfloat16(network):
    """The same network with bfloat16 parameters and inputs."""
    def inputs(generator):
        return tuple(rows.bfloat16() if rows.is_floating_point() else rows
                     for rows in network.inputs(generator))
    return dataclasses.replace(network, name=f"{network.name}_bfloat16",
                               make=lambda: network.make().bfloat16(), inputs=inputs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("out/against_pytorch"))
    parser.add_argument("--only", nargs="+", default=["*"], metavar="GLOB", help="of names")
    parser.add_argument("--family", nargs="+", metavar="NAME", default=["own", "transformers"])
    parser.add_argument("--kinds", nargs="+", default=["float32", "bfloat16", "model"],
                        help="float32, bfloat16 (the format), model (in bfloat16)")
    parser.add_argument("--trials", type=int, default=40, help="of a campaign (default: 40)")
    options = parser.parse_args()

    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    total, checked, failed = Count(), set(), []
    for network in networks.all_networks(options.family):
        if not any(fnmatch.fnmatch(network.name, glob) for glob in options.only):
            continue
        for kind in options.kinds:
            of = in_bfloat16(network) if kind == "model" else network
            tag = f"{network.family}/{network.name}, {kind}"
            try:
                counts = check(options.out / of.family / of.name, of,
                               "bfloat16" if kind == "bfloat16" else "float32", options.trials)
            except Exception as error:  # refused, or not exported: said, and the next
                failed.append(f"{tag}: {type(error).__name__}: {error}")
                print(failed[-1], flush=True)
                continue
            checked.add(network.name)
            for what, count in counts.items():
                print(f"{tag}, {what}: {count.equal} equal bits, {count.close} close, "
                      f"{count.wrong} wrong, {count.skipped} trials skipped"
                      + (f" ({', '.join(sorted(count.unknown)[:4])})" if count.unknown else ""),
                      flush=True)
                for field in ("equal", "close", "wrong", "skipped"):
                    setattr(total, field, getattr(total, field) + getattr(count, field))
    print(f"{total.outcomes()} outcomes of {len(checked)} networks: {total.equal} equal in every "
          f"bit, {total.close} close, {total.wrong} wrong; {total.skipped} trials skipped; "
          f"{len(failed)} campaigns refused")
    sys.exit(1 if total.wrong or not total.outcomes() else 0)


if __name__ == "__main__":
    main()

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks the rules of the sources that no compiler checks (CONTRIBUTING.md, "Rules").

    python3 scripts/lint.py [ROOT]

Prints one line per violation, file:line: rule. Exit status: 0 none; 1 some; 2 ROOT is no checkout.
"""

import pathlib
import re
import subprocess
import sys

# A room may include headers of these rooms (docs/architecture.md, "Rooms").
ROOMS = {
    "base": {"base"},
    "sim": {"base", "sim"},
    "dnn": {"base", "dnn"},
    "rtl": {"base", "sim", "rtl"},
    "bridge": {"base", "sim", "rtl", "dnn", "bridge"},
    "campaigns": {"base", "sim", "bridge", "campaigns"},
}
# Folders of a room, from the bottom up: none may include a later one.
FLOORS = {
    "sim": ["kernel", "mesh", "compare", "ecc", "memory", "core", "chip", "strikes",
            "platform"],
    "bridge": ["words", "accelerator", "layout", "schedule", "exposure", "effects", "trial",
               "reference", "study"],
    "campaigns": ["statistics", "pictures", "scenario", "plan", "results", "tally", "report",
                  "run", "correlate", "cli"],
}
# tests/ROOM and benchmarks/ may include what they test.
TORCH_ROOMS = ("dnn/", "bridge/", "tests/dnn/", "tests/bridge/", "benchmarks/")
TORCH = r"(ATen|c10|torch|caffe2)/"
CODE = (".h", ".cpp", ".cu", ".cuh", ".py", ".sh", ".sv", ".vlt", ".cpp.in")
CPP = (".h", ".cpp", ".cu", ".cuh")
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
MOST_LINES = 700
IN_ONE_FILE = {"python/tilestrike.py": 900}  # users copy it, so that it has no parts
MOST_COLUMNS = 100


def files_of(root):
    """Tracked and new files of the checkout, as paths relative to it."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=root, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in listed.split("\0") if name and (root / name).is_file())


def includes_of(lines):
    """(line number, form, header) of every include."""
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1], match[2]


def check_floor(name, header):
    """Says what is wrong where a file includes one of a floor above its own; else None."""
    room, floor, *rest = name.split("/") + [""]
    floors = FLOORS.get(room, [])
    target_room, target, *_ = header.split("/") + [""]
    if room != target_room or not floors or not rest[:-1] or floor == target:
        return None
    if target not in floors or floor not in floors:
        return f"name the floors of {name} and {header} in scripts/lint.py"
    if floors.index(target) > floors.index(floor):
        return f"{room}/{floor}/ lies below {room}/{target}/ and may not include {header}"
    return None


def check_includes(name, lines):
    room = name.split("/", 1)[0]
    for number, form, header in includes_of(lines):
        target = header.split("/", 1)[0]
        if room in ROOMS and form == '"' and target in ROOMS and target not in ROOMS[room]:
            yield number, f"{room}/ may not include {target}/: {header}"
        if form == '"' and (wrong := check_floor(name, header)):
            yield number, wrong
        if form == '"' and "/" not in header and name.endswith(CPP):
            yield number, f"name the room of the included header: {header}"
        if header == "torch/torch.h":
            yield number, "torch/torch.h takes half a minute to compile; include what is used"
        if re.match(TORCH, header):
            if not name.startswith(TORCH_ROOMS):
                yield number, f"LibTorch stays in dnn/ and bridge/: {header}"
            if name.startswith("dnn/cuda/") and not name.endswith(".cpp"):
                yield number, f"CUDA kernels take raw pointers and a stream: {header}"
        if re.match(r"(systemc|sysc/|tlm)", header) and not (
                name.startswith("sim/") and name.endswith(".cpp")):
            yield number, f"SystemC stays in the .cpp files of sim/: {header}"
        if (re.match(r"(V\w+\.h|verilated)", header) and not name.endswith(".cpp.in")
                and not name.startswith("examples/") and name != "rtl/verilated_registers.h"):
            yield number, f"Verilated headers stay in rtl/*.cpp.in: {header}"
        if (header.startswith("CLI/") and room == "campaigns"
                and name != "campaigns/cli/command_line.cpp"):
            yield number, f"CLI11 is used in campaigns/cli/command_line.cpp only: {header}"
        if header == "nlohmann/json.hpp" and name.endswith(".h"):
            yield number, "headers name JSON by nlohmann/json_fwd.hpp"
        if header.startswith("yaml-cpp/") and name != "base/yaml.cpp":
            yield number, f"YAML is read in base/yaml.cpp only: {header}"
        if header == "hdf5.h" and not name.startswith(("dnn/nir/hdf5_", "tests/dnn/nir_")):
            yield number, f"HDF5 is read in dnn/nir/hdf5_* only: {header}"


def check_text(name, lines):
    if name.endswith(CODE) or lines[:1] == ["#!/usr/bin/env bash"]:
        top = lines[1:3] if lines[:1] and lines[0].startswith("#!") else lines[:2]
        marks = ("SPDX-FileCopyrightText: TileStrike contributors",
                 "SPDX-License-Identifier: Apache-2.0")
        if len(top) < 2 or any(mark not in line for mark, line in zip(marks, top)):
            yield 1, "the two SPDX lines are missing at the top"
        most = IN_ONE_FILE.get(name, MOST_LINES)
        if len(lines) > most:
            yield most + 1, f"more than {most} lines; split the file"
        for number, line in enumerate(lines, 1):  # clang-format sees to the C++
            if len(line) > MOST_COLUMNS and not name.endswith(CPP):
                yield number, f"longer than {MOST_COLUMNS} columns"
    if name.endswith((".h", ".cuh")):
        if "#pragma once" not in lines:
            yield 1, "#pragma once is missing"
        for number, line in enumerate(lines, 1):
            if re.match(r"\s*using namespace\b", line):
                yield number, "no `using namespace` in a header"
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield number, "white space at the end of the line"
        if re.search(r"(?<![\w./-])/(home|root|work|Users)/\w", line):
            yield number, "a path of one machine"
        if name.endswith(CODE + (".md", ".yaml", ".txt")) and re.search(
                r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b", line):
            yield number, "unfinished; finish it, or file it"


def check_campaigns(root, names):
    """What campaigns/ includes, directly or not, is free of LibTorch."""
    reached, open_names = {}, [name for name in names if name.startswith("campaigns/")]
    while open_names:
        name = open_names.pop()
        if name in reached or not (root / name).is_file():
            continue
        reached[name] = True
        for number, form, header in includes_of((root / name).read_text().splitlines()):
            if form == '"':
                open_names.append(header)
            elif re.match(TORCH, header):
                yield name, number, f"campaigns/ sees this header, so it may not include {header}"


def violations(root):
    names = files_of(root)
    for name in names:
        try:
            lines = (root / name).read_text(encoding="utf-8").split("\n")
        except UnicodeDecodeError:
            continue  # a binary file
        if lines and lines[-1] == "":
            lines.pop()
        for check in (check_text, check_includes):
            for number, message in check(name, lines):
                yield name, number, message
        if name.endswith(".py"):
            try:
                compile("\n".join(lines), name, "exec")
            except SyntaxError as error:
                yield name, error.lineno or 1, f"not Python: {error.msg}"
    yield from check_campaigns(root, names)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    try:
        found = list(violations(root))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"lint: {root} is not a git checkout: {error}", file=sys.stderr)
        return 2
    for name, number, message in found:
        print(f"{name}:{number}: {message}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

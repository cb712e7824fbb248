# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""The golden master: what tiny campaigns of every kind give, kept as text.

    python3 tests/golden/golden.py PROGRAM [NAME...]           compares with expected/
    python3 tests/golden/golden.py PROGRAM [NAME...] --write   writes expected/ anew

For each scenarios/NAME.yaml: the summary as printed and as JSON, all rows of trials, outcomes and
faults, and the replay of some trials. A commit that changes expected/ says why. Numbers that are
not integers are kept to nine digits, answers (logits) to five. A float network's last bits belong
to the processor, or to what its libraries choose for it: here they take what every x86-64 has.
"""

import argparse
import difflib
import hashlib
import json
import os
import pathlib
import re
import sqlite3
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
REPLAYED = 3  # trials of each point: the first that were activated
MOST_LINES = 60  # of a replay; of what follows a hash
MOST_SHOWN = 60  # lines of a difference
ONE_PROCESSOR = {"MKL_CBWR": "COMPATIBLE", "ATEN_CPU_CAPABILITY": "default",
                 "ONEDNN_MAX_CPU_ISA": "SSE41"}
# Of the machine, the version or the moment.
VOLATILE = re.compile(r"^(results: |.* trials/s|wall|.* in \d+(\.\d+)? s\b)")


def cell(value, column):
    """One value of a row, as text."""
    if value is None:
        return "-"
    if column == "logits":
        floats = struct.unpack(f"<{len(value) // 4}f", value)
        return ",".join(f"{number:.5g}" for number in floats)
    if isinstance(value, float):
        return f"{value:.9g}"
    return str(value)


def table(connection, name, order, source=None):
    rows = connection.execute(f"SELECT * FROM {source or name} ORDER BY {order}")
    columns = [column[0] for column in rows.description]
    kept = [row for row in rows]
    # A column that holds nothing anywhere is left out, so that a new one changes no line.
    used = [i for i in range(len(columns)) if any(row[i] is not None for row in kept)]
    lines = [f"== {name}", "\t".join(columns[i] for i in used)]
    for row in kept:
        lines.append("\t".join(cell(row[i], columns[i]) for i in used))
    return lines


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [rounded(each) for each in value]
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return value


def run(program, *arguments, folder):
    made = subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=os.environ | ONE_PROCESSOR | {"TILESTRIKE_ROOT": str(HERE.parent.parent),
                                          "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if made.returncode != 0:
        sys.exit(f"error: {program} {' '.join(arguments)}\n{made.stdout}{made.stderr}")
    return made.stdout


def lines_of(program, name, folder):
    scenario = str(HERE / "scenarios" / f"{name}.yaml")
    results = f"{name}.sqlite"
    lines = ["== summary"]
    printed = run(program, "run", scenario, "--out", results, folder=folder)
    lines += [line for line in printed.splitlines() if not VOLATILE.match(line)]
    connection = sqlite3.connect(pathlib.Path(folder) / results)
    lines += table(connection, "trials", "scenario, trial", source="trials_wide")
    lines += table(connection, "outcomes", "scenario, trial, image")
    lines += table(connection, "faults", "scenario, trial, number")
    points = connection.execute("SELECT DISTINCT scenario FROM trials ORDER BY scenario").fetchall()
    for (point,) in points:
        trials = connection.execute(
            "SELECT trial FROM trials_wide WHERE scenario = ? AND activated ORDER BY trial LIMIT ?",
            (point, REPLAYED),
        ).fetchall()
        for (trial,) in trials:
            lines.append(f"== replay of trial {trial}, point {point}")
            story = run(
                program, "replay", results, "--scenario", str(point), "--trial", str(trial),
                folder=folder,
            ).splitlines()
            lines += story[:MOST_LINES]
            if len(story) > MOST_LINES:
                rest = "\n".join(story[MOST_LINES:])
                digest = hashlib.sha256(rest.encode()).hexdigest()[:16]
                lines.append(f"... {len(story) - MOST_LINES} lines more, {digest}")
    lines.append("== summary as JSON")
    printed = run(program, "run", scenario, "--out", results, "--json", folder=folder)
    lines += json.dumps(rounded(json.loads(printed)), indent=1).splitlines()
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("names", nargs="*", help="of scenarios; by default all")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    program = str(pathlib.Path(options.program).resolve())
    names = options.names or sorted(path.stem for path in (HERE / "scenarios").glob("*.yaml"))
    differ = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            now = lines_of(program, name, folder)
        expected = HERE / "expected" / f"{name}.txt"
        if options.write:
            expected.parent.mkdir(exist_ok=True)
            expected.write_text("\n".join(now) + "\n", encoding="utf-8")
            continue
        kept = expected.read_text(encoding="utf-8").splitlines() if expected.exists() else []
        difference = list(difflib.unified_diff(kept, now, str(expected), "now", lineterm="", n=0))
        if difference:
            differ.append(name)
            print("\n".join(line[:400] for line in difference[:MOST_SHOWN]))
            print(f"{name}: {len(difference)} lines of difference\n")
    if differ:
        sys.exit(
            f"error: not as in tests/golden/expected: {', '.join(differ)}; if that is meant, "
            "write it anew with --write, and say why in the commit"
        )


if __name__ == "__main__":
    main()

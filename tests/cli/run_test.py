# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of a text file and compares what they print.

    python3 run_test.py FILE.test PROGRAM

A file is a sequence of

    file: NAME            a file of the scratch folder, with the lines up to the next keyword
    $ command             run by bash in this folder; `tilestrike` is PROGRAM, $HERE is here, $SHOW
                          prints parts of JSON and of results files (show.py)
    exit: 2               expected exit code; 0 when it is not said
    stdout:               expected lines, up to the next keyword; none when it is not said
    stderr:               the same

Lines that start with # are comments. <...> in an expected line stands for any text; a line that is
nothing else stands for any number of lines. Exit status: 0 all as expected; 1 not.
"""

import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def blocks_of(text):
    """The commands of a test: dictionaries with command, line, files, exit, stdout, stderr."""
    blocks, section, files = [], None, {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("$ "):
            blocks.append({"command": line[2:], "line": number, "files": files, "exit": 0,
                           "stdout": [], "stderr": []})
            section, files = None, {}
        elif line.startswith("file: "):
            section = files[line[6:]] = []
        elif line.startswith("#") or (section is None and not line.strip()):
            continue
        elif line.startswith("exit: "):
            blocks[-1]["exit"] = int(line[6:])
        elif line in ("stdout:", "stderr:"):
            section = blocks[-1][line[:-1]]
        elif section is None:
            sys.exit(f"line {number}: '{line}' is neither a command nor expected output")
        else:
            section.append(line)
    for block in blocks:  # blank lines between blocks are layout
        for section in ("stdout", "stderr"):
            while block[section] and not block[section][-1].strip():
                block[section].pop()
    return blocks


def pattern_of(lines):
    pattern = ""
    for line in lines:
        if line == "<...>":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += "[^\n]*?".join(re.escape(part) for part in line.split("<...>")) + r"\s*\n"
    return re.compile(pattern + r"\s*")


def main():
    test, program = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    here = test.parent.resolve()
    failures = 0
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as programs:
        (pathlib.Path(programs) / "tilestrike").symlink_to(program)
        environment = dict(os.environ, PATH=f"{programs}:{os.environ['PATH']}",
                           HERE=str(here), PYTHON=sys.executable,
                           SHOW=f"{sys.executable} {here / 'show.py'}")
        for block in blocks_of(test.read_text(encoding="utf-8")):
            for name, lines in block["files"].items():
                text = "\n".join(lines).rstrip() + "\n"
                (pathlib.Path(scratch) / name).write_text(text, encoding="utf-8")
            done = subprocess.run(["bash", "-c", block["command"]], cwd=scratch, env=environment,
                                  capture_output=True, text=True, check=False)
            problems = []
            if done.returncode != block["exit"]:
                problems.append(f"exit code {done.returncode}, not {block['exit']}")
            for section, printed in (("stdout", done.stdout), ("stderr", done.stderr)):
                text = printed if printed.endswith("\n") or not printed else printed + "\n"
                if not pattern_of(block[section]).fullmatch(text):
                    problems.append(f"{section} (- expected, + printed):\n" + "\n".join(
                        difflib.unified_diff(block[section], text.splitlines(), lineterm="", n=1)))
            if problems:
                failures += 1
                print(f"{test.name}:{block['line']}: $ {block['command']}")
                print("\n".join(problems))
                if done.stderr and "stderr" not in " ".join(problems):
                    print("stderr: " + done.stderr)
    print(f"{test.name}: {failures} commands failed" if failures else f"{test.name}: all passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of this folder share."""

import importlib.util
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(os.environ["TILESTRIKE_ROOT"])


def modules(*names):
    """Ends the test as skipped where one of the modules is not installed."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        print(f"SKIPPED: not installed: {', '.join(missing)}")
        sys.exit(0)


def fashion_mnist():
    """Ends the test as skipped where the data set is not installed."""
    import fashion_mnist as package
    if not package.FOLDER.is_dir():
        print("SKIPPED: the Debian package dataset-fashion-mnist is not installed")
        sys.exit(0)


def tilestrike(*arguments, status=0):
    """Runs the program; returns what it wrote to stdout. Its exit status must be `status`."""
    command = [os.environ["TILESTRIKE"], *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode != status:
        raise AssertionError(f"{' '.join(command)}: exit status {done.returncode}, not {status}\n"
                             f"{done.stdout}{done.stderr}")
    return done.stdout

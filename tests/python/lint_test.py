# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Does scripts/lint.py find each kind of violation, at its place, and nothing else?"""

import pathlib
import subprocess
import tempfile
import unittest

import lint

SPDX = ["// SPDX-FileCopyrightText: TileStrike contributors",
        "// SPDX-License-Identifier: Apache-2.0"]


class LintTest(unittest.TestCase):
    def violations(self, files):
        """Violations of a checkout that holds just these files (name: lines)."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            subprocess.run(["git", "init", "-q"], cwd=root, check=True)
            for name, lines in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
            return [f"{name}:{line}: {text}" for name, line, text in lint.violations(root)]

    def expect(self, name, body, found):
        """`found`: line in `body`, from 1, and a part of the message; None: nothing."""
        top = [*SPDX, "#pragma once"] if name.endswith(".h") else SPDX
        violations = self.violations({name: top + body})
        if found is None:
            self.assertEqual(violations, [])
            return
        line, part = found
        self.assertEqual(len(violations), 1, violations)
        self.assertTrue(violations[0].startswith(f"{name}:{len(top) + line}: "), violations)
        self.assertIn(part, violations[0])

    def test_rooms_include_downwards_only(self):
        self.expect("sim/a.cpp", ['#include "base/error.h"'], None)
        self.expect("campaigns/a.cpp", ['#include "bridge/study/study.h"'], None)
        self.expect("base/a.cpp", ["", '#include "sim/mesh/run.h"'], (2, "base/ may not include"))
        self.expect("sim/a.cpp", ['#include "dnn/network.h"'], (1, "sim/ may not include"))
        self.expect("dnn/a.cpp", ['#include "sim/mesh/engine.h"'], (1, "dnn/ may not include"))
        self.expect("bridge/a.cpp", ['#include "campaigns/run/replay.h"'], (1, "bridge/ may not"))
        self.expect("campaigns/a.cpp", ['#include "dnn/network.h"'], (1, "campaigns/ may not"))
        self.expect("sim/a.cpp", ['#include "engine.h"'], (1, "name the room"))

    def test_floors_of_a_room_include_downwards_only(self):
        self.expect("sim/strikes/a.cpp", ['#include "sim/memory/scrub.h"'], None)
        self.expect("sim/ecc/a.cpp", ["", '#include "sim/memory/scrub.h"'], (2, "lies below"))
        self.expect("bridge/trial/a.h", ['#include "bridge/study/study.h"'], (1, "lies below"))
        self.expect("campaigns/plan/a.h", ['#include "campaigns/what/a.h"'], (1, "name the floor"))
        self.expect("campaigns/what/a.h", ['#include "campaigns/plan/a.h"'], (1, "name the floor"))

    def test_libraries_stay_in_their_rooms(self):
        self.expect("dnn/a.h", ["#include <ATen/core/Tensor.h>"], None)
        self.expect("tests/dnn/a.cpp", ["#include <ATen/core/Tensor.h>"], None)
        self.expect("sim/a.cpp", ["#include <ATen/core/Tensor.h>"], (1, "LibTorch stays"))
        self.expect("dnn/a.cpp", ["#include <torch/torch.h>"], (1, "half a minute"))
        self.expect("dnn/cuda/a.cu", ["#include <c10/core/Device.h>"], (1, "raw pointers"))
        self.expect("sim/a.cpp", ["#include <systemc>"], None)
        self.expect("sim/a.h", ["#include <systemc>"], (1, "SystemC stays"))
        self.expect("bridge/a.cpp", ["#include <systemc.h>"], (1, "SystemC stays"))
        self.expect("base/yaml.cpp", ["#include <yaml-cpp/yaml.h>"], None)
        self.expect("campaigns/a.cpp", ["#include <yaml-cpp/yaml.h>"], (1, "YAML is read"))
        self.expect("dnn/nir/hdf5_tree.cpp", ["#include <hdf5.h>"], None)
        self.expect("dnn/nir/nir_file.cpp", ["#include <hdf5.h>"], (1, "HDF5 is read"))

    def test_campaigns_see_no_libtorch_through_other_headers(self):
        header = [*SPDX, "#pragma once"]
        found = self.violations({
            "campaigns/a.cpp": [*SPDX, '#include "bridge/a.h"'],
            "bridge/a.h": [*header, '#include "bridge/b.h"'],
            "bridge/b.h": [*header, "#include <ATen/core/Tensor.h>"]})
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith("bridge/b.h:4: campaigns/ sees"), found)

    def test_headers(self):
        self.expect("sim/a.h", ["using namespace std;"], (1, "using namespace"))
        self.expect("sim/a.cpp", ["using namespace std;"], None)
        self.assertIn("sim/a.h:1: #pragma once is missing", self.violations({"sim/a.h": SPDX}))

    def test_text(self):
        self.expect("sim/a.cpp", ["int x; "], (1, "white space"))
        self.expect("sim/a.cpp", ["// /ho" "me/someone/x"], (1, "a path of one machine"))
        self.expect("sim/a.cpp", ["// sources/ho" "me/x, https://x.org/wo" "rk/y"], None)
        self.expect("sim/a.cpp", ["// TO" "DO: later"], (1, "unfinished"))
        self.expect("sim/a.cpp", [""] * 699, (699, "more than 700 lines"))
        self.assertEqual(self.violations({"scripts/a.sh": [line.replace("//", "#") for line in SPDX]
                                          + ["#" * 101]}),
                         ["scripts/a.sh:3: longer than 100 columns"])
        self.assertEqual(self.violations({"sim/a.cpp": ["int x;"]}),
                         ["sim/a.cpp:1: the two SPDX lines are missing at the top"])
        self.assertEqual(self.violations({"run": ["#!/usr/bin/env bash", "true"]}),
                         ["run:1: the two SPDX lines are missing at the top"])

    def test_python_must_compile(self):
        top = [line.replace("//", "#") for line in SPDX]
        found = self.violations({"python/a.py": [*top, "def f(:"]})
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith("python/a.py:3: not Python"), found)

    def test_binary_files_are_left_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            subprocess.run(["git", "init", "-q"], cwd=root, check=True)
            (root / "a.bin").write_bytes(b"\xff\xfe \n")
            self.assertEqual(list(lint.violations(root)), [])


if __name__ == "__main__":
    unittest.main()

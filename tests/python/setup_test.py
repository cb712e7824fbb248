# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Does scripts/setup.sh install what is missing, only that, and say what it cannot?

apt-get, dpkg-query and Python are replaced by scripts that write down how they were called.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from needs import ROOT

# A Python that makes an environment of the same kind and otherwise does as if all went well.
PYTHON = """#!/bin/bash
echo "python $*" >>"$LOG"
if [[ "$*" == *"$BREAKS"* && -n "$BREAKS" ]]; then exit 1; fi
if [[ $1 == -m && $2 == venv ]]; then
  mkdir -p .venv/bin
  cp "$0" .venv/bin/python
fi
"""


class SetupTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = pathlib.Path(holder.name)
        for name in ("scripts/setup.sh", "python/requirements.txt"):
            (self.root / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)
        (self.root / "bin").mkdir()
        self.fake("dpkg-query", 'for p in $MISSING; do [[ ${@: -1} != "$p" ]] || exit 1; done\n'
                                "printf installed")
        self.fake("apt-get", 'echo "apt-get $*" >>"$LOG"; [[ "$*" != *"$APT_BREAKS"* || '
                             '-z "$APT_BREAKS" ]]')
        self.fake("apt-cache", '[[ $2 != "$UNKNOWN" ]]')
        self.fake("sudo", '"$@"')
        (self.root / "bin/python").write_text(PYTHON)
        (self.root / "bin/python").chmod(0o755)

    def fake(self, name, body):
        path = self.root / "bin" / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)

    def set_up(self, status=0, **environment):
        """Runs set_up; returns how the tools were called, and what was said."""
        log = self.root / "log"
        log.write_text("")
        base = {name: value for name, value in os.environ.items()
                if name not in ("CMAKE_PREFIX_PATH", "TILESTRIKE_LIBTORCH",
                                "TILESTRIKE_TORCH_INDEX")}
        done = subprocess.run(
            ["bash", "-c", "set -euo pipefail; source scripts/setup.sh; set_up"], cwd=self.root,
            capture_output=True, text=True,
            env=base | {"PATH": f"{self.root}/bin:{os.environ['PATH']}", "LOG": str(log),
                        "MISSING": "", "UNKNOWN": "", "BREAKS": "", "APT_BREAKS": "",
                        "PYTHON": f"{self.root}/bin/python"} | environment)
        self.assertEqual(done.returncode, status, done.stderr)
        return log.read_text().splitlines(), done.stderr

    def test_installs_missing_packages_only(self):
        calls, _ = self.set_up(MISSING="ninja-build libgtest-dev")
        installs = [call for call in calls if call.startswith("apt-get install")]
        self.assertEqual(len(installs), 1, calls)
        self.assertTrue(installs[0].endswith(" ninja-build libgtest-dev"), installs)

    def test_leaves_apt_alone_where_nothing_is_missing(self):
        calls, _ = self.set_up()
        self.assertFalse([call for call in calls if call.startswith("apt-get")], calls)

    def test_names_the_package_that_cannot_be_had(self):
        _, said = self.set_up(status=3, MISSING="ccache libyaml-cpp-dev", UNKNOWN="libyaml-cpp-dev")
        self.assertIn("does not know the Debian package libyaml-cpp-dev;", said)
        _, said = self.set_up(status=3, MISSING="ccache", APT_BREAKS="install")
        self.assertIn("could not install: ccache; run, as root: apt-get update && apt-get install "
                      "ccache", said)
        _, said = self.set_up(status=3, MISSING="ccache", APT_BREAKS="update")
        self.assertIn("apt-get update failed; check the network", said)

    def test_makes_the_environment_once(self):
        calls, _ = self.set_up()
        self.assertIn("python -m venv --clear .venv", calls)
        self.assertTrue([call for call in calls if "pip install" in call], calls)
        self.assertIn("python -c import torch,numpy,pandas,h5py,nir", calls)
        again, said = self.set_up()
        self.assertEqual(again, ["python -c "], "a second run only looks whether it starts")
        self.assertEqual(said, "")

    def test_repairs_an_environment_that_does_not_start(self):
        self.set_up()
        (self.root / ".venv/bin/python").write_text("#!/nowhere/python\n")
        calls, _ = self.set_up()
        self.assertIn("python -m venv --clear .venv", calls)

    def test_keeps_a_complete_environment_without_a_stamp(self):
        self.set_up()
        (self.root / ".venv/tilestrike-complete").unlink()
        calls, _ = self.set_up()
        self.assertNotIn("python -m venv --clear .venv", calls)
        self.assertTrue((self.root / ".venv/tilestrike-complete").is_file())

    def test_new_requirements_are_installed(self):
        self.set_up()
        with open(self.root / "python/requirements.txt", "a", encoding="utf-8") as file:
            file.write("scipy\n")
        calls, _ = self.set_up()
        self.assertIn("python -c import torch,numpy,pandas,h5py,nir,scipy", calls)
        self.assertIn("scipy", (self.root / ".venv/requirements.txt").read_text())

    def test_openmp_does_not_change_how_many_jobs_there_are(self):
        jobs = [subprocess.run(["bash", "-c", "source scripts/setup.sh; build_jobs"], cwd=self.root,
                               env={**os.environ, "OMP_NUM_THREADS": str(threads)}, check=True,
                               capture_output=True, text=True).stdout for threads in (1, 64)]
        self.assertEqual(jobs[0], jobs[1])

    def test_says_what_pip_could_not_install(self):
        _, said = self.set_up(status=3, BREAKS="pip install")
        self.assertIn("error: pip could not install torch==2.13.0 numpy", said)
        self.assertFalse((self.root / ".venv/tilestrike-complete").exists())
        _, said = self.set_up(status=3, BREAKS="import torch")
        self.assertIn("cannot be imported; remove .venv and try again", said)
        self.assertFalse((self.root / ".venv/tilestrike-complete").exists())

    def test_torch_may_come_from_its_own_index(self):
        calls, _ = self.set_up(TILESTRIKE_TORCH_INDEX="https://torch.invalid/cpu")
        self.assertTrue([call for call in calls if call.endswith(
            "--index-url https://torch.invalid/cpu torch==2.13.0")], calls)

    def test_an_own_libtorch_makes_the_wheel_needless(self):
        headers = self.root / "libtorch/include/ATen/core"
        headers.mkdir(parents=True)
        (headers / "Tensor.h").write_text("")
        for named in ({"TILESTRIKE_LIBTORCH": f"{self.root}/libtorch"},
                      {"CMAKE_PREFIX_PATH": f"/nowhere:{self.root}/libtorch"}):
            shutil.rmtree(self.root / ".venv", ignore_errors=True)
            self.set_up(**named)
            self.assertNotIn("torch", (self.root / ".venv/requirements.txt").read_text())
        _, said = self.set_up(status=3, TILESTRIKE_LIBTORCH="/nowhere")
        self.assertIn("TILESTRIKE_LIBTORCH=/nowhere holds no include/ATen; name the folder", said)

    def test_needs_a_python_that_makes_environments(self):
        _, said = self.set_up(status=3, BREAKS="ensurepip")
        self.assertIn("no Python 3.10 or later with ensurepip and venv was found; install", said)


class CommandTest(unittest.TestCase):
    def test_help_tells_options_and_environment(self):
        for command in ("quickstart", "run-tests"):
            done = subprocess.run([ROOT / command, "--help"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0)
            self.assertIn(f"Usage: ./{command}", done.stdout)
            self.assertIn("TILESTRIKE_LIBTORCH", done.stdout)
            self.assertEqual(done.stderr, "")

    def test_run_tests_refuses_unknown_options(self):
        done = subprocess.run([ROOT / "run-tests", "--fats"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("unknown option '--fats'; see ./run-tests --help", done.stderr)


if __name__ == "__main__":
    unittest.main()

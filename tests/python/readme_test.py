# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Does what README.md shows really work: its scenarios, its accelerator, its file names?"""

import pathlib
import re
import tempfile
import unittest

import needs


class ReadmeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = (needs.ROOT / "README.md").read_text(encoding="utf-8")
        cls.blocks = re.findall(r"^```yaml\n(.*?)^```", cls.text, re.DOTALL | re.MULTILINE)
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        cls.folder = pathlib.Path(holder.name)

    def test_scenarios_are_accepted(self):
        scenarios = [block for block in self.blocks if re.search("^model:", block, re.MULTILINE)]
        self.assertTrue(scenarios)
        for block in scenarios:
            path = self.folder / "scenario.yaml"
            path.write_text(block, encoding="utf-8")
            self.assertIn("model:", needs.tilestrike("run", path, "--dry-run"))

    def test_accelerators_are_accepted(self):
        accelerators = [block for block in self.blocks if re.search("^mesh:", block, re.MULTILINE)]
        self.assertTrue(accelerators)
        for block in accelerators:
            path = self.folder / "accelerator.yaml"
            path.write_text(block, encoding="utf-8")
            self.assertIn("conv", needs.tilestrike("inspect", "lenet5", "--accelerator", path))

    def test_files_that_it_names_are_there(self):
        for name in re.findall(r"\]\(([\w./-]+)\)|src=\"([\w./-]+)\"", self.text):
            self.assertTrue((needs.ROOT / "".join(name)).exists(), name)


if __name__ == "__main__":
    unittest.main()

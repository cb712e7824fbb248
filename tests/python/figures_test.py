# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Are the figures of README.md and docs/ those that the program gives (scripts/figures.py)?"""

import os
import pathlib
import tempfile
import unittest

import needs

needs.modules("numpy")

import figures


class DocumentsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        cls.program = figures.Program(os.environ["TILESTRIKE"], pathlib.Path(holder.name))

    def check(self, figure):
        made, written = self.program.text(figure), figures.current(needs.ROOT, figure)
        self.assertEqual(figures.difference(figure, written, figures.framed(made)), "",
                         "write them with scripts/figures.py, and read what has changed")

    def test_every_mark_has_its_figure(self):
        figures.check_marks(needs.ROOT, figures.FIGURES)

    def test_figures_that_take_seconds(self):
        for figure in figures.FIGURES:
            if not figure.is_campaign:
                with self.subTest(figure.name):
                    self.check(figure)

    def test_the_quickstart(self):
        needs.fashion_mnist()
        self.check(next(figure for figure in figures.FIGURES if figure.name == "quickstart"))

    def test_the_sweeps_of_memories(self):
        needs.fashion_mnist()
        for name in ("memories/sweep", "memories/scrub"):
            with self.subTest(name):
                self.check(next(figure for figure in figures.FIGURES if figure.name == name))

    def test_the_seed_experiment_of_the_smallest_network(self):
        # In int8, where no bit depends on the processor.
        needs.fashion_mnist()
        names = [f"seed_{target}_lenet5_int8" for target in figures.SEED]
        for name in names:
            self.program.output(figures.seed_command(name))
        written = figures.blocks_of(needs.ROOT, "docs/seed_experiment.md")["seed/rates"]
        made = figures.rates_of(self.program.folder, names)
        self.assertEqual(len(made.splitlines()), 2 + 2 * 4)
        for line in made.splitlines():
            self.assertIn(f"\n{line}\n", written)


class MarksTest(unittest.TestCase):
    """Of a checkout of two documents."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = pathlib.Path(holder.name)
        (self.root / "docs").mkdir()
        self.document("README.md", "| a | <!-- figures: one -->1<!-- end --> |\n")
        self.document("docs/a.md",
                      "A\n\n<!-- figures: b/two -->\n| x |\n|---|\n<!-- end -->\n\nB\n")
        self.figures = [figures.Figure("README.md", "one", [], lambda outputs, folder: "2"),
                        figures.Figure("docs/a.md", "b/two", [], lambda outputs, folder: "")]

    def document(self, name, text):
        (self.root / name).write_text(text)

    def test_what_is_marked_is_replaced_and_nothing_else(self):
        figures.check_marks(self.root, self.figures)
        one, two = self.figures
        self.assertEqual(figures.current(self.root, one), "1")
        figures.write(self.root, one, figures.framed("2 [1, 3]"))
        self.assertEqual((self.root / "README.md").read_text(),
                         "| a | <!-- figures: one -->2 [1, 3]<!-- end --> |\n")
        made = figures.table(["x", "y"], [[1, "b"]])
        self.assertEqual(made, "| x | y |\n|---|---|\n| 1 | b |")
        figures.write(self.root, two, figures.framed(made))
        self.assertEqual((self.root / "docs/a.md").read_text(),
                         f"A\n\n<!-- figures: b/two -->\n{made}\n<!-- end -->\n\nB\n")
        self.assertEqual(figures.current(self.root, two), figures.framed(made))
        self.assertEqual(figures.framed(figures.table(["x"], [[1]], indent="  ")),
                         "\n  | x |\n  |---|\n  | 1 |\n  ")

    def test_a_difference_names_what_was_and_what_is(self):
        text = figures.difference(self.figures[0], "1", "2")
        self.assertIn("README.md", text)
        self.assertIn("-1\n+2", text)
        self.assertEqual(figures.difference(self.figures[0], "1", "1"), "")

    def test_marks_without_a_figure_and_figures_without_marks(self):
        with self.assertRaisesRegex(figures.FiguresError, "README.md: .* no figure 'one'; add it"):
            figures.check_marks(self.root, self.figures[1:])
        self.document("docs/a.md", "nothing\n")
        with self.assertRaisesRegex(figures.FiguresError, "docs/a.md: it has no block 'b/two'"):
            figures.check_marks(self.root, self.figures)

    def test_marks_that_do_not_end_or_come_twice(self):
        for text in ("<!-- figures: one -->1", "<!-- figures: x -->1<!-- end -->" * 2):
            self.document("docs/a.md", text)
            with self.assertRaisesRegex(figures.FiguresError, "docs/a.md: each block has a name"):
                figures.check_marks(self.root, self.figures)

    def test_a_command_that_fails_is_named(self):
        program = figures.Program("/bin/false", self.root / "results")
        with self.assertRaisesRegex(figures.FiguresError, "tilestrike list codes: exit status 1"):
            program.output(("list", "codes"))


if __name__ == "__main__":
    unittest.main()

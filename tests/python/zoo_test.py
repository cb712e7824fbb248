# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""How good are the zoo's networks for pixels and tokens, by NumPy alone, and does the judge of the
program say the same?"""

import json
import math
import pathlib
import tempfile
import unittest

import needs

needs.modules("numpy")

import numpy

import composites
import verses


def mean_overlap(answers, classes):
    """mIoU over all pixels, of the classes that any has."""
    answered = answers.argmax(1)
    overlaps = []
    for one in range(answers.shape[1]):
        union = ((answered == one) | (classes == one)).sum()
        if union > 0:
            overlaps.append(((answered == one) & (classes == one)).sum() / union)
    return sum(overlaps) / len(overlaps)


def perplexity(answers, tokens):
    """exp of the mean negative logarithm of what the answers give to the tokens."""
    answers = answers.astype(numpy.float64)
    logarithms = answers - answers.max(2, keepdims=True)
    logarithms -= numpy.log(numpy.exp(logarithms).sum(2, keepdims=True))
    return math.exp(-numpy.take_along_axis(logarithms, tokens[..., None].astype(int), 2).mean())


class ZooTest(unittest.TestCase):
    """The network's own files, and the answers to them in float and in int8."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def piece(self, model, kind):
        return numpy.load(needs.ROOT / "zoo" / f"{model}_{kind}.npy")

    def answers(self, model, *options):
        path = self.folder / "answers.npy"
        needs.tilestrike("infer", model, "--out", path, *options)
        return numpy.load(path)

    def golden_score(self, model, judge, number_format):
        """As a campaign's summary has it."""
        scenario = self.folder / "scenario.yaml"
        scenario.write_text(f"model: {model}\njudge: {judge}\naccelerator: none\n"
                            f"format: {number_format}\ntrials: 2\noutcomes: none\n"
                            'strike: {where: {weights: "*"}, per_parameter: 1e-5}\n')
        out = self.folder / f"{number_format}.sqlite"
        summary = json.loads(needs.tilestrike("run", scenario, "--out", out, "--json"))
        return summary["scenarios"][0]["score"]

    def check_golden(self, model, judge, number_format, metric, expected):
        score = self.golden_score(model, judge, number_format)
        self.assertEqual(score["metric"], metric)
        self.assertAlmostEqual(score["golden"], expected, delta=1e-5 * expected)


class SegmenterTest(ZooTest):
    def test_miou(self):
        classes = self.piece("segmenter", "labels")
        real = mean_overlap(self.answers("segmenter"), classes)
        integer = mean_overlap(self.answers("segmenter", "--int8"), classes)
        print(f"segmenter: mIoU {real:.4f} in float, {integer:.4f} in int8")
        self.assertGreater(real, SEGMENTER_LEAST)
        self.assertAlmostEqual(integer, real, delta=0.02)
        self.check_golden("segmenter", "segmentation", "float32", "mIoU", real)
        self.check_golden("segmenter", "segmentation", "int8", "mIoU", integer)

    def test_scenes_and_classes_belong_together(self):
        scenes, classes = (self.piece("segmenter", kind) for kind in ("images", "labels"))
        self.assertEqual((scenes.shape, scenes.dtype), ((64, 1, 56, 56), numpy.uint8))
        self.assertEqual((classes.shape, classes.dtype), ((64, 56, 56), numpy.uint8))
        self.assertEqual(set(numpy.unique(classes)), set(range(len(composites.CLASSES))))
        seen = scenes[:, 0][classes > 0]
        self.assertGreaterEqual(seen.min(), composites.DARKEST)
        self.assertLess(scenes[:, 0][classes == 0].max(), composites.BRIGHTEST)

    def test_scenes_are_made_of_garments(self):
        # Two white squares of classes 1 and 9: an edge of black, and one bright half.
        garments = numpy.zeros((2, 28, 28), numpy.uint8)
        garments[:, 2:26, 2:26] = 255
        scenes, classes = composites.make(garments, numpy.array([1, 9]), 50, 3)
        again, _ = composites.make(garments, numpy.array([1, 9]), 50, 3)
        numpy.testing.assert_array_equal(scenes, again)
        numpy.testing.assert_array_equal(scenes[:, 0] == 255, classes > 0)
        self.assertEqual(set(numpy.unique(classes)), {0, 2, 4})
        covered = (classes > 0).sum((1, 2))
        self.assertTrue((covered <= 3 * 24 * 24).all() and (covered >= 24 * 24).all())
        self.assertEqual((covered == 2 * 24 * 24).any() and (covered > 2 * 24 * 24).any(), True)


class TinyLmTest(ZooTest):
    def test_perplexity(self):
        tokens = self.piece("tiny_lm", "labels")
        real = perplexity(self.answers("tiny_lm"), tokens)
        integer = perplexity(self.answers("tiny_lm", "--int8"), tokens)
        shares = numpy.bincount(tokens.ravel()) / tokens.size
        alone = math.exp(-(shares[shares > 0] * numpy.log(shares[shares > 0])).sum())
        print(f"tiny_lm: perplexity {real:.3f} in float, {integer:.3f} in int8; of the characters' "
              f"frequencies alone {alone:.3f}")
        self.assertLess(real, alone / 3)
        self.assertLess(real, TINY_LM_MOST)
        self.assertAlmostEqual(integer, real, delta=0.05 * real)
        self.check_golden("tiny_lm", "tokens", "float32", "perplexity", real)
        self.check_golden("tiny_lm", "tokens", "int8", "perplexity", integer)

    def test_labels_are_the_tokens_that_follow(self):
        tokens, following = (self.piece("tiny_lm", kind) for kind in ("images", "labels"))
        self.assertEqual(tokens.shape, (128, 64))
        numpy.testing.assert_array_equal(tokens[:, 1:], following[:, :-1])
        self.assertLess(max(tokens.max(), following.max()), len(verses.ALPHABET))
        text = "".join(verses.ALPHABET[token] for token in tokens.ravel())
        self.assertIn(" the ", text)

    def test_all_of_its_products_are_on_the_mesh(self):
        layers = json.loads(needs.tilestrike("inspect", "tiny_lm", "--accelerator",
                                             "gemmini_16x16", "--json"))
        mapped = [layer["name"] for layer in layers if layer["is_on_mesh"]]
        expected = 2 * 8 + 1  # six linear layers and two products of each block, and the head
        self.assertEqual(len(mapped), expected, mapped)


SEGMENTER_LEAST = 0.78
TINY_LM_MOST = 5.0

if __name__ == "__main__":
    unittest.main()

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Does tilestrike.export write a whole scenario folder, and refuse what cannot become one?"""

import json
import pathlib
import tempfile
import unittest

import needs

needs.modules("numpy", "torch")

import numpy
import torch

import tilestrike


def model():
    return torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.ReLU(),
                               torch.nn.Flatten(), torch.nn.Dropout(), torch.nn.Linear(72, 3))


class Text(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(20, 8)
        self.head = torch.nn.Linear(8, 3)

    def forward(self, ids, mask):
        x = (self.embedding(ids) * mask.unsqueeze(-1)).mean(1)
        return {"logits": self.head(x), "pooled": x}


def batches(*sizes, labels=True):
    generator = torch.Generator().manual_seed(1)
    for size in sizes:
        images = torch.rand(size, 1, 8, 8, generator=generator)
        yield (images, torch.arange(size) % 3) if labels else images


class ExportTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name) / "a" / "study"

    def export(self, loader, **options):
        return tilestrike.export(model(), loader, self.folder, **options)

    def test_writes_all_that_a_scenario_names(self):
        paths = self.export(batches(4, 3), name="tiny", calibrate=batches(5, labels=False))
        images, labels = numpy.load(paths.images), numpy.load(paths.labels)
        self.assertEqual((images.dtype, images.shape), (numpy.float32, (7, 1, 8, 8)))
        self.assertEqual((labels.dtype, list(labels)), (numpy.int64, [0, 1, 2, 0, 0, 1, 2]))
        self.assertEqual(numpy.load(paths.calibrate).shape, (5, 1, 8, 8))
        self.assertEqual(paths.model, self.folder / "tiny.pt2")
        text = paths.scenario.read_text()
        self.assertIn("model: tiny.pt2\n", text)
        self.assertIn("data: {images: images.npy, labels: labels.npy, calibrate: calibrate.npy}\n",
                      text)

    def test_archive_computes_the_model_in_evaluation_for_any_batch(self):
        network = model().train()
        paths = tilestrike.export(network, batches(4), self.folder)
        self.assertTrue(network.training, "the caller's model is left as it is")
        loaded = torch.export.load(paths.model).module()
        network.eval()
        for size in (1, 2, 9):
            images = torch.rand(size, 1, 8, 8)
            with torch.no_grad():
                self.assertTrue(torch.equal(loaded(images), network(images)))

    def test_one_image_without_labels(self):
        paths = self.export(batches(1, labels=False))
        self.assertIsNone(paths.labels)
        self.assertIsNone(paths.calibrate)
        self.assertIn("data: {images: images.npy, calibrate: images.npy}\n",
                      paths.scenario.read_text())
        self.assertFalse((self.folder / "labels.npy").exists())

    def test_doubles_become_floats(self):
        self.assertEqual(numpy.load(self.export([torch.rand(2, 1, 8, 8).double()]).images).dtype,
                         numpy.float32)

    def test_several_inputs_are_written_by_name(self):
        ids, mask = torch.randint(0, 20, (5, 6)), torch.rand(5, 6).double()
        batches = [({"mask": mask[:3], "ids": ids[:3]}, torch.zeros(3, dtype=torch.int32)),
                   ({"mask": mask[3:], "ids": ids[3:]}, torch.ones(2, dtype=torch.int32))]
        paths = tilestrike.export(Text(), batches, self.folder, output="logits",
                                  calibrate=[{"ids": ids, "mask": mask}])
        written = {name: numpy.load(path) for name, path in paths.images.items()}
        self.assertEqual((written["ids"].dtype, written["mask"].dtype),
                         (numpy.int64, numpy.float32))
        self.assertTrue((written["ids"] == ids.numpy()).all())
        self.assertEqual(numpy.load(paths.calibrate["mask"]).shape, (5, 6))
        text = paths.scenario.read_text()
        self.assertIn("data: {images: {mask: input_mask.npy, ids: input_ids.npy}, "
                      "labels: labels.npy, "
                      "calibrate: {ids: calibrate_ids.npy, mask: calibrate_mask.npy}}\n"
                      "output: logits\n", text)
        loaded = torch.export.load(paths.model).module()
        self.assertEqual(loaded(ids=ids[:1], mask=mask[:1].float())["logits"].shape, (1, 3))
        summary = json.loads(needs.tilestrike(
            "run", paths.scenario, "--set", "trials=2000", "--out", self.folder / "r.sqlite",
            "--json"))
        self.assertEqual(summary["scenarios"][0]["counted"], 2000)

    def test_refuses_inputs_that_do_not_go_together(self):
        ids, mask = torch.randint(0, 20, (5, 6)), torch.rand(5, 6)
        for loader, message in (
                ([{"ids": ids, "mask": mask[:4]}], "several lengths in one batch"),
                ([{"ids": ids, "mask": mask}, {"ids": ids}], "other inputs in one batch"),
                ([{"the ids": ids}], "name the arguments of forward"),
                ([{"ids": ids, "mask": torch.tensor(1.0)}], "a row for each"),
                ([{"ids": ids, "mask": mask / 0}], "NaN or infinite")):
            with self.assertRaisesRegex(ValueError, message):
                self.export(loader)
        with self.assertRaisesRegex(ValueError, "both must be what the model takes"):
            self.export([{"ids": ids, "mask": mask}], calibrate=[{"ids": ids}])

    def test_refuses_what_cannot_be_struck(self):
        images, labels = torch.rand(2, 1, 8, 8), torch.tensor([0, 1])
        broken = images.clone()
        broken[1, 0, 3, 3] = float("nan")
        for loader, message in (
                ([], "gives no batches"),
                ([(images, labels, labels)], "batches of 3 things"),
                ([images[0]], r"shape \(1, 8, 8\); give batches"),
                ([(images * 255).byte()], "scale them to the floats"),
                ([broken], "NaN or infinite"),
                ([(images, labels[:1])], "one class number each"),
                ([(images, labels.float())], "one class number each"),
                ([(images, labels - 1)], "class numbers start at 0"),
                ([(images, labels), images], "with all or none"),
                ([images, torch.rand(2, 1, 9, 9)], "several shapes")):
            with self.assertRaisesRegex(ValueError, message):
                self.export(loader)
        with self.assertRaisesRegex(ValueError, "both must be what the model takes"):
            self.export([images], calibrate=[torch.rand(2, 1, 9, 9)])
        for name in ("", "a/b", "../x", "-x"):
            with self.assertRaisesRegex(ValueError, "use letters"):
                self.export([images], name=name)
        self.assertFalse(self.folder.exists(), "nothing is written before all is checked")


if __name__ == "__main__":
    unittest.main()

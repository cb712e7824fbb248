# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Does tilestrike.export write a whole scenario folder, and refuse what cannot become one?"""

import collections
import dataclasses
import json
import os
import pathlib
import tempfile
import unittest
import unittest.mock

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


class Returns(torch.nn.Module):
    """What a function of the images gives; its weight makes it a network."""

    def __init__(self, answer):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.answer = answer

    def forward(self, x):
        return self.answer(x * self.weight)


class Language(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(20, 8)
        self.head = torch.nn.Linear(8, 20)

    def forward(self, ids, targets=None):
        return self.head(self.embedding(ids))


@dataclasses.dataclass
class Sample:
    input: torch.Tensor
    target: torch.Tensor


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
                ([{"ids": ids, "mask": mask}, (ids, mask, mask)], "labels with some batches"),
                ([{"the ids": ids, "mask": mask}], "name the arguments of forward"),
                ([{"ids": ids}], r"forward takes \(ids, mask\); name"),
                ([{"ids": ids, "mask": torch.tensor(1.0)}], "a row for each"),
                ([{"ids": ids, "mask": [["a"] * 6] * 5}], "mask as a list of lists"),
                ([{"ids": ids, "mask": [mask[0], mask[1]]}], "list of 2 tensors; stack"),
                ([{"ids": ids, "mask": mask / 0}], "NaN or infinite")):
            with self.assertRaisesRegex(ValueError, message):
                tilestrike.export(Text(), loader, self.folder)
        with self.assertRaisesRegex(ValueError, "both must be what the model takes"):
            tilestrike.export(Text(), [{"ids": ids, "mask": mask}], self.folder,
                              calibrate=[{"ids": ids[:, :4], "mask": mask[:, :4]}])

    def test_refuses_what_cannot_be_struck(self):
        images, labels = torch.rand(2, 1, 8, 8), torch.tensor([0, 1])
        broken = images.clone()
        broken[1, 0, 3, 3] = float("nan")
        for loader, message in (
                ([], "gives no batches"),
                ([(images, labels, labels)], r"3 things, and forward takes \(input\)"),
                ([images[0]], r"does not run on two rows .*\(2, 8, 8\)"),
                ([(images * 255).byte()], "scale it to the floats"),
                ([broken], "NaN or infinite"),
                ([(images, labels[:1])], "1 labels with 2 rows"),
                ([(images, labels - 1)], "labels hold -1, and the answer has 3 classes"),
                ([(images, labels + 2)], "labels hold 3, and the answer has 3 classes"),
                ([(images, labels + 0.5)], r"labels of shape \(N,\) and type torch.float32"),
                ([(images, [{"boxes": labels}] * 2)], "labels as a list of dicts"),
                ([(images, ["cat", "dog"])], "labels as a list of strs"),
                (torch.utils.data.TensorDataset(images, labels), "put a DataLoader around it"),
                (images, "put it into a list"),
                ([(images, labels), images], "with all or none"),
                ([images, {"input": images}], "other inputs in one batch"),
                ([images, torch.rand(2, 1, 9, 9)], "several shapes")):
            with self.assertRaisesRegex(ValueError, message):
                self.export(loader)
        with self.assertRaisesRegex(ValueError, "both must be what the model takes"):
            self.export([images], calibrate=[torch.rand(2, 1, 9, 9)])
        for name in ("", "a/b", "../x", "-x"):
            with self.assertRaisesRegex(ValueError, "use letters"):
                self.export([images], name=name)
        self.assertFalse(self.folder.exists(), "nothing is written before all is checked")

    def test_refuses_models_by_name(self):
        images = torch.rand(2, 1, 8, 8)
        for network, message in (
                (torch.jit.script(model()), "torch.jit.save"),
                (torch.export.export(model().eval(), (images,)), "torch.export.save"),
                (print, "give a torch.nn.Module"),
                (Returns(lambda x: {"box": x, "cls": x}), r"several tensors \(box, cls\)"),
                (Returns(lambda x: {"box": x, "cls": x}), "output 'score': the model returns"),
                (Returns(lambda x: (x.mean(), x, x)), r"several tensors \(1, 2\)"),
                (Returns(lambda x: x.mean()), "must have a row for each inference"),
                (Returns(lambda x: None), "a NoneType without tensors"),
                (Returns(lambda x: x.flatten(1) if x.sum() > 3 else x),
                 r"export_test.py:\d+.*branches on values")):
            options = {"output": "score"} if "score" in message else {}
            with self.assertRaisesRegex(ValueError, message):
                tilestrike.export(network, [images], self.folder, judge="relative_l2", **options)
        self.assertFalse(self.folder.exists())

    def spare_exports(self):
        """From here on the exported program is always the same one: not what is asked here."""
        program = torch.export.export(model().eval(), (torch.rand(1, 1, 8, 8),))
        for patch in (unittest.mock.patch("tilestrike._program", return_value=(program, None)),
                      unittest.mock.patch("tilestrike._look", return_value=(None, True))):
            patch.start()
            self.addCleanup(patch.stop)

    def test_takes_batches_of_every_usual_form(self):
        self.spare_exports()
        images, labels = next(batches(4))
        for form in (
                [images, labels], (images.numpy(), labels.numpy()), (images, labels.tolist()),
                (images.double().numpy(), labels[:, None]),
                (images, torch.nn.functional.one_hot(labels, 3)),
                {"input": images, "labels": labels}, {"image": images, "label": labels},
                collections.UserDict(input=images, target=labels),
                collections.namedtuple("Pair", "x y")(images, labels), Sample(images, labels),
                ({"input": images}, labels), ([images], labels), (images, labels.double()),
                {"input": images, "labels": labels, "nothing": None}):
            paths = self.export([form])
            files = paths.images if isinstance(paths.images, dict) else {"": paths.images}
            written = numpy.load(next(iter(files.values())))
            self.assertEqual((written.dtype, written.shape), (numpy.float32, (4, 1, 8, 8)))
            self.assertEqual(list(numpy.load(paths.labels)), [0, 1, 2, 0], type(form))
            self.assertNotIn("judge", paths.scenario.read_text())

    def test_leaves_out_what_forward_does_not_take_and_says_so(self):
        images, labels = next(batches(4))
        with self.assertWarnsRegex(UserWarning, "'index', which forward has no argument for"):
            paths = self.export([{"input": images, "y": labels, "index": labels}])
        self.assertEqual([*paths.images], ["input"])

    def test_places_of_a_tuple_are_the_arguments_of_forward(self):
        ids, mask = torch.randint(0, 20, (5, 6)), torch.rand(5, 6)
        self.spare_exports()
        for batch, has_labels in (((ids, mask), False), ((ids, mask, torch.zeros(5).long()), True),
                                  (((ids, mask), torch.zeros(5).long()), True)):
            paths = tilestrike.export(Text(), [batch], self.folder)
            self.assertEqual([*paths.images], ["ids", "mask"])
            self.assertEqual(paths.labels is not None, has_labels)
            self.assertIn("output: logits\n", paths.scenario.read_text())

    def test_a_sigmoid_at_the_end_gives_probabilities(self):
        network = torch.nn.Sequential(model(), torch.nn.Linear(3, 1), torch.nn.Sigmoid())
        paths = tilestrike.export(network, [(torch.rand(4, 1, 8, 8), torch.tensor([0, 1, 1, 0]))],
                                  self.folder)
        self.assertIn("\njudge: {kind: binary, scale: probability}\n",
                      paths.scenario.read_text())

    def test_shapes_of_answer_and_labels_choose_the_judge(self):
        self.spare_exports()
        x = torch.rand(4, 3, 6, 5)
        maps = torch.tensor([0, 1, 2, 1]).view(4, 1, 1).expand(4, 6, 5)
        ignored = maps.clone()
        ignored[:, 0] = 255
        decided = torch.tensor([0, 1, 1, 0])
        for answer, labels, judge, dtype, shape in (
                (lambda x: x, maps, "segmentation", "int64", (4, 6, 5)),
                (lambda x: x, maps[:, None].float(), "segmentation", "int64", (4, 6, 5)),
                (lambda x: x, ignored, "{kind: segmentation, ignore: 255}", "int64", (4, 6, 5)),
                (lambda x: x, torch.nn.functional.one_hot(maps, 3).permute(0, 3, 1, 2),
                 "segmentation", "int64", (4, 6, 5)),
                (lambda x: x.permute(0, 2, 3, 1), maps, "{kind: segmentation, class_axis: -1}",
                 "int64", (4, 6, 5)),
                (lambda x: x, x, "regression", "float32", (4, 3, 6, 5)),
                (lambda x: x[:, :1], decided.view(4, 1, 1, 1).expand(4, 1, 6, 5), "binary", "int64",
                 (4, 1, 6, 5)),
                (lambda x: x.mean((1, 2, 3)).view(-1, 1), decided, "binary", "int64", (4,)),
                (lambda x: x.mean((1, 2, 3)), decided.view(4, 1).float(), "binary", "int64", (4,)),
                (lambda x: x.mean((1, 2, 3)).view(-1, 1), torch.rand(4), "regression", "float32",
                 (4, 1)),
                (lambda x: x.mean((2, 3)), (torch.rand(4, 3) > 2) + torch.tensor([1, 0, 1]),
                 "binary", "int64", (4, 3)),
                (lambda x: x.mean((2, 3)), 3 * torch.rand(4, 3) - 7, "regression", "float32",
                 (4, 3)),
                (lambda x: x.mean(2).transpose(1, 2), maps[:, 0], "tokens", "int64", (4, 5))):
            paths = tilestrike.export(Returns(answer), [(x, labels)], self.folder)
            self.assertIn(f"\njudge: {judge}\n", paths.scenario.read_text())
            written = numpy.load(paths.labels)
            self.assertEqual((written.dtype, written.shape), (dtype, shape), judge)
            needs.tilestrike("run", paths.scenario, "--dry-run")

    def test_a_judge_that_is_given_is_taken(self):
        self.spare_exports()
        x = torch.rand(4, 3, 6, 5)
        with self.assertRaisesRegex(ValueError, r"\(N, 3, 6, 5\) may mean several things"):
            tilestrike.export(Returns(lambda x: x), [x], self.folder)
        paths = tilestrike.export(Returns(lambda x: x), [x], self.folder,
                                  judge={"kind": "relative_l2", "thresholds": ["1%", "5%"]})
        self.assertIn("judge: {kind: relative_l2, thresholds: [1%, 5%]}\n",
                      paths.scenario.read_text())

    def test_labels_of_a_language_model_are_what_comes_next(self):
        self.spare_exports()
        ids = torch.randint(0, 20, (5, 6))
        labels = ids.clone()
        labels[0, 4:] = -100
        paths = tilestrike.export(Language(), [{"ids": ids, "labels": labels}], self.folder)
        self.assertIn("judge: tokens\n", paths.scenario.read_text())
        written = numpy.load(paths.labels)
        self.assertTrue((written[1:, :-1] == ids[1:, 1:].numpy()).all())
        self.assertEqual(list(written[0, 3:]), [-100, -100, -100])
        shifted = ids.roll(-1, 1)
        paths = tilestrike.export(Language(), [(ids, shifted)], self.folder)
        self.assertTrue((numpy.load(paths.labels) == shifted.numpy()).all(), "already shifted")

    def test_number_formats_are_the_models_own(self):
        for dtype in (torch.float16, torch.bfloat16, torch.float64):
            images = torch.rand(3, 1, 8, 8)
            paths = tilestrike.export(model().to(dtype), [images],
                                      self.folder)
            self.assertEqual(numpy.load(paths.images).dtype, numpy.float32)
            loaded = torch.export.load(paths.model).module()
            self.assertEqual(loaded(images.to(dtype)).dtype, dtype)

    def test_wrapped_models_have_their_own_names(self):
        wrapped = torch.nn.DataParallel(model())
        paths = tilestrike.export(wrapped, batches(4), self.folder)
        self.assertIn("0.weight", torch.export.load(paths.model).state_dict)

    def test_a_model_that_fixes_its_batch_has_one_or_the_loaders(self):
        class Fixed(torch.nn.Module):
            def __init__(self, squeezes):
                super().__init__()
                self.linear, self.squeezes = torch.nn.Linear(12, 3), squeezes

            def forward(self, x):
                x = self.linear(x.reshape(int(x.shape[0]), 1, -1))
                return x.squeeze() if self.squeezes else x[:, 0]
        x = torch.rand(12, 3, 4)
        for squeezes, batch, accelerator in ((False, 1, "gemmini_16x16"), (True, 4, "none")):
            network = Fixed(squeezes)
            paths = tilestrike.export(network, x.split(4), self.folder)
            loaded = torch.export.load(paths.model).module()
            self.assertTrue(torch.allclose(loaded(x[:batch]), network(x)[:batch]))
            self.assertIn(f"accelerator: {accelerator}\n", paths.scenario.read_text())
            needs.tilestrike("run", paths.scenario, "--set", "trials=200", "--out",
                             self.folder / f"{batch}.sqlite")

    def test_decomposes_what_is_refused_and_passes_refusals_on(self):
        program = self.folder.parent / "program"
        program.parent.mkdir(parents=True)
        says = "echo 'tilestrike: error: it says why' >&2; exit 2"
        program.write_text("#!/bin/sh\n" + says + "\n")
        program.chmod(0o755)
        with unittest.mock.patch.dict(os.environ, TILESTRIKE=str(program)):
            with self.assertRaisesRegex(ValueError, "as it is nor decomposed: .*it says why"):
                self.export(batches(2))
            only_once = self.folder.parent / "asked"
            program.write_text(f"#!/bin/sh\nif [ -e '{only_once}' ]; then\n"
                               "echo '[{\"operator\": \"aten.addmm.default\"}]'\n"
                               f"else touch '{only_once}'; {says}; fi\n")
            paths = self.export(batches(2))
        targets = {str(node.target) for node in torch.export.load(paths.model).graph.nodes}
        self.assertIn("aten.addmm.default", targets)
        self.assertNotIn("aten.linear.default", targets)


if __name__ == "__main__":
    unittest.main()

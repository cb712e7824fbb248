# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""From a PyTorch model to a scenario folder, and from a results file to pandas.

    paths = tilestrike.export(model, loader, "study")   # then: tilestrike run study/scenario.yaml
    results = tilestrike.load("study/results.sqlite")
    results.trials.groupby("register").outcome.value_counts()

One file without further parts: copy it, or put its folder on PYTHONPATH. Only `export` needs torch.
"""

import copy
import math
import pathlib
import re
import sqlite3
import statistics
import types

import numpy

TABLES = ("trials", "outcomes", "faults", "scenarios", "meta")

SCENARIO = """\
model: {model}
data: {{{data}}}
accelerator: gemmini_16x16
strike: {{where: {{mesh: {{}}}}}}
trials: 1000
"""


def export(model, loader, folder, name="model", calibrate=None):
    """Writes what `tilestrike run` needs into `folder`, which is made if it is missing.

    model:     torch.nn.Module, images (N, C, H, W) -> logits (N, classes); it is left as it is
    loader:    iterable of batches, each (images, labels) or images: (N, C, H, W) floats as the
               model takes them, and class numbers (N,)
    name:      of the model's file, without .pt2
    calibrate: a second iterable like `loader`, of training images, that fixes the int8 scales;
               without it the images of `loader` do, and TileStrike warns

    Writes NAME.pt2 (evaluation mode, any batch size), images.npy (float32), labels.npy (int64, if
    there are labels), calibrate.npy (if given) and scenario.yaml. Returns the paths as a namespace
    with model, images, labels, calibrate (None where nothing was written) and scenario.
    """
    if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        raise ValueError(f"name {name!r}: use letters, digits, '.', '_' and '-' only")
    images, labels = _collect(loader, "loader")
    scales = None if calibrate is None else _collect(calibrate, "calibrate")[0]
    if scales is not None and scales.shape[1:] != images.shape[1:]:
        raise ValueError(f"calibrate has images of shape {scales.shape[1:]}, loader of "
                         f"{images.shape[1:]}; both must be what the model takes")

    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = types.SimpleNamespace(model=folder / f"{name}.pt2", images=folder / "images.npy",
                                  labels=None, calibrate=None, scenario=folder / "scenario.yaml")
    _save_model(model, images, paths.model)
    numpy.save(paths.images, images)
    if labels is not None:
        paths.labels = folder / "labels.npy"
        numpy.save(paths.labels, labels)
    if scales is not None:
        paths.calibrate = folder / "calibrate.npy"
        numpy.save(paths.calibrate, scales)
    data = {"images": paths.images, "labels": paths.labels,
            "calibrate": paths.calibrate or paths.images}
    text = ", ".join(f"{key}: {path.name}" for key, path in data.items() if path)
    paths.scenario.write_text(SCENARIO.format(model=paths.model.name, data=text), encoding="utf-8")
    return paths


def load(results):
    """Opens a results file read-only.

    Returns a namespace of pandas data frames, one for each of the tables trials, outcomes, faults,
    scenarios and meta that the file has, with all columns and rows. Faulty logits, where a row has
    them, are float32 arrays.
    """
    import pandas

    path = pathlib.Path(results)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such results file; `tilestrike run SCENARIO.yaml "
                                f"--out {path}` writes one")
    connection = sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True)
    try:
        present = {row[0] for row in
                   connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        frames = {table: pandas.read_sql_query(f"SELECT * FROM {table}", connection)
                  for table in TABLES if table in present}
    except sqlite3.DatabaseError as error:
        raise ValueError(f"{path}: cannot be read as a results file ({error}); name the file that "
                         "`tilestrike run --out` wrote") from error
    finally:
        connection.close()
    if not frames:
        raise ValueError(f"{path}: an SQLite file without any of the tables {', '.join(TABLES)}; "
                         "name the file that `tilestrike run --out` wrote")
    for frame in frames.values():
        if "logits" in frame:
            frame["logits"] = [None if blob is None else numpy.frombuffer(blob, "<f4")
                               for blob in frame["logits"]]
    return types.SimpleNamespace(**frames)


def wilson(successes, n, confidence=0.95):
    """The Wilson score interval of a proportion: (lower, upper), both in [0, 1]."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}: there must be 0 to n of them")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence}: give a share between 0 and 1, such as 0.95")
    if n == 0:
        return 0.0, 1.0
    z = statistics.NormalDist().inv_cdf((1 + confidence) / 2)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    lower = 0.0 if successes == 0 else max(0.0, centre - half)
    upper = 1.0 if successes == n else min(1.0, centre + half)
    return lower, upper


def _collect(loader, what):
    """All batches as one float32 array of images and one int64 array of labels, or None."""
    images, labels = [], []
    for batch in loader:
        pair = isinstance(batch, (tuple, list))
        if pair and len(batch) not in (1, 2):
            raise ValueError(f"{what} gives batches of {len(batch)} things; give (images, labels) "
                             "or images")
        images.append(_floats(batch[0] if pair else batch, what))
        if pair and len(batch) == 2:
            labels.append(_classes(batch[1], len(images[-1]), what))
    if not images:
        raise ValueError(f"{what} gives no batches; an iterator that was used up is empty, "
                         "so pass the DataLoader itself")
    if labels and len(labels) != len(images):
        raise ValueError(f"{what} gives labels with some batches only; give them with all or none")
    shapes = {batch.shape[1:] for batch in images}
    if len(shapes) > 1:
        raise ValueError(f"{what} gives images of several shapes, {sorted(shapes)}; resize them")
    joined = numpy.concatenate(images)
    if not numpy.isfinite(joined).all():
        raise ValueError(f"{what} gives images with NaN or infinite values; remove them")
    return joined, numpy.concatenate(labels) if labels else None


def _array(tensor):
    return tensor.detach().cpu().numpy() if hasattr(tensor, "detach") else numpy.asarray(tensor)


def _floats(batch, what):
    array = _array(batch)
    if array.ndim != 4:
        raise ValueError(f"{what} gives images of shape {array.shape}; give batches (N, C, H, W)")
    if array.dtype.kind != "f":
        raise ValueError(f"{what} gives images of type {array.dtype}; scale them to the floats "
                         "that the model was trained on")
    return array.astype(numpy.float32)


def _classes(batch, count, what):
    array = _array(batch)
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise ValueError(f"{what} gives labels of shape {array.shape} and type {array.dtype} for "
                         f"{count} images; give one class number each")
    if array.size and array.min() < 0:
        raise ValueError(f"{what} gives the label {array.min()}; class numbers start at 0")
    return array.astype(numpy.int64)


def _save_model(model, images, path):
    import torch

    example = torch.from_numpy(numpy.resize(images, (2, *images.shape[1:])))  # 1 would be fixed
    program = torch.export.export(copy.deepcopy(model).cpu().eval(), (example,),
                                  dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))
    torch.export.save(program, path)

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""From a PyTorch model to a scenario folder, and from a results file to pandas.

    paths = tilestrike.export(model, loader, "study")   # then: tilestrike run study/scenario.yaml
    results = tilestrike.load("study/results.sqlite")
    results.trials.groupby("register").outcome.value_counts()

A script of one's own that judges answers calls `tilestrike.serve_judge(function)`.

One file without further parts: copy it, or put its folder on PYTHONPATH. Only `export` needs torch.
"""

import copy
import json
import math
import os
import pathlib
import re
import sqlite3
import statistics
import struct
import types

import numpy

TABLES = ("trials", "outcomes", "faults", "scenarios", "meta")
WIDE = "trials_wide"  # where trials are kept in several tables, the view that joins them

SCENARIO = """\
model: {model}
data: {{{data}}}
{output}accelerator: gemmini_16x16
strike: {{where: {{mesh: {{}}}}}}
trials: 1000
"""


def export(model, loader, folder, name="model", calibrate=None, output=None):
    """Writes what `tilestrike run` needs into `folder`, which is made if it is missing.

    model:     torch.nn.Module, images (N, C, H, W) -> logits (N, classes); it is left as it is
    loader:    iterable of batches, each (images, labels) or images: (N, C, H, W) floats as the
               model takes them, and class numbers (N,). Of a model with several inputs, images are
               a dictionary {argument of forward: tensor}, such as numbers of tokens and a mask
    name:      of the model's file, without .pt2
    calibrate: a second iterable like `loader`, of training images, that fixes the int8 scales;
               without it the images of `loader` do, and TileStrike warns
    output:    of a model that returns several tensors: the key or the place of the answer

    Writes NAME.pt2 (evaluation mode, any batch size), images.npy (float32) or input_ARGUMENT.npy,
    labels.npy (int64, if there are labels), calibrate.npy or calibrate_ARGUMENT.npy (if given) and
    scenario.yaml. Returns the paths as a namespace with model, images, labels, calibrate (None
    where nothing was written; of several inputs a dictionary) and scenario.
    """
    if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        raise ValueError(f"name {name!r}: use letters, digits, '.', '_' and '-' only")
    inputs, labels = _collect(loader, "loader")
    scales = None if calibrate is None else _collect(calibrate, "calibrate")[0]
    if scales is not None and _shapes(scales) != _shapes(inputs):
        raise ValueError(f"calibrate has images of shape {_shapes(scales)}, loader of "
                         f"{_shapes(inputs)}; both must be what the model takes")

    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = types.SimpleNamespace(model=folder / f"{name}.pt2", labels=None, calibrate=None,
                                  scenario=folder / "scenario.yaml")
    _save_model(model, inputs, paths.model)
    paths.images = _save_inputs(folder, "images", "input_", inputs)
    if labels is not None:
        paths.labels = folder / "labels.npy"
        numpy.save(paths.labels, labels)
    if scales is not None:
        paths.calibrate = _save_inputs(folder, "calibrate", "calibrate_", scales)
    data = {"images": paths.images, "labels": paths.labels,
            "calibrate": paths.calibrate or paths.images}
    text = ", ".join(f"{key}: {_named(path)}" for key, path in data.items() if path)
    paths.scenario.write_text(SCENARIO.format(
        model=paths.model.name, data=text,
        output="" if output is None else f"output: {output}\n"), encoding="utf-8")
    return paths


def load(results):
    """Opens a results file read-only.

    Returns a namespace of pandas data frames, one for each of trials, outcomes, faults, scenarios
    and meta that the file has, with all columns and rows. A trial is one row, whatever it struck: a
    column that does not apply to it is empty. Faulty logits, where a row has them, are float32
    arrays; of answers of more than 4096 numbers `differences` are pairs (indices, float32 values).
    """
    import pandas

    path = pathlib.Path(results)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such results file; `tilestrike run SCENARIO.yaml "
                                f"--out {path}` writes one")
    connection = sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True)
    try:
        present = {row[0] for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
        sources = {table: table for table in TABLES if table in present}
        if WIDE in present:
            sources["trials"] = WIDE
        frames = {table: pandas.read_sql_query(f"SELECT * FROM {source}", connection)
                  for table, source in sources.items()}
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
        if "differences" in frame:
            frame["differences"] = [_differences(text) for text in frame["differences"]]
    return types.SimpleNamespace(**frames)


def _differences(text):
    """"17:0.25 18:nan" as two arrays."""
    if text is None:
        return None
    pairs = [pair.split(":") for pair in text.split()]
    return (numpy.array([int(index) for index, _ in pairs], numpy.int64),
            numpy.array([float(value) for _, value in pairs], numpy.float32))


def serve_judge(function, metric="score", is_share=False):
    """Answers the questions of `judge: {kind: python, file: THIS.py}` until there are no more.

    function: called with (golden, faulty, label, image): two float32 arrays of the answer's shape,
              the label as float32 array (None: no labels), and the row of the images. Returns
              whether the faulty answer is wrong (it counts as sdc_1), or that and a score, a finite
              number or None; of several images the score is their mean. Asked with twice the golden
              answer, it says what that scores.
    metric:   what the score is, for people
    is_share: whether scores lie within 0 and 1

    What the script prints goes to stderr. The same answers must give the same verdict.
    """
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def reply(**what):
        replies.write(json.dumps(what) + "\n")
        replies.flush()

    reply(tilestrike_judge=1, metric=metric, is_share=bool(is_share))
    while head := requests.read(8):
        image = int.from_bytes(head, "little", signed=True)
        shape, label_shape = _shape_from(requests), _shape_from(requests)
        golden, faulty = _floats_from(requests, shape), _floats_from(requests, shape)
        label = None if label_shape is None else _floats_from(requests, label_shape)
        verdict = function(golden, faulty, label, image)
        wrong, score = verdict if isinstance(verdict, tuple) else (verdict, None)
        if score is not None and not math.isfinite(score):
            raise ValueError(f"the score of image {image} is {score}; give a finite number or None")
        reply(wrong=bool(wrong), score=None if score is None else float(score))


def _bytes_from(file, count):
    data = file.read(count)
    if len(data) != count:
        raise EOFError("a question ends in the middle")
    return data


def _shape_from(file):
    (axes,) = struct.unpack("<q", _bytes_from(file, 8))
    return None if axes < 0 else struct.unpack(f"<{axes}q", _bytes_from(file, 8 * axes))


def _floats_from(file, shape):
    return numpy.frombuffer(_bytes_from(file, 4 * math.prod(shape)), "<f4").reshape(shape)


def clopper_pearson(successes, n, confidence=0.95):
    """The exact interval (lower, upper) of a proportion (Clopper and Pearson, Biometrika 26, 1934).

    What `tilestrike run` gives of trials that each end in one way or the other; where it saw none,
    or nothing else, it gives the one-sided bound, which `interval_of_shares` has.
    """
    _check_proportion(successes, n, confidence)
    if n == 0:
        return 0.0, 1.0
    return _bounds(numpy.array([0.0, 1.0]), numpy.array([n - successes, successes]), confidence)


def interval_of_shares(shares, confidence=0.95):
    """The interval (lower, upper) of a mean of which only independent observations in [0, 1] are
    known, such as the shares of the images that lasting faults changed.

    Gaffke's bound on either side (Mathematical Methods of Statistics 14, 2005; in this form
    Learned-Miller and Thomas, arXiv 1905.06208, 2020), as in the summary of `tilestrike run`. With
    nothing but zeros, or ones, the one-sided bound 1 - (1 - confidence)^(1/n), or its mirror image.
    """
    values, counts = numpy.unique(numpy.asarray(shares, numpy.float64), return_counts=True)
    if len(values) and not 0 <= values[0] <= values[-1] <= 1:  # a NaN is sorted to the end
        raise ValueError(f"shares from {values[0]} to {values[-1]}: each must lie in [0, 1]")
    _check_proportion(0, len(values), confidence)
    if len(values) == 0:
        return 0.0, 1.0
    if len(values) == 1 and values[0] in (0.0, 1.0):
        none = -math.expm1(math.log1p(-confidence) / counts[0])
        return (0.0, none) if values[0] == 0.0 else (1.0 - none, 1.0)
    return _bounds(values, counts, confidence)


def _check_proportion(successes, n, confidence):
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}: there must be 0 to n of them")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence}: give a share between 0 and 1, such as 0.95")


def _bounds(values, counts, confidence):
    """Gaffke's bounds on both sides; of zeros and ones they are those of Clopper and Pearson."""
    values, counts = values[counts > 0], counts[counts > 0]
    tail = (1 - confidence) / 2
    return _lower_bound(values, counts, tail), 1.0 - _lower_bound(1.0 - values, counts, tail)


def _lower_bound(values, counts, alpha):
    """The quantile alpha of sum D_i x_i + D_{n+1} 0, D uniform over the simplex: the u for which
    sum G_i (u - x_i) + G_{n+1} u is positive with probability alpha, G of unit exponentials."""
    mean = float(values @ counts) / float(counts.sum())
    if mean == 0.0:
        return 0.0
    if len(values) == 1:  # only the last spacing counts
        return mean * alpha ** (1.0 / float(counts[0]))

    def excess(depth):  # of u = mean exp(-depth); it falls
        u = mean * math.exp(-depth)
        return math.log(_chance_of_positive(numpy.append(u - values, u),
                                            numpy.append(counts, 1.0)) / alpha)
    one, other = 0.0, -math.log(alpha) / float(counts.sum())
    at_one, at_other = excess(one), excess(other)
    if at_one <= 0.0:
        return mean
    while at_other > 0.0:
        one, other, at_one = other, 2.0 * other, at_other
        at_other = excess(other)
    while at_other != 0.0 and abs(other - one) > 1e-12 * other:  # false position, after Illinois
        middle = other - at_other * (other - one) / (at_other - at_one)
        at_middle = excess(middle)
        if at_middle * at_other < 0.0:
            one, at_one = other, at_other
        else:
            at_one *= 0.5
        is_settled = abs(middle - other) < 1e-13 * middle
        other, at_other = middle, at_middle
        if is_settled:
            break
    return mean * math.exp(-other)


def _chance_of_positive(factors, shapes):
    """P(sum of factors x variables of gamma distributions with these shapes > 0).

    With M(s) = prod (1 - s a)^-c it is 1/pi times the integral over y > 0 of Re(M(s) / s) along
    s = s0 + i y, 0 < s0 < 1 / max a; through the saddle point of M(s) / s nothing cancels, and the
    trapezoidal rule converges exponentially.
    """
    def exponent(s):
        return -(shapes @ numpy.log(1.0 - numpy.multiply.outer(factors, s))) - numpy.log(s)

    end = 1.0 / float(factors.max())
    low, high = -45.0, 45.0  # of the logit of s / end: the exponent is convex in s
    while high - low > 1e-6:
        middle = 0.5 * (low + high)
        s = end / (1.0 + math.exp(-middle))
        slope = float(shapes @ (factors / (1.0 - s * factors))) - 1.0 / s if s < end else 1.0
        low, high = (middle, high) if slope < 0.0 else (low, middle)
    saddle = end / (1.0 + math.exp(-low))
    poles = factors / (1.0 - saddle * factors)
    peak = 1.0 / math.sqrt(saddle ** -2 + float(shapes @ poles ** 2))
    step = 0.25 * min(peak, saddle, end - saddle)
    height = float(exponent(saddle))
    total, first, count = 0.5, 1, 64
    while first < 200_000:
        s = saddle + 1j * step * numpy.arange(first, first + count)
        terms = numpy.exp(exponent(s) - height)
        total += float(terms.real.sum())
        if abs(terms[-1]) < 1e-13:
            break
        first, count = first + count, 2 * count
    return total * step / math.pi * math.exp(height)


def wilson(successes, n, confidence=0.95):
    """The Wilson score interval of a proportion: (lower, upper), both in [0, 1]."""
    _check_proportion(successes, n, confidence)
    if n == 0:
        return 0.0, 1.0
    z = statistics.NormalDist().inv_cdf((1 + confidence) / 2)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    lower = 0.0 if successes == 0 else max(0.0, centre - half)
    upper = 1.0 if successes == n else min(1.0, centre + half)
    return lower, upper


ONLY = ""  # the name of a model's only input


def _collect(loader, what):
    """All batches as one array for each input, by name, and one int64 array of labels, or None."""
    inputs, labels = [], []
    for batch in loader:
        pair = isinstance(batch, (tuple, list))
        if pair and len(batch) not in (1, 2):
            raise ValueError(f"{what} gives batches of {len(batch)} things; give (images, labels) "
                             "or images; of a model with several inputs, ({argument: tensor}, "
                             "labels)")
        inputs.append(_inputs(batch[0] if pair else batch, what))
        if pair and len(batch) == 2:
            labels.append(_classes(batch[1], len(next(iter(inputs[-1].values()))), what))
    if not inputs:
        raise ValueError(f"{what} gives no batches; an iterator that was used up is empty, "
                         "so pass the DataLoader itself")
    if labels and len(labels) != len(inputs):
        raise ValueError(f"{what} gives labels with some batches only; give them with all or none")
    if any(batch.keys() != inputs[0].keys() for batch in inputs):
        raise ValueError(f"{what} gives other inputs in one batch than in another")
    joined = {}
    for name in inputs[0]:
        shapes = {batch[name].shape[1:] for batch in inputs}
        if len(shapes) > 1:
            raise ValueError(f"{what} gives images of several shapes, {sorted(shapes)}; resize "
                             "them")
        joined[name] = numpy.concatenate([batch[name] for batch in inputs])
        if joined[name].dtype.kind == "f" and not numpy.isfinite(joined[name]).all():
            raise ValueError(f"{what} gives images with NaN or infinite values; remove them")
    return joined, numpy.concatenate(labels) if labels else None


def _inputs(given, what):
    if not isinstance(given, dict):
        return {ONLY: _floats(given, what)}
    arrays = {name: _array(tensor) for name, tensor in given.items()}
    if not arrays or not all(isinstance(name, str) and name.isidentifier() for name in arrays):
        raise ValueError(f"{what} gives inputs named {list(arrays)}; name the arguments of forward")
    if any(array.ndim == 0 or array.dtype.kind not in "fiub" for array in arrays.values()):
        raise ValueError(f"{what} gives an input that is no array of numbers with a row for each "
                         "inference")
    if len({len(array) for array in arrays.values()}) > 1:
        raise ValueError(f"{what} gives inputs of several lengths in one batch; give each one row "
                         "for each inference")
    return {name: array.astype(numpy.float32) if array.dtype.kind == "f" else array
            for name, array in arrays.items()}


def _shapes(inputs):
    shapes = {name: array.shape[1:] for name, array in inputs.items()}
    return shapes.get(ONLY, shapes)


def _save_inputs(folder, only, prefix, inputs):
    """The path of the only input, or the paths of several by their names."""
    paths = {name: folder / (f"{prefix}{name}.npy" if name else f"{only}.npy") for name in inputs}
    for name, path in paths.items():
        numpy.save(path, inputs[name])
    return paths.get(ONLY, paths)


def _named(path):
    """As a scenario has it: a path, or a map of them."""
    if not isinstance(path, dict):
        return path.name
    return "{" + ", ".join(f"{name}: {one.name}" for name, one in path.items()) + "}"


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


def _save_model(model, inputs, path):
    import torch

    batch = {0: torch.export.Dim("batch", min=1)}
    rows = 2  # 1 would be fixed
    example = {name: torch.from_numpy(numpy.resize(array, (rows, *array.shape[1:])))
               for name, array in inputs.items()}
    module = copy.deepcopy(model).cpu().eval()
    if ONLY in example:
        program = torch.export.export(module, (example[ONLY],), dynamic_shapes=(batch,))
    else:
        program = torch.export.export(module, (), example,
                                      dynamic_shapes={name: batch for name in example})
    torch.export.save(program, path)

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""From a PyTorch model to a scenario folder, and from a results file to pandas.

    paths = tilestrike.export(model, loader, "study")   # then: tilestrike run study/scenario.yaml
    results = tilestrike.load("study/results.sqlite")
    results.trials.groupby("register").outcome.value_counts()

A script of one's own that judges answers calls `tilestrike.serve_judge(function)`. Spiking networks
are written by `write_nir`.

One file without further parts: copy it, or put its folder on PYTHONPATH. Only `export` needs torch.
"""

import collections.abc
import copy
import dataclasses
import inspect
import json
import math
import os
import pathlib
import re
import shutil
import sqlite3
import statistics
import struct
import subprocess
import traceback
import types
import warnings

import numpy

TABLES = ("trials", "outcomes", "faults", "scenarios", "meta")
WIDE = "trials_wide"  # where trials are kept in several tables, the view that joins them


def export(model, loader, folder, name="model", calibrate=None, output=None, judge=None):
    """Writes what `tilestrike run` needs into `folder`, which is made if it is missing.

    model:     torch.nn.Module in any mode and number format; it is left as it is
    loader:    iterable of batches with a row for each inference: inputs, or (inputs, labels), or
               (first input, second input, labels). Inputs are tensors or arrays, as the model takes
               them; of several a tuple or a dictionary {argument of forward: tensor}. A batch may
               be a dictionary, dataclass or named tuple as a whole, with labels under `labels`,
               `label`, `targets`, `target` or `y`; what forward has no argument for is left out,
               with a warning
    name:      of the model's file, without .pt2
    calibrate: a second iterable like `loader`, of training data, that fixes the int8 scales;
               without it the inputs of `loader` do, and TileStrike warns
    output:    of a model that returns several tensors: the key or the place of the answer, such as
               "logits" (which needs not be said) or "1.0"
    judge:     what the answer is: "top_k", "binary", "segmentation", "tokens", "regression",
               "relative_l2" or "detection", or a dictionary {"kind": ..., further keys of a
               scenario's `judge`}. Without it the shapes of answer and labels decide, where they
               leave no doubt

    Labels are class numbers (N,) or one-hot (N, classes), decisions 0 or 1 (N,) or (N, decisions),
    maps of classes (N, H, W), the token that each position should predict (N, T) (labels that
    repeat the inputs are shifted by one), or targets of the answer's shape.

    Writes NAME.pt2 (evaluation mode; any batch size, else 1, else the loader's: then weights are
    struck, not a mesh), images.npy or input_ARGUMENT.npy (floats as float32), labels.npy (if there
    are labels), calibrate.npy or calibrate_ARGUMENT.npy (if given) and scenario.yaml. Where the
    program is found (environment variable TILESTRIKE, PATH, the checkout's build), it looks at the
    model, which is decomposed where that helps. Returns the paths as a namespace with model,
    images, labels, calibrate (None where nothing was written; of several inputs a dictionary) and
    scenario.
    """
    if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        raise ValueError(f"name {name!r}: use letters, digits, '.', '_' and '-' only")
    module = _evaluated(model)
    inputs, labels, rows = _collect(loader, "loader", module)
    scales = None if calibrate is None else _collect(calibrate, "calibrate", module)[0]
    if scales is not None and _shapes(scales) != _shapes(inputs):
        raise ValueError(f"calibrate has inputs of shape {_shapes(scales)}, loader of "
                         f"{_shapes(inputs)}; both must be what the model takes")
    example, returned = _run_on_example(module, inputs)
    output, answer = _answer(returned, output)
    judge, labels = _judged(judge, answer, labels, inputs)
    program, batch = _program(module, example, answer, inputs, rows)
    if judge == {"kind": "binary"} and _ends_in_sigmoid(program):
        judge["scale"] = "probability"

    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = types.SimpleNamespace(model=folder / f"{name}.pt2", labels=None, calibrate=None,
                                  scenario=folder / "scenario.yaml")
    is_on_mesh = _save_program(program, paths.model, output) and batch in (None, 1)
    paths.images = _save_inputs(folder, "images", "input_", inputs)
    if labels is not None:
        paths.labels = folder / "labels.npy"
        numpy.save(paths.labels, labels.numpy())
    if scales is not None:
        paths.calibrate = _save_inputs(folder, "calibrate", "calibrate_", scales)
    data = {"images": paths.images, "labels": paths.labels,
            "calibrate": (paths.calibrate or paths.images) if is_on_mesh else None}
    keys = {"model": paths.model, "data": {key: path for key, path in data.items() if path},
            "output": output, "judge": judge["kind"] if judge and len(judge) == 1 else judge,
            **(MESH if is_on_mesh else TENSORS), "trials": 1000}
    paths.scenario.write_text("".join(f"{key}: {_flow(value)}\n" for key, value in keys.items()
                                      if value is not None), encoding="utf-8")
    return paths


def write_nir(path, network, *, ticks, dt, input_shape=None, spike_as="charge", reset="hard",
              encode="rate", readout="membrane"):
    """Writes a spiking network as NIR, and what NIR does not hold beside it: NAME.spiking.yaml.

    network:     nir.NIRGraph, or nodes of the package `nir` in their order: a list, or a dictionary
                 with their names; Input and Output are added. Shapes are without a batch, so that
                 all is nir.Flatten(None, start_dim=0)
    ticks, dt:   how many steps an inference has, and the seconds of one
    input_shape: where the first node does not know it (Conv2d, Flatten, pooling)
    spike_as:    what a spike of weight w is to an IF: "charge" r w, or "current" r w dt
    reset:       "hard" to v_reset, or "soft": the threshold is subtracted
    encode:      x in [0, 1] is floor(ticks x + 1/2) spikes, "rate", or the same in each tick,
                 "constant"
    readout:     the answer: "membrane" of a last layer that never fires (LI, IF, or Affine and
                 Linear with nothing behind them, which are summed up), "count" or "first_spike"

    Needs `pip install nir`. Returns the paths as a namespace with model and settings.
    """
    try:
        import nir
    except ImportError as error:
        raise ImportError(f"write_nir needs the package nir ({error}): pip install nir") from error
    path = pathlib.Path(path)
    if path.suffix != ".nir":
        raise ValueError(f"{path}: the name of a NIR file ends in .nir")
    settings = {"ticks": ticks, "dt": float(dt), "spike_as": spike_as, "reset": reset,
                "encode": encode, "readout": readout}
    _check_spiking(settings)
    _check_nodes(nir, graph := _nir_graph(nir, network, input_shape), settings)
    paths = types.SimpleNamespace(model=path, settings=path.with_suffix(".spiking.yaml"))
    nir.write(paths.model, graph)
    paths.settings.write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
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
        present = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        sources = {table: WIDE if table == "trials" and WIDE in present else table
                   for table in TABLES if table in present}
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


# The parts of `export`.

MESH = {"accelerator": "gemmini_16x16", "strike": {"where": {"mesh": {}}}}
TENSORS = {"accelerator": "none", "strike": {"where": {"weights": '"*"'}}}  # nothing for a mesh
ONLY = ""  # the name of a model's only input, where it has none
LABELS = ("labels", "label", "targets", "target", "y", "masks", "mask")  # names, the surest first
ANSWERS = ("logits", "out")  # what libraries call the answer among several outputs
UNJUDGED = -100  # the label of positions that are not judged
CHOICES = "'top_k', 'binary', 'segmentation', 'tokens', 'regression', 'relative_l2'"


def _evaluated(model):
    """A copy of the model itself, in evaluation mode, on the CPU, without gradients."""
    import torch

    if isinstance(model, torch.export.ExportedProgram):
        raise ValueError("model is exported already: write it with torch.export.save(model, "
                         "'model.pt2'), and name that file in a scenario")
    if isinstance(model, torch.jit.ScriptModule):
        raise ValueError("model is TorchScript, which torch.export does not take: write it with "
                         "torch.jit.save(model, 'model.pt'), and name that file in a scenario")
    if not isinstance(model, torch.nn.Module):
        raise ValueError(f"model is a {type(model).__name__}; give a torch.nn.Module")
    while True:  # wrappers that only distribute or compile
        inner = getattr(model, "_orig_mod", None)
        if type(model).__name__ in ("DataParallel", "DistributedDataParallel"):
            inner = model.module
        if inner is None:
            break
        model = inner
    try:
        module = copy.deepcopy(model)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"the model cannot be copied ({_first_line(error)}); run it once under "
                         "torch.no_grad() before, or give a freshly built one with "
                         "load_state_dict()") from error
    try:
        module = module.cpu().eval()
    except NotImplementedError:  # of torch.export's own modules: their mode is part of them
        module = module.cpu()
    if getattr(getattr(module, "config", None), "use_cache", None) is True:
        module.config.use_cache = False  # one pass of a language model; its cache is no answer
    return module.requires_grad_(False)


def _collect(loader, what, module):
    """All batches as one tensor for each input, by name, the labels as one or None, and the rows of
    the first batch."""
    import torch

    if isinstance(loader, (torch.Tensor, numpy.ndarray, dict)):
        raise ValueError(f"{what} is a {type(loader).__name__}, not an iterable of batches; put it "
                         "into a list: [(inputs, labels)]")
    inputs, labels = [], []
    for batch in loader:
        given, wanted = _split(batch, what, module)
        given = {name: _rows(value, what, name or "inputs") for name, value in given.items()}
        if len({len(rows) for rows in given.values()}) > 1:
            raise ValueError(f"{what} gives inputs of several lengths in one batch; give each one "
                             "row for each inference")
        inputs.append(given)
        if wanted is not None:
            labels.append(_rows(wanted, what, "labels"))
            if len(labels[-1]) != len(next(iter(given.values()))):
                raise ValueError(f"{what} gives {len(labels[-1])} labels with "
                                 f"{len(next(iter(given.values())))} rows; give one each")
    if not inputs:
        raise ValueError(f"{what} gives no batches; an iterator that was used up is empty, "
                         "so pass the DataLoader itself")
    if labels and len(labels) != len(inputs):
        raise ValueError(f"{what} gives labels with some batches only; give them with all or none")
    if any(batch.keys() != inputs[0].keys() for batch in inputs):
        raise ValueError(f"{what} gives other inputs in one batch than in another")
    joined = {name: _joined([batch[name] for batch in inputs], what, name or "inputs")
              for name in inputs[0]}
    for name, rows in joined.items():
        if rows.is_floating_point() and not rows.isfinite().all():
            raise ValueError(f"{what} gives {name or 'inputs'} with NaN or infinite values; remove "
                             "them")
    return (joined, _joined(labels, what, "labels") if labels else None,
            len(next(iter(inputs[0].values()))))


def _joined(parts, what, name):
    import torch

    shapes = sorted({tuple(part.shape[1:]) for part in parts})
    if len(shapes) > 1:
        raise ValueError(f"{what} gives {name} of several shapes, {shapes}; resize images to one "
                         "size, pad series and tokens to one length")
    return torch.cat(parts)


def _split(batch, what, module):
    """The inputs of a batch, by name, and its labels or None."""
    required, known = _arguments(module)
    named = _by_name(batch, known)
    if named is not None:
        return _split_named(named, what, required, known)
    if not isinstance(batch, (tuple, list)):
        return {ONLY: batch}, None
    things = list(batch)
    if things and all(isinstance(thing, (int, float)) for thing in things):
        raise ValueError(f"{what} gives bare numbers; give tensors with a row for each inference")
    if len(things) == 2 and (isinstance(things[0], (tuple, list)) or
                             _by_name(things[0], known) is not None):
        return _split(things[0], what, module)[0], things[1]
    count = len(things)
    if count > 1 and count != len(required):  # one of them is no input: the labels, which come last
        count -= 1
    if not max(1, len(required)) <= count <= max(1, len(known)):
        raise ValueError(f"{what} gives batches of {len(things)} things, and forward takes "
                         f"({', '.join(known)}); give (inputs, labels) or inputs; of a model with "
                         "several inputs, ({argument: tensor}, labels)")
    labels = things[count] if count < len(things) else None
    return dict(zip([ONLY] if count == 1 else known, things)), labels


def _arguments(module):
    """The names of the arguments that forward must have, and of all that it has."""
    parameters = inspect.signature(module.forward).parameters.values()
    named = [one for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    return [one.name for one in named if one.default is one.empty], [one.name for one in named]


def _by_name(batch, known):
    """What has names, as a dictionary; or None."""
    if dataclasses.is_dataclass(batch) and not isinstance(batch, collections.abc.Mapping):
        batch = {field.name: getattr(batch, field.name) for field in dataclasses.fields(batch)}
    elif hasattr(batch, "_asdict") and {*batch._fields} & {*known, *LABELS}:
        batch = batch._asdict()
    return dict(batch) if isinstance(batch, collections.abc.Mapping) else None


def _split_named(batch, what, required, known):
    batch = {name: value for name, value in batch.items() if value is not None}
    label = next((name for name in LABELS if name in batch and name not in required and
                  (name in LABELS[:-2] or name not in known)), None)
    labels = batch.pop(label, None)
    taken = {name: value for name, value in batch.items() if name in known}
    if not taken and len(batch) == 1:
        return {ONLY: next(iter(batch.values()))}, labels
    missing = [name for name in required if name not in taken]
    if not taken or missing:
        raise ValueError(f"{what} gives batches with the names {[*batch]}, and forward takes "
                         f"({', '.join(known)}); name the arguments of forward")
    left = [name for name in batch if name not in known]
    if left:
        warnings.warn(f"{what} gives {', '.join(map(repr, left))}, which forward has no argument "
                      "for: left out", stacklevel=5)
    return taken, labels


def _rows(value, what, name):
    """A tensor with a row for each inference, on the CPU."""
    import torch

    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (dict, str, list)) or \
            not isinstance(value, (torch.Tensor, numpy.ndarray, list, tuple)):
        kind = f"list of {type(value[0]).__name__}s" if isinstance(value, (list, tuple)) else \
            type(value).__name__
        raise ValueError(f"{what} gives {name} as a {kind}; give one tensor or array of numbers "
                         "with a row for each inference")
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], torch.Tensor):
        raise ValueError(f"{what} gives {name} as a list of {len(value)} tensors; stack them into "
                         "one tensor with a row for each inference")
    try:
        rows = torch.as_tensor(value).detach().cpu()
        if rows.layout is not torch.strided or rows.is_quantized or rows.is_nested:
            rows = rows.dequantize() if rows.is_quantized else rows.to_dense()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{what} gives {name} that is no tensor of numbers "
                         f"({_first_line(error)})") from error
    if rows.is_complex():
        raise ValueError(f"{what} gives {name} of complex numbers; give torch.view_as_real(...) of "
                         "it, and let the model begin with torch.view_as_complex")
    if rows.ndim == 0:
        raise ValueError(f"{what} gives {name} without a row for each inference; a data set gives "
                         "single rows: put a DataLoader around it")
    return rows


def _run_on_example(module, inputs):
    """Two rows of each input as the model takes them, and what it returns for them.

    Floats are given in their own number format, else in the model's; float64, which is NumPy's
    and seldom the model's, only in the latter.
    """
    import torch

    own = next((one.dtype for one in module.parameters() if one.is_floating_point()),
               torch.float32)
    given = {name: rows[[0, -1]] for name, rows in inputs.items()}
    cast = {name: rows.to(own) if rows.is_floating_point() else rows
            for name, rows in given.items()}
    tries = [cast] if any(rows.dtype is torch.float64 for rows in given.values()) else [given, cast]
    first = None
    for example in tries:
        try:
            with torch.no_grad():
                return example, _called(module, example)
        except Exception as error:  # whatever the user's code raises
            first = first or error
    cure = "check that the loader gives what the model was trained on"
    if any(rows.dtype is torch.uint8 for rows in given.values()):
        cure = ("it gets uint8: scale it to the floats that the model was trained on, as "
                "transforms.ToTensor() and Normalize do")
    shapes = ", ".join(f"{name} {tuple(rows.shape)} {rows.dtype}".lstrip()
                       for name, rows in given.items())
    raise ValueError(f"the model does not run on two rows of what loader gives ({shapes}): "
                     f"{_first_line(first)}{_place(first)}; {cure}") from first


def _called(module, example):
    return module(example[ONLY]) if ONLY in example else module(**example)


def _first_line(error):
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:300]}"


def _place(error):
    """The last line of the user's own code that an error passed, as ' (at FILE:LINE: CODE)'."""
    import torch

    folders = (str(pathlib.Path(torch.__file__).parent), str(pathlib.Path(__file__)))
    place = ""
    while error is not None:
        for frame in traceback.extract_tb(error.__traceback__):
            if not frame.filename.startswith((*folders, "<")):
                place = f" (at {frame.filename}:{frame.lineno}: {frame.line})"
        error = error.__cause__ or error.__context__
    return place


def _answer(returned, output):
    """The key or place of the answer, or None where there is but one, and the answer."""
    import torch

    found = dict(_tensors(returned))
    found = {path: one for path, one in found.items() if one.ndim} or found  # a loss is no answer
    if output is None and len(found) == 1:
        return None, next(iter(found.values()))
    if output is None and isinstance(returned, collections.abc.Mapping):
        output = next((name for name in ANSWERS if name in found), None)
    if output is None or str(output) not in found:
        said = "the model returns" if output is None else f"output {output!r}: the model returns"
        what = f"several tensors ({', '.join(found)})" if found else \
            f"a {type(returned).__name__} without tensors"
        raise ValueError(f"{said} {what}; say which is the answer, as in "
                         f"output={next(iter(found), 'KEY')!r}")
    return str(output), found[str(output)]


def _tensors(returned, path=""):
    """The tensors of an output with the paths that lead to them."""
    import torch

    if isinstance(returned, torch.Tensor):
        yield path, returned
        return
    named = _by_name(returned, ())
    if named is None:
        named = dict(enumerate(returned)) if isinstance(returned, (tuple, list)) else {}
    for key, part in named.items():
        yield from _tensors(part, f"{path}.{key}" if path else str(key))


def _judged(judge, answer, labels, inputs):
    """How the answers are judged, as a scenario has it (None: by its default), and the labels as
    that judge takes them."""
    judge = {"kind": judge} if isinstance(judge, str) else dict(judge or {})
    if answer.ndim == 0 or len(answer) != 2:
        raise ValueError(f"the answer to two rows has the shape {tuple(answer.shape)}; it must "
                         "have a row for each inference (a loss has none: let forward return what "
                         "the loss is taken of)")
    shape = tuple(answer.shape[1:])
    tokens = [rows for rows in inputs.values()
              if not rows.is_floating_point() and len(shape) == 2 and rows.shape[1:] == shape[:1]]
    is_guessed = not judge
    if is_guessed:
        judge = _kind(shape, labels, bool(tokens))
    if labels is not None:
        labels = _labels_for(judge, shape, labels, tokens)
    return None if is_guessed and judge == {"kind": "top_k"} else judge, labels


def _kind(shape, labels, has_tokens):
    """What an answer of this shape with these labels is, where there is no doubt."""
    if labels is None:
        if len(shape) == 1 and shape[0] > 1:
            return {"kind": "top_k"}
        if has_tokens:
            return {"kind": "tokens"}
        raise ValueError(f"answers of shape {_open(shape)} may mean several things where there are "
                         f"no labels; say which with judge=..., one of {CHOICES}")
    given, numbers = tuple(labels.shape[1:]), labels.double()
    is_whole = bool((numbers == numbers.round()).all())
    is_decided = is_whole and bool(((numbers == 0) | (numbers == 1)).all())
    is_one_hot = is_decided and given == shape and bool((numbers.sum(1) == 1).all())
    is_map = len(shape) > 1
    if shape in ((), (1,)) and given in ((), (1,)):
        return {"kind": "binary" if is_decided else "regression"}
    if len(shape) == 1 and is_whole and given in ((), (1,)):
        return {"kind": "top_k"}
    if given == shape and shape[0] > 1 and is_one_hot:
        return {"kind": "segmentation" if is_map else "top_k"}
    if given in (shape, shape[1:]) and is_decided and (shape[0] == 1 or given == shape):
        return {"kind": "binary"}
    if is_map and is_whole and given in (shape[1:], (1, *shape[1:])) and given != shape[:-1]:
        return {"kind": "segmentation"}
    if is_map and is_whole and given == shape[:-1] and (given != shape[1:] or has_tokens):
        return {"kind": "tokens"} if len(shape) == 2 else {"kind": "segmentation",
                                                            "class_axis": -1}
    sums_to_one = given == shape and bool(((numbers.sum(1) - 1).abs() < 1e-4).all())
    if given == shape and labels.is_floating_point() and not sums_to_one:
        return {"kind": "regression"}
    raise ValueError(f"labels of shape {_open(given)} and type {labels.dtype} do not say what "
                     f"answers of shape {_open(shape)} are; give class numbers (N,), decisions "
                     "(N,), maps of classes (N, H, W), tokens (N, T) or targets of the answer's "
                     f"shape, or say it with judge=..., one of {CHOICES}")


def _open(shape):
    return "(" + ", ".join(map(str, ("N", *shape))) + ("" if shape else ",") + ")"


def _labels_for(judge, shape, labels, tokens):
    """The labels as `judge` takes them; a label that a map leaves out goes into it."""
    kind = judge["kind"]
    if kind in ("top_k", "segmentation"):
        axis = judge.get("class_axis", 0) % max(1, len(shape))
        if tuple(labels.shape[1:]) == shape:
            labels = labels.argmax(axis + 1)
        elif kind == "segmentation" and labels.ndim == len(shape) + 1 and labels.shape[1] == 1:
            labels = labels[:, 0]
        elif kind == "top_k":
            labels = labels.reshape(len(labels), -1)
            if labels.shape[1] != 1:
                raise ValueError(f"judge top_k: {labels.shape[1]} labels for one answer; give one "
                                 "class number each")
            labels = labels[:, 0]
        return _classes(judge, shape[axis] if shape else 1, labels.long())
    if kind == "tokens":
        labels = labels.long()
        is_counted = labels != UNJUDGED
        if any(bool((labels == rows)[is_counted].all()) for rows in tokens):
            labels = labels.roll(-1, 1)  # position t answers with what comes at t + 1
            labels[:, -1] = UNJUDGED
        return _classes({"ignore": UNJUDGED, **judge}, shape[judge.get("class_axis", -1)], labels)
    if kind == "binary":
        return labels.long().reshape(len(labels), *(() if math.prod(shape) == 1 else shape))
    if kind == "regression":
        return labels.float().reshape(len(labels), *shape)
    return labels.float() if labels.is_floating_point() else labels.long()


def _classes(judge, count, labels):
    beyond = sorted({*labels[(labels < 0) | (labels >= count)].tolist()} - {judge.get("ignore")})
    if judge.get("kind") == "segmentation" and len(beyond) == 1 and "ignore" not in judge:
        judge["ignore"] = beyond[0]  # such as 255: pixels that are not judged
    elif beyond:
        raise ValueError(f"labels hold {', '.join(map(str, beyond[:5]))}, and the answer has "
                         f"{count} classes: class numbers are 0 to {count - 1}")
    return labels


def _program(module, example, answer, inputs, rows):
    """The exported program, and the batch that it is for: None, any; 1; or at last the loader's."""
    import torch

    def fixed(count):
        return {name: part[torch.arange(count) % len(part)].to(example[name].dtype)
                for name, part in inputs.items()}
    any_batch, errors = {0: torch.export.Dim("batch", min=1)}, []
    for batch, given in ((None, example), (1, fixed(1)), (rows, fixed(rows))):
        arguments, named = ((given[ONLY],), {}) if ONLY in given else ((), given)
        shapes = (any_batch,) if arguments else {name: any_batch for name in named}
        try:
            program = torch.export.export(module, arguments, named, strict=False,
                                          dynamic_shapes=shapes if batch is None else None)
            with torch.no_grad():
                found = dict(_tensors(_called(program.module(), given))).values()
            if any(one.shape[1:] == answer.shape[1:] for one in found if one.ndim):
                return program, batch
            raise ValueError(f"a batch of {len(next(iter(given.values())))} changes the shape of "
                             "the answer")  # as where forward squeezes
        except Exception as error:  # of many kinds, the user's own among them
            errors.append(error)
    text = _first_line(errors[-1])
    cure = "rewrite that line, or export a part of the model that stands without it"
    if "data-dependent" in str(errors[-1]) or "GuardOnDataDependent" in text:
        cure = ("that line branches on values of tensors: take both ways and choose with "
                "torch.where, or fix the choice before export")
    raise ValueError(f"torch.export refuses the model: {text}{_place(errors[-1])}; {cure}"
                     ) from errors[-1]


def _ends_in_sigmoid(program):
    """Whether a program of one output gives probabilities."""
    returned = next(node for node in program.graph.nodes if node.op == "output").args[0]
    if len(returned) != 1:
        return False
    node = returned[0]
    while getattr(node, "op", None) == "call_function":
        name = str(node.target).split(".")[1:2]
        if name == ["sigmoid"]:
            return True
        if name not in (["view"], ["reshape"], ["squeeze"], ["flatten"], ["select"], ["to"]):
            return False
        node = node.args[0]
    return False


def _save_program(program, path, output):
    """Writes the program, decomposed where TileStrike takes only that, or finds products for the
    mesh only in that. Says whether there are any, as far as is known."""
    import torch

    torch.export.save(program, path)
    refusal, is_on_mesh = _look(path, output)
    if refusal is None and is_on_mesh:
        return True
    try:
        torch.export.save(program.run_decompositions(), path)
        other_refusal, is_other_on_mesh = _look(path, output)
        if other_refusal is None and (is_other_on_mesh or refusal is not None):
            return is_other_on_mesh
    except Exception:  # of many kinds: the program as it is remains
        pass
    torch.export.save(program, path)
    if refusal is not None:
        raise ValueError(f"tilestrike takes the model neither as it is nor decomposed: {refusal}")
    return is_on_mesh


def _look(path, output):
    """The sentence by which the program refuses the model, or None, and whether it has products for
    a mesh; (None, True) where there is no program to ask."""
    built = pathlib.Path(__file__).resolve().parent.parent / "build/release/bin/tilestrike"
    asked = os.environ.get("TILESTRIKE") or shutil.which("tilestrike") or str(built)
    if not pathlib.Path(asked).is_file():
        return None, True
    done = subprocess.run([asked, "inspect", path, "--json",
                           *([] if output is None else ["--output", output])],
                          capture_output=True, text=True)
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[0], False
    return None, any(re.search(r"conv|linear|mm|matmul|attention", layer["operator"])
                     for layer in json.loads(done.stdout))


def _shapes(inputs):
    shapes = {name: tuple(rows.shape[1:]) for name, rows in inputs.items()}
    return shapes.get(ONLY, shapes)


def _save_inputs(folder, only, prefix, inputs):
    """The path of the only input, or the paths of several by their names."""
    paths = {name: folder / (f"{prefix}{name}.npy" if name else f"{only}.npy") for name in inputs}
    for name, path in paths.items():
        rows = inputs[name]
        numpy.save(path, (rows.float() if rows.is_floating_point() else rows).numpy())
    return paths.get(ONLY, paths)


def _flow(value):
    """As a scenario has it on one line: a map, a list, the name of a file, or a word."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return value.name if isinstance(value, pathlib.Path) else str(value)


# The parts of `write_nir`.

SPIKING = {"spike_as": ("charge", "current"), "reset": ("hard", "soft"),
           "encode": ("rate", "constant"), "readout": ("membrane", "count", "first_spike")}


def _check_spiking(settings):
    if type(settings["ticks"]) is not int or settings["ticks"] < 1:
        raise ValueError(f"ticks {settings['ticks']!r}: give a whole number from 1 up")
    if not 0 < settings["dt"] < math.inf:
        raise ValueError(f"dt {settings['dt']}: give the seconds of a tick, above 0")
    for key, choices in SPIKING.items():
        if settings[key] not in choices:
            raise ValueError(f"{key} {settings[key]!r}: give one of {', '.join(choices)}")


def _nir_graph(nir, network, input_shape):
    """A straight line of nodes as a graph; a graph as it is."""
    if isinstance(network, nir.NIRGraph):
        return network
    if isinstance(network, (list, tuple)):
        kinds = [type(node).__name__.lower() for node in network]
        network = {f"{kind}_{kinds[:place].count(kind) + 1}": node
                   for place, (kind, node) in enumerate(zip(kinds, network))}
    if not network or not isinstance(network, collections.abc.Mapping) or not all(
            isinstance(node, nir.NIRNode) for node in network.values()):
        raise ValueError("network: give a nir.NIRGraph, or a list or dictionary of nodes of the "
                         "package nir, such as nir.Affine and nir.LIF")
    nodes, line = dict(network), list(network.values())
    for name, own in ("input", line[0]), ("output", line[-1]):
        if name in network and not isinstance(own, (nir.Input, nir.Output)):
            raise ValueError(f"network: a node is called {name}, as one that is added; rename it")
    if not isinstance(line[0], nir.Input):
        shape = line[0].input_type["input"] if input_shape is None else input_shape
        if shape is None:
            raise ValueError("the first node does not know its shape; give input_shape")
        nodes = {"input": nir.Input(numpy.array(shape)), **nodes}
    if not isinstance(line[-1], nir.Output):
        nodes["output"] = nir.Output(None)
    try:
        return nir.NIRGraph(nodes, list(zip(nodes, [*nodes][1:])))
    except ValueError as error:
        raise ValueError(f"network: {error}; shapes are without the batch, and the start_dim of "
                         "a Flatten counts from 0") from error


def _check_nodes(nir, graph, settings):
    """What a later import would refuse, said where the network is still at hand."""
    for name, node in graph.nodes.items():
        for key, value in vars(node).items():
            if isinstance(value, numpy.ndarray) and not numpy.isfinite(value).all():
                raise ValueError(f"node {name}: {key} holds NaN or infinite values; remove them")
            if key == "tau" and (value < settings["dt"]).any():
                raise ValueError(f"node {name}: tau is down to {value.min()} s, below dt = "
                                 f"{settings['dt']} s; give both in seconds, or a smaller dt")
    ends = [source for source, target in graph.edges if isinstance(graph.nodes[target], nir.Output)
            and isinstance(graph.nodes[source], (nir.Affine, nir.Linear, nir.Conv2d, nir.LI))]
    if ends and settings["readout"] != "membrane":
        raise ValueError(f"readout {settings['readout']}: node {ends[0]} at the end never fires; "
                         "put IF or LIF behind it, or say readout='membrane'")

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""From an own PyTorch model to a plot: train, export, strike, look.

    python python/own_model.py [--trials N] [--out FOLDER]

Runs as a script, and cell by cell in an editor that knows `# %%`. The program is found through the
environment variable TILESTRIKE, else where the release preset builds it.
"""

# %% Settings
import argparse
import os
import pathlib
import subprocess
import sys

import torch
from torch import nn

import fashion_mnist
import tilestrike

CHECKOUT = pathlib.Path(tilestrike.__file__).resolve().parent.parent

parser = argparse.ArgumentParser(description="From an own PyTorch model to a plot.")
parser.add_argument("--trials", type=int, default=1000, help="strikes (default: 1000)")
parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("out/own_model"),
                    help="folder of everything that is written (default: out/own_model)")
options = parser.parse_args([] if "ipykernel" in sys.modules else None)

program = pathlib.Path(os.environ.get("TILESTRIKE", CHECKOUT / "build/release/bin/tilestrike"))
if not program.is_file():
    sys.exit(f"own_model: {program}: no such program; build it with ./quickstart, or name it in "
             "the environment variable TILESTRIKE")
torch.set_num_threads(1)
torch.manual_seed(1)

# %% A tiny network: images (N, 1, 28, 28) in [0, 1] -> logits (N, 10)
model = nn.Sequential()
model.add_module("conv1", nn.Conv2d(1, 8, 3, stride=2, padding=1))
model.add_module("relu1", nn.ReLU())
model.add_module("conv2", nn.Conv2d(8, 16, 3, stride=2, padding=1))
model.add_module("relu2", nn.ReLU())
model.add_module("flatten", nn.Flatten())
model.add_module("fc", nn.Linear(16 * 7 * 7, 10))

images, labels = map(torch.from_numpy, fashion_mnist.load("train"))
test_images, test_labels = map(torch.from_numpy, fashion_mnist.load("test"))

# %% Two passes over the training images
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for _ in range(2):
    for chosen in torch.randperm(len(images)).split(128):
        loss = nn.functional.cross_entropy(model(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
with torch.no_grad():
    correct = (model(test_images).argmax(1) == test_labels).float().mean()
print(f"float accuracy: {100 * correct:.2f} % of {len(test_images)} test images")

# %% Export the network, 500 test images to strike, and 500 training images for the int8 scales
paths = tilestrike.export(model, [(test_images[:500], test_labels[:500])], options.out,
                          name="tiny", calibrate=[images[:500]])

# %% Strike it
database = options.out / "results.sqlite"
for old in options.out.glob(database.name + "*"):  # another model's results would be refused
    old.unlink()
subprocess.run([program.resolve(), "run", paths.scenario, "--trials", str(options.trials),
                "--out", database], check=True)

# %% P(sdc) of each kind of register, over all trials, with exact 95 % intervals
trials = tilestrike.load(database).trials
rows = []
for register, group in trials.groupby("register"):
    n, sdc = len(group), int((group.outcome == "sdc").sum())
    rows.append((register, n, sdc, sdc / n, *tilestrike.clopper_pearson(sdc, n)))
rows.sort(key=lambda row: -row[3])

print(f"{'register':<24} {'trials':>7} {'sdc':>6} {'P(sdc)':>8}   95 % interval")
for register, n, sdc, share, lower, upper in rows:
    print(f"{register:<24} {n:>7} {sdc:>6} {100 * share:>6.2f} %   "
          f"{100 * lower:.2f} .. {100 * upper:.2f} %")

# %% The same as a plot, where matplotlib is installed
try:
    import matplotlib
except ImportError:
    print("no plot: matplotlib is not installed (pip install matplotlib)")
else:
    if "ipykernel" not in sys.modules:
        matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(layout="constrained")
    share = [100 * row[3] for row in rows]
    below = [100 * (row[3] - row[4]) for row in rows]
    above = [100 * (row[5] - row[3]) for row in rows]
    axes.barh([row[0] for row in rows], share, xerr=[below, above], capsize=3)
    axes.invert_yaxis()
    axes.set_xlabel(f"P(sdc) in percent, 95 % intervals, {len(trials)} trials")
    axes.set_title("One upset in a 16x16 systolic mesh")
    figure.savefig(options.out / "sdc_by_register.png", dpi=150)
    print(f"plot: {options.out / 'sdc_by_register.png'}")

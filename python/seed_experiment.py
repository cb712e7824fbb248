# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Table and figure of accuracy against faults per parameter, from results files.

    python python/seed_experiment.py RESULTS.sqlite ... [--svg figure.svg]

RESULTS are campaigns of tensor faults (campaigns/scenarios/seed_*.yaml). For every scenario: how
much accuracy is lost, and the shares of images with another top class (SDC-1) and with a logit that
is not finite, each with Student's 95 % interval over trials, that is over draws of faults. A trial
counts with its weight (the probability of at least one fault, where it was conditioned on that).
Of campaigns that strike layer by layer: the worst layer and the median one, by kind of bit.
"""

import argparse
import collections
import math
import pathlib
import re
import sqlite3
import statistics

COLOURS = ("#1b6ca8", "#c8553d", "#3a7d44", "#7b4b94", "#b8860b", "#444444")
DASHES = ("", "6 3", "2 3")
PANEL = 400  # width
QUANTITIES = ("loss", "sdc_1", "nonfinite")


def student(degrees):
    """The 97.5 % quantile of Student's t (Cornish-Fisher; within 0.1 % from 6 degrees on)."""
    z = 1.959964
    return (z + (z ** 3 + z) / (4 * degrees) +
            (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2) +
            (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3))


def key(expanded, name):
    found = re.search(rf"^\s*{name}: (.*)$", expanded, re.MULTILINE)
    return found[1].strip('"') if found else ""


def read(path):
    """One dictionary per scenario of the file."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    columns = {row["name"] for row in database.execute("PRAGMA table_info(trials)")}
    if "images_golden_correct" not in columns:
        raise SystemExit(f"{path}: it has no column images_golden_correct; run the campaign again "
                         "with this version, on images with labels")
    for scenario in database.execute("SELECT * FROM scenarios ORDER BY scenario").fetchall():
        trials = database.execute("SELECT * FROM trials WHERE scenario = ?",
                                  (scenario["scenario"],)).fetchall()
        if len(trials) < 2:
            continue
        text = scenario["expanded"]
        row = {name: key(text, name) for name in ("model", "format", "bits")}
        row["model"] = pathlib.Path(row["model"]).stem
        if row["format"] == "auto":
            row["format"] = "float32" if key(text, "accelerator") == "none" else "int8"
        row["target"] = next(name for name in ("weights", "activations", "biases", "[a-z_]+")
                             if name == "[a-z_]+" or key(text, name))
        row["pattern"] = key(text, row["target"])
        rate = key(text, "per_parameter") or key(text, "per_bit")
        row["rate"] = float(rate) if rate else None
        row["count"], row["trials"] = key(text, "count"), len(trials)
        samples = {
            "loss": [(t["images_golden_correct"] - t["images_correct"]) / t["images"]
                     for t in trials],
            "sdc_1": [t["images_sdc_1"] / t["images"] for t in trials],
            "nonfinite": [t["images_nonfinite"] / t["images"] for t in trials]}
        for name, shares in samples.items():
            shares = [100 * share * t["weight"] for share, t in zip(shares, trials)]
            half = student(len(shares) - 1) * statistics.stdev(shares) / math.sqrt(len(shares))
            if half == 0.0:  # no spread: the 95 % bound of what n equal trials cannot rule out
                half = 100 * trials[0]["weight"] * (1 - 0.05 ** (1 / len(shares)))
            row[name] = (statistics.fmean(shares), half)
        yield row


def share_text(mean, half):
    return f"{mean:.3g} ± {half:.2g}" if mean else f"0, at most {half:.2g}"


def print_rates(rows):
    print("| model | format | faults in | per parameter or bit | trials | accuracy lost, points | "
          "SDC-1, % | non-finite, % |\n|---|---|---|---|---|---|---|---|")
    for row in rows:
        shares = " | ".join(share_text(*row[name]) for name in QUANTITIES)
        print(f"| {row['model']} | {row['format']} | {row['target']} | {row['rate']:.0e} | "
              f"{row['trials']} | {shares} |")


def print_layers(rows):
    """Per model, format and kind of bit: the layers in the order of what one fault costs."""
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row["model"], row["format"], row["bits"] or "all"].append(row)
    print("\n| model | format | bits | layers | worst layer: SDC-1, % | median layer: SDC-1, % |\n"
          "|---|---|---|---|---|---|")
    for (model, number_format, bits), members in groups.items():
        members.sort(key=lambda row: row["sdc_1"][0])
        worst, median = members[-1], members[len(members) // 2]
        named = " | ".join(f"{row['pattern']}: {share_text(*row['sdc_1'])}"
                           for row in (worst, median))
        print(f"| {model} | {number_format} | {bits} | {len(members)} | {named} |")


def figure(rows):
    """Accuracy lost against the rate as SVG: a panel per target, a colour per model, a dash per
    format."""
    targets = sorted({row["target"] for row in rows}, reverse=True)  # weights first
    models = list(dict.fromkeys(row["model"] for row in rows))
    formats = list(dict.fromkeys(row["format"] for row in rows))
    lines = collections.defaultdict(list)
    for row in rows:
        lines[row["target"], row["model"], row["format"]].append(row)
    low = math.floor(math.log10(min(row["rate"] for row in rows)))
    high = max(low + 1, math.ceil(math.log10(max(row["rate"] for row in rows))))
    top = max(1.0, max(sum(row["loss"]) for row in rows))
    width, height = 60 + PANEL * len(targets), 410 + 18 * (len(models) + 1)

    def x(target, rate):
        return (60 + PANEL * targets.index(target) +
                (PANEL - 60) * (math.log10(rate) - low) / (high - low))

    def y(loss):
        return 340 - 300 * max(0.0, min(loss, top)) / top

    def stroke(model, number_format):
        dash = DASHES[formats.index(number_format) % len(DASHES)]
        return (f'stroke="{COLOURS[models.index(model) % len(COLOURS)]}"' +
                (f' stroke-dasharray="{dash}"' if dash else ""))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             f'font-family="sans-serif" font-size="12"><rect width="{width}" height="{height}" '
             'fill="white"/>',
             '<text x="20" y="16">accuracy lost, percentage points, against faults per parameter; '
             '95 % intervals over fault draws</text>']
    for target in targets:
        left, right = x(target, 10.0 ** low), x(target, 10.0 ** high)
        parts.append(f'<path d="M{left:.1f} 40V340H{right:.1f}" fill="none" stroke="black"/>'
                     f'<text x="{left + 12:.1f}" y="50">faults in {target}</text>')
        for power in range(low, high + 1):
            parts.append(f'<text x="{x(target, 10.0 ** power) - 14:.1f}" y="358">1e{power}</text>')
        for tick in range(6):
            parts.append(f'<text x="{left - 38:.1f}" y="{y(top * tick / 5) + 4:.1f}">'
                         f'{top * tick / 5:.1f}</text>')
    for (target, model, number_format), members in sorted(lines.items()):
        members.sort(key=lambda row: row["rate"])
        colour = COLOURS[models.index(model) % len(COLOURS)]
        points = " ".join(f"{x(target, row['rate']):.1f},{y(row['loss'][0]):.1f}"
                          for row in members)
        parts.append(f'<polyline points="{points}" fill="none" {stroke(model, number_format)}>'
                     f'<title>{model}, {number_format}, {target}</title></polyline>')
        for row in members:
            mean, half = row["loss"]
            parts.append(f'<path d="M{x(target, row["rate"]):.1f} {y(mean - half):.1f}'
                         f'V{y(mean + half):.1f}" stroke="{colour}"/>')
    for place, model in enumerate(models):
        for column, number_format in enumerate(formats):
            if any((target, model, number_format) in lines for target in targets):
                left, line = 60 + 190 * column, 386 + 18 * place
                parts.append(f'<path d="M{left} {line - 4}H{left + 30}" '
                             f'{stroke(model, number_format)}/>'
                             f'<text x="{left + 38}" y="{line}">{model}, {number_format}</text>')
    return "\n".join([*parts, "</svg>\n"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("results", nargs="+", type=pathlib.Path)
    parser.add_argument("--svg", type=pathlib.Path, help="write the figure to this file")
    options = parser.parse_args()
    rows = [row for path in options.results for row in read(path)]
    rates = [row for row in rows if row["rate"] is not None]
    layers = [row for row in rows if row["rate"] is None and row["count"]]
    if not rates and not layers:
        raise SystemExit("no scenario with a rate or a count has two trials yet")
    if rates:
        print_rates(rates)
        if options.svg:
            options.svg.write_text(figure(rates))
    if layers:
        print_layers(layers)


if __name__ == "__main__":
    main()

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables and figure of what a task loses against faults per parameter, from results files.

    python python/seed_experiment.py RESULTS.sqlite ... [--svg figure.svg]

RESULTS are campaigns of tensor faults (campaigns/scenarios/seed_*.yaml and lm_*.yaml). For every
scenario of a classifier: how much accuracy is lost, and the shares of images with another top class
(SDC-1) and with a logit that is not finite, each with its 95 % interval over trials, that is over
draws of faults. They are Gaffke's bounds (tilestrike.interval_of_shares), and where trials are
divided into strata their combination, as in the summary of `tilestrike run`. Trials that are
conditioned on at least one fault count with the probability of that. Of campaigns that strike
layer by layer: the worst layer and the median one, by kind of bit.

Of `judge: segmentation` the loss is that of mIoU and the second share that of the pixels whose
class differs. Of `judge: tokens`: the share of tokens whose prediction differs, how often faults
double the perplexity, and the median of the perplexity over the golden one, over draws with at
least one fault.
"""

import argparse
import collections
import math
import pathlib
import re
import sqlite3
import statistics

import tilestrike

COLOURS = ("#1b6ca8", "#c8553d", "#3a7d44", "#7b4b94", "#b8860b", "#444444")
DASHES = ("", "6 3", "2 3")
PANEL = 400  # width
# Of each judge, the shares in its table; the first is drawn.
QUANTITIES = {"top_k": ("loss", "sdc_1", "nonfinite"),
              "segmentation": ("loss", "differing", "nonfinite"),
              "tokens": ("differing", "doubled", "nonfinite")}
HEADS = {"loss": {"top_k": "accuracy lost, points", "segmentation": "mIoU lost, points"},
         "sdc_1": "SDC-1, %", "nonfinite": "non-finite, %", "doubled": "perplexity doubled, %",
         "differing": {"segmentation": "pixels that differ, %", "tokens": "tokens that differ, %"}}


def strata_of(trials):
    """The trials by stratum, each with its exact share of the bits; without strata one of share 1.

    Of H strata one with the share W of the bits has the share s = W / 2 + 1 / (2 H) of the trials
    (campaigns/plan/tensor_population.cpp), and its trials have the weight w = W / s; so
    W = w / (2 - w) / H, and these add up to 1.
    """
    groups = collections.defaultdict(list)
    for trial in trials:
        groups[trial["stratum"]].append(trial)
    if len(groups) == 1 and "" in groups:
        return [(1.0, trials)]
    parts = {name: members[0]["weight"] / (2.0 - members[0]["weight"])
             for name, members in groups.items()}
    if abs(sum(parts.values()) - len(parts)) > 1e-6 * len(parts):
        raise SystemExit(f"a scenario has trials of the strata {', '.join(sorted(groups))} only; "
                         "raise --trials, so that none is left out")
    return [(part / len(parts), groups[name]) for name, part in parts.items()]


def bound_of_none(strata):
    """The largest mean sum(W p) under which nothing but zeros in every stratum, of n trials each,
    has a probability of 5 %: by Lagrange 1 - p = m n / W where that is below 1."""
    def reached(m):
        return sum(n * math.log(weight / (m * n)) for weight, n in strata if weight > m * n)

    high = max(math.log(weight / n) for weight, n in strata)
    low = high + math.log(0.05)
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if reached(math.exp(middle)) > -math.log(0.05) else (low, middle)
    m = math.exp(low)
    return sum(weight - m * n for weight, n in strata if weight > m * n)


def mean_of(strata):
    """(value, low, high) of the mean over strata (exact share, shares in [0, 1] of its trials), by
    the method of variance estimates recovery, as in campaigns/statistics/stratified.cpp."""
    if not any(any(shares) for _, shares in strata):
        return 0.0, 0.0, bound_of_none([(weight, len(shares)) for weight, shares in strata])
    value, below, above = 0.0, 0.0, 0.0
    for weight, shares in strata:
        mean = math.fsum(shares) / len(shares)
        low, high = tilestrike.interval_of_shares(shares)
        value += weight * mean
        below += (weight * (mean - low)) ** 2
        above += (weight * (high - mean)) ** 2
    return value, max(0.0, value - math.sqrt(below)), min(1.0, value + math.sqrt(above))


def head(name, judge):
    return HEADS[name] if isinstance(HEADS[name], str) else HEADS[name][judge]


def score_of(trial, column="score"):
    """The metric of a trial; an answer that is not finite has no perplexity, or an infinite one."""
    return math.inf if trial[column] is None else trial[column]


def estimates(trials, judge, is_judged_on_all):
    """(value, low, high) of each of the judge's QUANTITIES, in percent."""
    strata = strata_of(trials)
    weight = trials[0]["weight"] if len(strata) == 1 else 1.0  # the chance of a fault

    def mean(share):
        return mean_of([(part, [share(t) for t in members]) for part, members in strata])

    def kept(trial):
        return (score_of(trial) if judge == "segmentation" else
                trial["images_correct"] / trial["images"])

    def golden(trial):
        return (score_of(trial, "golden_score") if judge == "segmentation" else
                trial["images_golden_correct"] / trial["images"])

    def loss():
        if is_judged_on_all:
            return [golden(trials[0]) - one for one in mean(kept)]
        # Of one image each, another in every trial: what is gained lies between -1 and 1.
        return [1.0 - 2.0 * one for one in mean(lambda t: 0.5 + (kept(t) - golden(t)) / 2)]

    shares = {
        "sdc_1": lambda t: t["images_sdc_1"] / t["images"],
        "nonfinite": lambda t: t["images_nonfinite"] / t["images"],
        "differing": lambda t: t["share_differing"] or 0.0,
        "doubled": lambda t: float(score_of(t) > 2.0 * score_of(t, "golden_score"))}
    found = {}
    for name in QUANTITIES[judge]:
        if name == "loss":
            value, high, low = loss()
            found[name] = value, low, high
        else:
            found[name] = mean(shares[name])
    return {name: tuple(100.0 * weight * one for one in found[name]) for name in found}


def median_growth(trials):
    """(value, low, high) of the median over trials of the score over the golden one: order
    statistics that hold it with 95 %, whatever the distribution."""
    growths = sorted(score_of(trial) / trial["golden_score"] for trial in trials)
    n = len(growths)
    below, log_chance = 0, n * math.log(0.5)  # of exactly `below` of them under the median
    outside = math.exp(log_chance)
    while outside <= 0.025:
        below += 1
        log_chance += math.log((n - below + 1) / below)
        outside += math.exp(log_chance)
    # Of fewer than six no two hold the median that surely.
    low, high = (growths[below - 1], growths[n - below]) if below > 0 else (0.0, math.inf)
    return statistics.median(growths), low, high


def key(expanded, name):
    found = re.search(rf"^\s*{name}: (.*)$", expanded, re.MULTILINE)
    return found[1].strip('"') if found else ""


def read(path):
    """One dictionary per scenario of the file."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    columns = {row["name"] for row in database.execute("PRAGMA table_info(trials)")}
    for column in ("images_golden_correct", "stratum"):
        if column not in columns:
            raise SystemExit(f"{path}: it has no column {column}; run the campaign again with this "
                             "version, on images with labels")
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
        # A judge without keys is one word; else its kind comes first among them.
        row["judge"] = key(text, "judge") or key(text, "kind") or "top_k"
        row["judge"] = "top_k" if row["judge"] == "auto" else row["judge"]
        if row["judge"] not in QUANTITIES:
            raise SystemExit(f"{path}: it was judged by {row['judge']}; this script knows " +
                             ", ".join(QUANTITIES))
        is_judged_on_all = row["target"] != "activations" or trials[0]["images"] > 1
        row.update(estimates(trials, row["judge"], is_judged_on_all))
        if row["judge"] == "tokens":
            row["growth"] = median_growth(trials)
        yield row


def share_text(value, low, high):
    if value == low == 0.0:
        return f"0, at most {high:.2g}"
    return f"{value:.3g} [{low:.2g}, {high:.2g}]"


def rates_table(rows):
    """One table for each judge among the rows."""
    tables = []
    for judge, names in QUANTITIES.items():
        members = [row for row in rows if row["judge"] == judge]
        heads = [head(name, judge) for name in names]
        heads += ["perplexity over golden, median"] if judge == "tokens" else []
        lines = ["| model | format | faults in | per parameter or bit | trials | " +
                 " | ".join(heads) + " |", "|" + "---|" * (5 + len(heads))]
        for row in members:
            texts = [share_text(*row[name]) for name in names]
            texts += ["{:.3f} [{:.3f}, {:.3f}]".format(*row["growth"])] if judge == "tokens" else []
            lines.append(f"| {row['model']} | {row['format']} | {row['target']} | "
                         f"{row['rate']:.0e} | {row['trials']} | {' | '.join(texts)} |")
        tables += ["\n".join(lines)] if members else []
    return "\n\n".join(tables)


def layers_table(rows):
    """Per model, format and kind of bit: the layers in the order of what one fault costs. A table
    for each judge."""
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row["judge"], row["model"], row["format"], row["bits"] or "all"].append(row)
    tables = {}
    for (judge, model, number_format, bits), members in groups.items():
        name = "sdc_1" if judge == "top_k" else "differing"
        what = head(name, judge)
        lines = tables.setdefault(judge, [
            f"| model | format | bits | layers | worst layer: {what} | median layer: {what} |",
            "|---|---|---|---|---|---|"])
        members.sort(key=lambda row: row[name][0])
        worst, median = members[-1], members[len(members) // 2]
        named = " | ".join(f"{row['pattern']}: {share_text(*row[name])}" for row in (worst, median))
        lines.append(f"| {model} | {number_format} | {bits} | {len(members)} | {named} |")
    return "\n\n".join("\n".join(lines) for lines in tables.values())


def figure(rows):
    """The judge's first quantity against the rate as SVG: a panel per target, a colour per model, a
    dash per format."""
    judge = rows[0]["judge"]
    if any(row["judge"] != judge for row in rows):
        raise SystemExit("a figure shows results of one judge; give --svg the files of one only")
    drawn = QUANTITIES[judge][0]
    about = head(drawn, judge).replace(", points", ", percentage points")
    targets = sorted({row["target"] for row in rows}, reverse=True)  # weights first
    models = list(dict.fromkeys(row["model"] for row in rows))
    formats = list(dict.fromkeys(row["format"] for row in rows))
    lines = collections.defaultdict(list)
    for row in rows:
        lines[row["target"], row["model"], row["format"]].append(row)
    low = math.floor(math.log10(min(row["rate"] for row in rows)))
    high = max(low + 1, math.ceil(math.log10(max(row["rate"] for row in rows))))
    top = max(1.0, max(row[drawn][2] for row in rows))
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
             f'<text x="20" y="16">{about}, against faults per parameter; '
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
        points = " ".join(f"{x(target, row['rate']):.1f},{y(row[drawn][0]):.1f}"
                          for row in members)
        parts.append(f'<polyline points="{points}" fill="none" {stroke(model, number_format)}>'
                     f'<title>{model}, {number_format}, {target}</title></polyline>')
        for row in members:
            _, lowest, highest = row[drawn]
            parts.append(f'<path d="M{x(target, row["rate"]):.1f} {y(lowest):.1f}'
                         f'V{y(highest):.1f}" stroke="{colour}"/>')
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
        print(rates_table(rates))
        if options.svg:
            options.svg.write_text(figure(rates))
    if layers:
        print("\n" + layers_table(layers))


if __name__ == "__main__":
    main()

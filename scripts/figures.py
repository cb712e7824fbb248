# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes the figures of README.md and docs/ that the program can produce.

    python3 scripts/figures.py [--check] [--campaigns] [--folder DIR] [NAME ...]

In a document a figure stands between `<!-- figures: NAME -->` and `<!-- end -->`; what is there is
replaced. Without names: all that take seconds; with --campaigns also those that take minutes or
hours, whose results are kept in DIR (out/figures) and resumed. --check writes nothing and prints
what differs. The program is found through the environment variable TILESTRIKE, else where the
release preset builds it. Exit status: 0 all is written, or agrees; 1 something differs; 2 it cannot
be told.
"""

import argparse
import dataclasses
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys
import typing

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))

MARK = re.compile(r"<!-- figures: ([\w./-]+) -->(.*?)<!-- end -->", re.DOTALL)

# Accelerators that commands below name.
FILES = {f"{dataflow}_4x4.yaml": f"name: {dataflow}_4x4\nabout: the smallest mesh in RTL\n"
         f"mesh: {{rows: 4, columns: 4, dataflow: {dataflow}}}\n" for dataflow in ("ws", "os")}
ZOO = {"lenet5": "LeNet-5", "resnet8": "ResNet-8", "mobilenet": "MobileNet",
       "vit": "vision transformer"}
# Sizes of docs/seed_experiment.md, smaller than those of the scenarios.
SEED = {"weights": ("--trials", 100, "--set", "data.use=300"),
        "activations": ("--trials", 1500, "--set", "data.use=300")}
SEED_LAYERS = {"lenet5": ("seed_layers_lenet5", 100), "resnet8": ("seed_layers", 100),
               "mobilenet": ("seed_layers_mobilenet", 100), "vit": ("seed_layers_vit", 50)}


# Campaigns on pixels and tokens, of docs/seed_experiment.md.
TASKS = {"seed_segmentation": ("--trials", 100, "--set", "data.use=32"),
         "segmentation_activations": ("--trials", 1000),
         "lm_weights": ("--trials", 100, "--set", "data.use=32"),
         "lm_activations": ("--trials", 1000),
         "lm_mesh": ("--trials", 4000)}
PIXELS = ("seed_segmentation", "segmentation_activations")
TOKENS = ("lm_weights", "lm_activations")


class FiguresError(Exception):
    """Says what is wrong and what to do about it."""


def table(head, rows, indent=""):
    lines = [f"| {' | '.join(map(str, row))} |" for row in [head, *rows]]
    lines.insert(1, "|" + "---|" * len(head))
    return "\n".join(indent + line for line in lines)


def chance(value):
    return "0" if value == 0 else f"{value:.2e}"


def count(value):
    return f"{int(value):,}"


def percent(rate):
    """An estimate with its interval."""
    value, low, high = (f"{100 * rate[end]:.3g}" for end in ("value", "low", "high"))
    return f"{value} % [{low}, {high}]"


# Each takes what its commands have printed (JSON as objects) and the folder of results.

def clusters_several(outputs, _):
    return table(["node", "interleave 1", "2", "4", "8"],
                 [[node["name"], *(chance(node[f"several_{i}"]) for i in (1, 2, 4, 8))]
                  for node in outputs[0]])


def clusters_secded(outputs, _):
    if any(node[f"silent_{i}"] for node in outputs[0] for i in (4, 8)):
        raise FiguresError("a cluster is silent at interleave 4 or 8, and docs/technology_nodes.md "
                           "says that none is: mend the text and add the columns")
    return table(["node", "DUE 1", "2", "4", "8", "silent 1", "2"],
                 [[node["name"], *(chance(node[f"due_{i}"]) for i in (1, 2, 4, 8)),
                   *(chance(node[f"silent_{i}"]) for i in (1, 2))] for node in outputs[0]])


def codes(outputs, _):
    return table(["name", "code", "check bits for 8 / 32 / 64 / 128 data bits", "corrects",
                  "detects for certain"],
                 [[f"`{code['name']}`", code["about"],
                   " / ".join(str(code[f"check_bits_{bits}"]) for bits in (8, 32, 64, 128)),
                   code["corrects"], code["detects"]] for code in outputs[0]])


PATTERN_COUNTS = ("patterns", "corrected", "miscorrected", "undetected", "detected",
                  "detected_data_right")
FLIPPED = ("any 2", "any 3", "any 4", "2 neighbours", "3 neighbours", "4 neighbours")


def code_patterns(outputs, _):
    rows = []
    for name, data_bits in (("sec", 64), ("secded", 64), ("secded", 32), ("secded_daec", 64),
                            ("dected", 64), ("ssc", 64)):
        found = {row["flipped"]: row for row in outputs[0 if data_bits == 64 else 1]
                 if row["name"] == name}
        rows += [[f"`{name}` ({found[flipped]['bits']},{data_bits})", flipped,
                  *(count(found[flipped][column]) for column in PATTERN_COUNTS)]
                 for flipped in FLIPPED]
    return table(["code", "flipped", "patterns", "corrected", "miscorrected", "undetected", "DUE",
                  "of these, data right"], rows)


def daec_pairs(outputs, _):
    rows = []
    for data_bits, output in zip((8, 16, 32, 64, 128), outputs):
        found = {row["flipped"]: row for row in output if row["name"] == "secded_daec"}
        pairs, neighbours = found["any 2"], found["2 neighbours"]
        apart = int(pairs["patterns"]) - int(neighbours["patterns"])
        wrong = int(pairs["miscorrected"]) - int(neighbours["miscorrected"])
        rows.append([data_bits, int(pairs["bits"]) - data_bits, count(apart), count(wrong),
                     f"{100 * wrong / apart:.1f} %"])
    return table(["data bits", "check bits", "pairs that are no neighbours", "miscorrected",
                  "share"], rows, indent="  ")


def flip_flops(outputs, _):
    weight, output = (next(int(row["sites"]) for row in rows if row["name"] == "all")
                      for rows in outputs)
    return f"{weight} flip-flop bits in WS and {output} in OS"


def seed_words(outputs, _):
    def words(stores, role, number_format=None):
        return sum(store["words"] for store in stores
                   if store["role"] == role and number_format in (None, store["format"]))

    rows = []
    for model, real, int8 in zip(ZOO, outputs[::2], outputs[1::2]):
        weights, activations = words(real, "weight"), words(real, "activation")
        if words(int8, "weight") != weights:
            raise FiguresError(f"{model}: int8 has other weights than float32; "
                               "docs/seed_experiment.md needs a column for them")
        fused = words(int8, "activation")
        rows.append([model, count(weights), count(activations), count(fused),
                     count(words(int8, "activation", "float32")), f"{activations / fused:.2f}"])
    return table(["model", "weights", "activations, float32 and bfloat16", "activations, int8",
                  "of these in float32", "float over int8"], rows)


def quickstart(outputs, _):
    rates = outputs[0]["scenarios"][0]["all"]["over_all"]
    activated = outputs[0]["scenarios"][0]["all"]["activated"]
    return (f"P(sdc) {percent(rates['sdc'])}, P(sdc_1) {percent(rates['sdc_1'])}, activated "
            f"{percent(activated)}")


def accuracy(outputs, _):
    pairs = zip(ZOO.values(), outputs[::2], outputs[1::2])
    return ", ".join(f"{name} {100 * real['accuracy']:.2f} and {100 * int8['accuracy']:.2f} %"
                     for name, real, int8 in pairs)


def sweep(outputs, _):
    def fit(rate):
        if rate["kind"] == "sampled":
            return f"{rate['value']:.3g} [{rate['low']:.3g}, {rate['high']:.3g}]"
        return f"at most {rate['high']:.2g} (enumerated)" if rate["high"] else "0"

    rows = []
    for point in outputs[0]["points"]:
        settings = dict(part.split("=") for part in point["label"].split(", "))
        rows.append([settings["accelerator.memory.*.ecc"],
                     settings["accelerator.memory.*.interleave"], count(point["n"]),
                     *(fit(point[rate]) for rate in ("fit_sdc", "fit_sdc_1", "fit_due"))])
    return table(["ECC", "interleave", "trials", "FIT sdc", "FIT sdc_1", "FIT due"], rows)


def scrub_sweep(outputs, _):
    rows = []
    for point in outputs[0]["points"]:
        period = point["label"].split("=")[1]
        one = point["fit_due"]
        rows.append(["none" if period == "0" else period,
                     f"{one['value']:.3g} [{one['low']:.3g}, {one['high']:.3g}]",
                     f"{point['fit_due_accumulated']:.3g}",
                     f"{point['fit_due_both']['value']:.3g}"])
    return table(["scrub", "FIT due, of one strike", "of strikes that meet", "both"], rows)


def seed_rows(folder, names):
    import seed_experiment

    return [row for name in names for row in seed_experiment.read(folder / f"{name}.sqlite")]


FORMATS = ("float32", "bfloat16", "int8")
SEED_NAMES = [f"seed_{target}_{model}_{number_format}" for target in SEED for model in ZOO
              for number_format in FORMATS]


def rates_of(folder, names):
    import seed_experiment

    return seed_experiment.rates_table(seed_rows(folder, names))


MUCH = 0.02  # of the images: a loss that is no matter of near ties


def seed_draws(_, folder):
    """Draws at 1e-4 that lose much: of draws nothing needs to be assumed."""
    import tilestrike

    def cell(model, number_format):
        trials = tilestrike.load(folder / f"seed_weights_{model}_{number_format}.sqlite").trials
        trials = trials[trials.scenario == trials.scenario.max()]
        lost = (trials.images_golden_correct - trials.images_correct) / trials.images
        many = int((lost > MUCH).sum())
        low, high = tilestrike.interval_of_shares(lost > MUCH)
        share = f"{many} of {len(lost)} [{100 * low:.2g}, {100 * high:.2g}]"
        return f"{share if many else f'none, at most {100 * high:.2g}'}; {100 * lost.max():.2g}"

    return table(["model", *FORMATS],
                 [[model, *(cell(model, number_format) for number_format in FORMATS)]
                  for model in ZOO])


def seed_rates(_, folder):
    return rates_of(folder, SEED_NAMES)


def seed_figure(_, folder):
    import seed_experiment

    return seed_experiment.figure(seed_rows(folder, SEED_NAMES))


def seed_layers(_, folder):
    import seed_experiment

    return seed_experiment.layers_table(
        seed_rows(folder, [f"seed_layers_{model}" for model in SEED_LAYERS]))


def task_rates(names, picture):
    return lambda _, folder: f"{picture}\n\n{rates_of(folder, names)}"


def task_figure(names):
    def text(_, folder):
        import seed_experiment

        return seed_experiment.figure(seed_rows(folder, names))
    return text


def tokens_mesh(_, folder):
    """What strikes on each kind of register do to the predicted tokens."""
    import seed_experiment
    import tilestrike

    trials = tilestrike.load(folder / "lm_mesh.sqlite").trials
    rows = []
    for register, group in [*trials.groupby("register"), ("all", trials)]:
        shares = (group.outcome == "sdc", group.sdc_1 == 1, group.share_differing.fillna(0.0))
        growth = (group.score / group.golden_score).max()
        rows.append([register, len(group),
                     *(seed_experiment.share_text(100 * share.mean(), *(
                         100 * end for end in tilestrike.interval_of_shares(share)))
                       for share in shares), f"{growth:.3g}"])
    return table(["register", "trials", "sdc, %", "texts with another token (sdc_1), %",
                  "tokens that differ, %", "perplexity of the text over golden, largest"], rows)


def campaign(scenario, *options, name=None):
    """The command that runs a scenario into its results file."""
    return ("run", f"campaigns/scenarios/{scenario}.yaml", *options, "--out",
            f"{{folder}}/{name or scenario}.sqlite", "--json")


def seed_command(name):
    _, target, model, number_format = name.split("_")
    return campaign(f"seed_{target}", *SEED[target], f"model={model}", f"format={number_format}",
                    name=name)


def task_commands(names):
    return [campaign(name, *TASKS[name]) for name in names]


SEED_COMMANDS = [seed_command(name) for name in SEED_NAMES]


@dataclasses.dataclass
class Figure:
    document: str
    name: str  # of the block; empty: the whole file
    commands: list  # arguments of the program, or ts_coverage and its; {folder}: of results
    text: typing.Callable
    is_campaign: bool = False


PATTERNS = ("list", "codes", "--patterns", "--json", "--data-bits")

FIGURES = [
    Figure("docs/technology_nodes.md", "nodes/clusters", [("list", "clusters", "--json")],
           clusters_several),
    Figure("docs/technology_nodes.md", "nodes/secded", [("list", "clusters", "--json")],
           clusters_secded),
    Figure("docs/ecc.md", "codes/list", [("list", "codes", "--json")], codes),
    Figure("docs/ecc.md", "codes/patterns", [(*PATTERNS, 64), (*PATTERNS, 32)], code_patterns),
    Figure("docs/ecc.md", "codes/pairs", [(*PATTERNS, bits) for bits in (8, 16, 32, 64, 128)],
           daec_pairs),
    Figure("docs/rtl.md", "mesh/flip_flops",
           [("list", "registers", "--json", "--accelerator", f"{{folder}}/{name}")
            for name in FILES], flip_flops),
    Figure("docs/seed_experiment.md", "seed/words",
           [("inspect", model, "--tensors", "--format", number_format, "--json")
            for model in ZOO for number_format in ("float32", "int8")], seed_words),
    Figure("README.md", "quickstart", [campaign("quickstart")], quickstart, True),
    Figure("README.md", "accuracy",
           [("infer", model, *options, "--json") for model in ZOO for options in ((), ("--int8",))],
           accuracy, True),
    Figure("docs/memory_strikes.md", "memories/sweep",
           [campaign("technology_sweep", "--set", "accelerator.node=28nm")], sweep, True),
    Figure("docs/memory_strikes.md", "memories/scrub", [campaign("scrub_sweep")], scrub_sweep,
           True),
    Figure("docs/statistics.md", "statistics/coverage", [("ts_coverage", "--markdown")],
           lambda outputs, _: outputs[0].strip(), True),
    Figure("docs/seed_experiment.md", "seed/rates", SEED_COMMANDS, seed_rates, True),
    Figure("docs/seed_experiment.md", "seed/draws",
           [seed_command(name) for name in SEED_NAMES if "_weights_" in name], seed_draws, True),
    Figure("docs/seed_experiment.svg", "", SEED_COMMANDS, seed_figure, True),
    Figure("docs/seed_experiment.md", "seed/layers",
           [campaign(scenario, "--trials", draws, "--set", "data.use=200",
                     name=f"seed_layers_{model}")
            for model, (scenario, draws) in SEED_LAYERS.items()], seed_layers, True),
    Figure("docs/seed_experiment.md", "seed/pixels", task_commands(PIXELS),
           task_rates(PIXELS, "![mIoU lost against faults per parameter](seed_pixels.svg)"), True),
    Figure("docs/seed_pixels.svg", "", task_commands(PIXELS), task_figure(PIXELS), True),
    Figure("docs/seed_experiment.md", "seed/tokens", task_commands(TOKENS),
           task_rates(TOKENS,
                      "![Tokens that differ against faults per parameter](seed_tokens.svg)"), True),
    Figure("docs/seed_tokens.svg", "", task_commands(TOKENS), task_figure(TOKENS), True),
    Figure("docs/seed_experiment.md", "seed/tokens_mesh", task_commands(["lm_mesh"]), tokens_mesh,
           True),
]


class Program:
    """Runs commands, each once, from the checkout's root."""

    def __init__(self, path, folder):
        self.path, self.folder, self.seen = path, folder.resolve(), {}
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, text in FILES.items():
            (self.folder / name).write_text(text, encoding="utf-8")

    def output(self, command):
        command = tuple(str(part).format(folder=self.folder) for part in command)
        if command not in self.seen:
            program, arguments = self.path, command
            if command[0] == "ts_coverage":  # built beside it
                program, *arguments = pathlib.Path(self.path).with_name(command[0]), *command[1:]
            done = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True,
                                  env=os.environ | {"TILESTRIKE_ROOT": str(ROOT)})
            if done.returncode != 0:
                asked = [] if command[0] == "ts_coverage" else ["tilestrike"]
                raise FiguresError(f"{' '.join([*asked, *command])}: exit status "
                                   f"{done.returncode}\n{done.stdout}{done.stderr}".rstrip())
            self.seen[command] = json.loads(done.stdout) if "--json" in command else done.stdout
        return self.seen[command]

    def text(self, figure):
        return figure.text([self.output(command) for command in figure.commands], self.folder)


def blocks_of(root, document):
    """{name: content} of the blocks of a document."""
    text = (root / document).read_text(encoding="utf-8")
    found = [match[1] for match in MARK.finditer(text)]
    twice = {name for name in found if found.count(name) > 1}
    if twice or len(found) != text.count("<!-- figures: "):
        raise FiguresError(f"{document}: each block has a name of its own and ends with "
                           f"<!-- end -->; look at {', '.join(sorted(twice)) or found}")
    return {match[1]: match[2] for match in MARK.finditer(text)}


def framed(text):
    """As it stands in a document: tables on lines of their own, the mark indented as they are."""
    indent = text[:len(text) - len(text.lstrip())]
    return f"\n{text}\n{indent}" if "\n" in text else text


def current(root, figure):
    if not figure.name:
        path = root / figure.document
        return path.read_text(encoding="utf-8") if path.exists() else ""
    return blocks_of(root, figure.document)[figure.name]


def write(root, figure, content):
    path = root / figure.document
    if figure.name:
        text = path.read_text(encoding="utf-8")
        opening = f"<!-- figures: {figure.name} -->"
        before, rest = text.split(opening, 1)
        content = f"{before}{opening}{content}<!-- end -->{rest.split('<!-- end -->', 1)[1]}"
    path.write_text(content, encoding="utf-8")


def check_marks(root, figures):
    """Every block of every document is in the table, and the other way round."""
    documents = ["README.md", *sorted(f"docs/{path.name}" for path in (root / "docs").glob("*.md"))]
    marked = {(document, name) for document in documents for name in blocks_of(root, document)}
    known = {(figure.document, figure.name) for figure in figures if figure.name}
    for document, name in sorted(marked - known):
        raise FiguresError(f"{document}: scripts/figures.py makes no figure '{name}'; add it to "
                           "FIGURES, or take the marks away")
    for document, name in sorted(known - marked):
        raise FiguresError(f"{document}: it has no block '{name}'; write <!-- figures: {name} -->"
                           "<!-- end --> where it belongs")


def difference(figure, before, after):
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), figure.document,
                                 figure.name or "made", lineterm="", n=0)
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"of {', '.join(f.name or f.document for f in FIGURES)}")
    parser.add_argument("--check", action="store_true", help="write nothing; print what differs")
    parser.add_argument("--campaigns", action="store_true", help="those that take long, too")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "out/figures",
                        help="of results, which are resumed (default: out/figures)")
    options = parser.parse_args()
    path = pathlib.Path(os.environ.get("TILESTRIKE", ROOT / "build/release/bin/tilestrike"))
    try:
        if not path.is_file():
            raise FiguresError(f"{path}: no such program; build it with ./quickstart, or name it "
                               "in the environment variable TILESTRIKE")
        check_marks(ROOT, FIGURES)
        known = {figure.name or figure.document for figure in FIGURES}
        for name in options.names:
            if name not in known:
                raise FiguresError(f"no figure '{name}'; there are {', '.join(sorted(known))}")
        program, differ = Program(path.resolve(), options.folder), False
        for figure in FIGURES:
            name = figure.name or figure.document
            if name not in options.names and (options.names or
                                              (figure.is_campaign and not options.campaigns)):
                continue
            made, before = program.text(figure), current(ROOT, figure)
            made = framed(made) if figure.name else made
            if made == before:
                print(f"{name}: as in {figure.document}")
                continue
            differ = True
            print(difference(figure, before, made))
            if not options.check:
                write(ROOT, figure, made)
                print(f"{name}: written to {figure.document}")
    except FiguresError as error:
        print(f"figures: {error}", file=sys.stderr)
        return 2
    return 1 if differ and options.check else 0


if __name__ == "__main__":
    sys.exit(main())

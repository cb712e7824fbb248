# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables of what strikes on the fields of neuromorphic cores do, from results files.

    python python/core_experiment.py RESULTS.sqlite ...

RESULTS are campaigns of single faults in cores (campaigns/scenarios/snn_fields.yaml). For every
field: trials, the shares of strikes that were activated, with an SDC, with another top class
(SDC-1), detected or hung (DUE), each with its 95 % interval (Wilson's: trials are independent),
where the others were masked, and what share of later inferences a strike makes wrong, in %.
"""

import argparse
import collections
import sqlite3

import tilestrike

RATES = ("activated", "sdc", "sdc_1", "due")
PLACES = ("empty", "dead", "core", "readout")


def percent(seen, of):
    low, high = tilestrike.wilson(seen, of)
    return f"{100 * seen / of:.3g} [{100 * low:.3g}, {100 * high:.3g}]"


def rows_of(file):
    """By (label of the scenario, field): trials."""
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        database.row_factory = sqlite3.Row
        trials = database.execute(
            "SELECT scenarios.label AS label, trials.structure AS field, trials.outcome, "
            "trials.sdc_1, trials.activated, trials.masked_at, core_trials.later_wrong AS wrong, "
            "core_trials.later_images AS images FROM trials JOIN scenarios USING (scenario) "
            "JOIN core_trials USING (scenario, trial)").fetchall()
    groups = collections.defaultdict(list)
    for trial in trials:
        groups[trial["label"], trial["field"]].append(trial)
    return groups


def line_of(name, trials):
    of = len(trials)
    counts = {"activated": sum(t["activated"] for t in trials),
              "sdc": sum(t["outcome"] == "sdc" for t in trials),
              "sdc_1": sum(t["outcome"] == "sdc" and t["sdc_1"] for t in trials),
              "due": sum(t["outcome"] == "due" for t in trials)}
    masked = [sum(t["masked_at"] == place for t in trials) for place in PLACES]
    later = [t for t in trials if t["images"]]
    wrong = (f"{100 * sum(t['wrong'] / t['images'] for t in later) / of:.3g}" if later else "-")
    return "| {} | {} | {} | {} | {} |".format(
        name, of, " | ".join(percent(counts[rate], of) for rate in RATES),
        " | ".join(f"{100 * one / of:.3g}" for one in masked), wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="+")
    for file in parser.parse_args().results:
        groups = rows_of(file)
        print(f"\n{file}\n")
        print("| field | trials | activated, % | SDC, % | SDC-1, % | DUE, % | masked: empty, % | "
              "dead | core | readout | wrong later inferences, % |")
        print("|---|" + "---|" * 10)
        has_labels = len({label for label, _ in groups}) > 1
        for (label, field), trials in groups.items():
            print(line_of(f"{label}: {field}" if has_labels else field, trials))


if __name__ == "__main__":
    main()

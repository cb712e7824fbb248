# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# What engines say of every flip in a 4 x 4 mesh: whether they agree, and of each scenario whether
# it is a census, how many faults differ, whether every trial strikes, whether all pairs without
# closed_form agree on every trial, and whether stepped and rtl compare all registers of each.
tilestrike correlate "$TILESTRIKE_ROOT/campaigns/scenarios/correlate_4x4.yaml" --json > report.json
$PYTHON - << 'END'
import json

report = json.load(open("report.json"))


def told(scenario):
    trials, pairs = scenario["trials"], scenario["pairs"]
    names = [(pair["first"], pair["second"]) for pair in pairs]
    return (scenario["census"], scenario["all"]["differed"],
            scenario["all"]["strikes"] == trials > 100000,
            all(pair["agreed"] == trials for pair, both in zip(pairs, names)
                if "closed_form" not in both),
            [pair["with_states"] == trials for pair, both in zip(pairs, names)
             if both == ("stepped", "rtl")])


print(report["agrees"], [told(scenario) for scenario in report["scenarios"]])
END

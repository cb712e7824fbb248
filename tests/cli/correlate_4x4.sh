# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# What engines say of every flip in a 4 x 4 mesh, or of 20 000 where TILESTRIKE_WHOLE_PROOFS is not
# set: whether they agree, and of each scenario whether it is what was asked for, how many faults
# differ, whether every trial strikes, whether all pairs without closed_form agree on every trial,
# and whether stepped and rtl compare all registers of each.
sampled=()
if [[ -z ${TILESTRIKE_WHOLE_PROOFS:-} ]]; then sampled=(--trials 20000); fi
tilestrike correlate "$TILESTRIKE_ROOT/campaigns/scenarios/correlate_4x4.yaml" "${sampled[@]}" \
  --json > report.json
$PYTHON - << 'END'
import json
import os

is_whole = bool(os.environ.get("TILESTRIKE_WHOLE_PROOFS"))
report = json.load(open("report.json"))


def told(scenario):
    trials, pairs = scenario["trials"], scenario["pairs"]
    names = [(pair["first"], pair["second"]) for pair in pairs]
    is_asked_for = trials > 100000 if is_whole else trials == 20000
    return (scenario["census"] == is_whole and is_asked_for, scenario["all"]["differed"],
            scenario["all"]["strikes"] == trials,
            all(pair["agreed"] == trials for pair, both in zip(pairs, names)
                if "closed_form" not in both),
            [pair["with_states"] == trials for pair, both in zip(pairs, names)
             if both == ("stepped", "rtl")])


print(report["agrees"], [told(scenario) for scenario in report["scenarios"]])
END

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# One point of a sweep over two keys, and the same point run alone: their rows but for the number of
# the point. Prints how many points the sweep has.
cat >> s.yaml << 'END'
sweep: {accelerator.memory.*.ecc: [none, parity], accelerator.node: [65nm, 16nm]}
END
tilestrike run s.yaml --trials 60 --out sweep.sqlite --json > sweep.json
tilestrike run s.yaml --trials 60 --out row.sqlite \
  --set accelerator.node=16nm accelerator.memory.*.ecc=parity > log
$PYTHON - << 'END'
import json
import sqlite3


def rows(path, point):
    found = sqlite3.connect(path).execute(
        "SELECT * FROM trials_wide WHERE scenario = ? ORDER BY trial", [point])
    return [row[1:] for row in found]


alone = rows("row.sqlite", 0)
print(rows("sweep.sqlite", 3) == alone, len(alone), len(json.load(open("sweep.json"))["points"]))
END

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# A trial of a strike on memories, dumped: the layers and what those that read it became, and no
# pass of the mesh (ls fails).
tilestrike run c.yaml --set accelerator.memory.weights.ecc=none --out c.sqlite > log || cat log
tilestrike replay c.sqlite --trial 1 --dump cells | tail -1
ls cells/layers.json cells/faulty.json
$SHOW json 'len(r) > 0' 'r[0]["output"] is not None' < cells/faulty.json
ls cells/struck_pass.json 2> log

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# The same campaign on systemc and on an engine of one's own: how many rows, and whether they are
# the same.
for engine in systemc own_mesh; do
  installed/bin/tilestrike run s.yaml --load built/libown_mesh.so --set engine=$engine \
    --out $engine.sqlite > $engine.log 2>&1 || cat $engine.log
  $SHOW sql $engine.sqlite '
    SELECT trial, image, register, row, column, position, bit, cycle, activated, masked_at,
           outcome, layer, pass, step, before, after, changed_accumulators, changed_outputs, logits
    FROM trials_wide ORDER BY trial' > $engine.rows
done
wc -l < systemc.rows
cmp systemc.rows own_mesh.rows

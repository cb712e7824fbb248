# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# Faults on activations, in batches of four images and of one: the same rows; how many.
tilestrike run a.yaml > log && tilestrike run a.yaml --set batch=1 --out one.sqlite > log || exit 1
for results in a one; do
  $SHOW sql $results.sqlite '
    SELECT trial, image, faults, word, bit, before, after, outcome, weight
    FROM trials_wide ORDER BY trial' > $results.rows
done
cmp a.rows one.rows && wc -l < a.rows

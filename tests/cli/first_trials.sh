# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# first_trials.sh RESULTS OTHERS COUNT: the first trials of two files are the same; how many.
query="SELECT * FROM trials_wide WHERE trial < $3 ORDER BY trial"
$SHOW sql "$1" "$query" > first.rows
$SHOW sql "$2" "$query" > others.rows
cmp first.rows others.rows && wc -l < first.rows

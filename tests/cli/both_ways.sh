# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# both_ways.sh SCENARIO [ARGUMENT...]: runs a scenario with differential inference and without, and
# fails where a row of any table differs. Prints how many trials there are, and how many activated.
# Every shipped scenario: shipped_both_ways.sh.
scenario=$1
shift
for way in on off; do
  tilestrike run "$scenario" "$@" --set differential=$way --out $way.sqlite > $way.txt
  if (($? > 1)); then exit 1; fi  # 1: of so few trials none may have been activated
  for table in trials_wide outcomes faults; do
    $SHOW sql $way.sqlite "SELECT * FROM $table ORDER BY 1, 2, 3, 4"
  done > $way.rows
done
cmp on.rows off.rows || exit 1
$SHOW sql on.sqlite 'SELECT count(*), sum(activated) FROM trials_wide'
rm on.* off.*

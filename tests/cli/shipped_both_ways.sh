# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# Every shipped scenario with some trials a point on six images, with differential inference and
# without; prints how many scenarios gave the same rows.
trials=4
if [[ -n ${TILESTRIKE_WHOLE_PROOFS:-} ]]; then trials=30; fi
same=0
for scenario in "$TILESTRIKE_ROOT"/campaigns/scenarios/*.yaml; do
  case $scenario in
    */correlate_*) continue ;;  # of `tilestrike correlate`, which has no inference
  esac
  bash "$HERE/both_ways.sh" "$scenario" --trials $trials --set data.use=6 >&2 || exit 1
  same=$((same + 1))
done
echo "$same scenarios"

# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# A scenario with scrubbers: the same rows on both engines, a run that goes on in the same file, the
# periods as they are read, and the story of a trial that a scrubber had a part in.
mkdir scrub
cd scrub
bash "$HERE/same_rows.sh" ../scrub.yaml "systemc closed_form"
tilestrike run ../scrub.yaml --trials 70 --out systemc.sqlite | grep -c population
tilestrike run ../scrub.yaml --dry-run | grep scrub:
corrected=$($SHOW sql systemc.sqlite \
  "SELECT trial FROM trials_wide WHERE register = 'activations' AND corrected > 0 LIMIT 1")
tilestrike replay systemc.sqlite --trial $corrected | grep -E 'scrubber is|meets|same'

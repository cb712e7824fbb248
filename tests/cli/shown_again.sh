# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# The command that a correlation, c.txt, names for its first disagreement: the waveforms that it
# writes differ in something else than their length.
command=$(sed -n 's/^again: //p' c.txt)
$command | grep -E '^(first|waveform)'
ls vcd | wc -l
diff <(grep -c '' vcd/*_stepped.vcd) <(grep -c '' vcd/*_broken.vcd) &&
  cmp -s vcd/*_stepped.vcd vcd/*_broken.vcd || echo different

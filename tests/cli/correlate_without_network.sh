# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# Every fault of one register without a network; then one of these trials, with its waveforms: how
# many times and how many words they have.
tilestrike correlate none.yaml --engines systemc,stepped,wavefront | tail -1
tilestrike correlate none.yaml --engines systemc,stepped --trial 90 --vcd waves | tail -1
grep -c '^#' waves/trial_90_stepped.vcd
grep -E -c 'flip of activation|var wire 32 .* partial_sum' waves/trial_90_stepped.vcd

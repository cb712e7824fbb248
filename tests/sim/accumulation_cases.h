// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Laws and sources for the tests of accumulation.
#pragma once

#include "sim/strikes/accumulation.h"

namespace tilestrike::sim {

inline ClusterLaw law_of(double share, double ratio, int most, double word_line_share) {
  ClusterLaw law;
  law.multi_cell_share = share;
  law.tail_ratio = ratio;
  law.most_cells = most;
  law.word_line_share = word_line_share;
  return law;
}

/// One source that strikes a codeword's cells so many times an hour.
inline CodewordUpsets upsets_at(const EccCode& code, const ClusterLaw& law, int interleave,
                                double per_hour) {
  return upsets_of(code,
                   {{patterns_of_event(law, {code.codeword_bits(), interleave, 0}), per_hour}});
}

}  // namespace tilestrike::sim

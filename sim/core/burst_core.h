// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The stepped core that takes many edges at once where nothing strikes and nothing leaves: sums of
// whole axons, updates of groups, waiting. All storage is as if it had stepped.
#pragma once

#include <vector>

#include "sim/core/stepped_core.h"

namespace tilestrike::sim {

class BurstCore : public SteppedCore {
 public:
  /// All zero. `sites` must outlive the core, and so must `reader`, which it reads synapses and
  /// parameters through; nullptr: they are in its state.
  explicit BurstCore(const CoreSites& sites, CoreReader* reader = nullptr);

  void step(const CoreEdge& edge) override { step_core(state(), edge, reader_); }

  Cycle burst(Cycle at_most) override;

 private:
  Cycle sum_axons(Cycle at_most);
  Cycle update_groups(Cycle at_most);
  /// The next pending axon; clears its bit.
  std::int32_t take_axon();
  std::int64_t pending_axons() const;
  void unpack_sums();
  void pack_sums();

  CoreReader* const reader_;
  std::vector<std::uint64_t> row_;  // weights of one axon, from the reader
  std::vector<std::int32_t> sums_;  // of all neurons, while a burst lasts
};

}  // namespace tilestrike::sim

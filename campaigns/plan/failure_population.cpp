// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/failure_population.h"

#include <utility>

namespace tilestrike::campaigns {

DrawnTrial FailurePopulation::draw(const TrialStreams& streams, std::optional<std::size_t>) const {
  std::vector<std::size_t> selected;
  for (const Structure& structure : structures()) {
    selected.push_back(*structure.memory);
  }
  RandomStream cycle_stream = streams.of(Purpose::kCycle);
  const CycleWindow when = times().draw(cycle_stream, streams.image);
  CellFailures failures = failures_of(selected, when, streams);
  DrawnStrike drawn;
  for (const CellFault& fault : failures.faults) {
    drawn.cells.push_back({fault, true});
  }
  finish(drawn);
  drawn.struck = failures.struck;
  drawn.about = std::move(failures.about);
  drawn.failing = failures.cells;
  drawn.cycle = when.from;
  drawn.structure = structure_of(failures.memory);
  drawn.memory = failures.memory;
  drawn.first = CellFault{failures.memory, geometry(failures.memory).bit_at(failures.struck),
                          is_persistent() ? FaultKind::kStuckAt0 : FaultKind::kFlip, when};
  for (const CellFault& fault : failures.faults) {
    if (fault.memory == failures.memory && fault.bit == drawn.first->bit) {
      drawn.first = fault;
    }
  }
  DrawnTrial trial;
  trial.strike = std::move(drawn);
  return trial;
}

}  // namespace tilestrike::campaigns

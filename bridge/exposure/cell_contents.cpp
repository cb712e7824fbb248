// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/cell_contents.h"

#include <limits>

#include "dnn/differential/divergence.h"

namespace tilestrike::bridge {

sim::BitString CellContents::cells(const dnn::Tape& golden, std::size_t memory,
                                   sim::CodewordId codeword, Cycle cycle) {
  const std::vector<Occupant> all = residency_.all_in(memory, codeword);
  if (all.empty()) {
    return {};
  }
  // What is not written yet holds the last that the inference before has written.
  const Occupant* held = nullptr;
  for (const Occupant& occupant : all) {
    held = occupant.written <= cycle ? &occupant : held;
  }
  const bool is_before = held == nullptr;
  held = is_before ? &all.back() : held;
  const dnn::Divergence run(network_, golden);
  const sim::BitString data = held->copies->data(
      *held, reader_.values(run), is_before ? std::numeric_limits<Cycle>::max() : cycle);
  return mapping_.accelerator().memory[memory].second.code().encode(data);
}

}  // namespace tilestrike::bridge

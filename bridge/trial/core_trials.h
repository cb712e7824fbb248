// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strikes on a chip of neuromorphic cores: the struck cores go through an engine, what they send
// otherwise through the chip, and the answer through the network's own last layers (docs/core.md,
// "Strikes").
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/strike.h"
#include "bridge/accelerator/accelerator.h"
#include "bridge/accelerator/core_arrays.h"
#include "bridge/layout/core_layout.h"
#include "bridge/trial/chip_strike.h"
#include "bridge/trial/core_scrub.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/run_observer.h"
#include "bridge/words/trial_result.h"
#include "dnn/network.h"
#include "dnn/spiking/integer_model.h"
#include "dnn/spiking/spiking_network.h"
#include "dnn/tape.h"
#include "sim/chip/struck_chip.h"
#include "sim/mesh/engine_set.h"

namespace tilestrike::bridge {

/// What trials on the cores of one accelerator have in common.
class CoreTrials {
 public:
  /// `network`: of `model`. Network, model and judge must outlive this object. Throws Failure where
  /// the network does not fit such cores, or the engine computes none.
  CoreTrials(const dnn::Network& network, const dnn::IntegerModel& model,
             const AcceleratorConfig& accelerator, const sim::EngineSet& engines,
             const std::string& engine, const Judge& judge);

  const CoreLayout& layout() const { return layout_; }
  const std::shared_ptr<const sim::BootedChip>& chip() const { return chip_; }

  /// The fault-free inference of the image of a golden run. Throws Failure where the chip's answer
  /// is not the network's.
  std::unique_ptr<const sim::ChipRun> run_of(const dnn::Tape& golden) const;

  /// The whole trial: of registers and cells, whose cycles count from 0. `observer` may be null.
  TrialResult run(const sim::ChipRun& run, const dnn::Tape& golden, const Strike& strike,
                  const ScrubPhases& phases, RunObserver* observer, ImageId image);

  /// A later inference, with left_for_later() of a strike.
  TrialResult run_later(const sim::ChipRun& run, const dnn::Tape& golden, const Strike& left,
                        ImageId image);
  /// What of the strike later inferences find, from before their first cycle on; nothing where that
  /// is synapses alone which none of them can read.
  Strike left_for_later(const Strike& strike, const ScrubPhases& phases) const;
  /// What a cell holds just after the clock edge of `cycle`.
  bool stored(const sim::ChipRun& run, std::size_t memory, CodewordBit bit, Cycle cycle);

  /// Faults as a chip takes them.
  struct ChipFaults {
    std::vector<RegisterFault> registers;
    std::vector<CellFault> cells;
    sim::ChipJob job() const { return {registers, cells}; }
  };
  ChipFaults chip_faults(const Strike& strike) const;
  /// Bits of arrays with ECC as cells of these.
  Strike with_ecc_as_cells(const Strike& strike) const;

 private:
  struct Place {
    std::size_t core = 0;
    Cycle cycle = 0;
    NetworkOwner owner;
  };
  Place place_of(const Strike& strike) const;
  static bool leaves_changed(FaultKind kind, bool golden);
  bool are_dead(const sim::ChipRun& run, const ChipFaults& faults) const;
  bool are_unused_synapses(const Strike& left) const;
  void find(const sim::ChipRun& run, const Place& place, const sim::ChipResult& found,
            TrialResult& result) const;
  std::vector<float> answer_of(const sim::ChipRun& run, const dnn::Tape& golden,
                               const sim::ChipResult& found) const;
  std::vector<float> last_layers(dnn::Values values) const;

  const dnn::Network& network_;
  const dnn::IntegerModel& model_;
  dnn::SpikingPlaces places_;
  CoreLayout layout_;
  std::shared_ptr<const sim::BootedChip> chip_;
  NamedParts<sim::MemoryConfig> arrays_;  // by number
  CoreReload reload_;
  sim::StruckChip struck_;
  const Judge& judge_;
};

}  // namespace tilestrike::bridge

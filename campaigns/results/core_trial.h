// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a results file keeps of a trial that strikes neuromorphic cores, besides what all trials
// have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/words/study_facts.h"
#include "campaigns/plan/sampling.h"
#include "campaigns/results/fault_record.h"
#include "campaigns/results/storage_trial.h"

namespace tilestrike::campaigns {

struct CoreTrial : StorageTrial {
  std::optional<std::int64_t> core, word, lane;  // of the first fault
  std::optional<std::int64_t> neuron, input, tick, cycle, until;
  std::int64_t before = 0, after = 0;
  std::int64_t changed_spikes = 0, changed_behind = 0;
  std::optional<std::int64_t> first_changed;
  std::int64_t misrouted = 0;
  std::int64_t cores_simulated = 0;
  friend bool operator==(const CoreTrial&, const CoreTrial&) = default;
};

const Table<CoreTrial>& core_table();

/// `first`: of the trial's faults. Requires a trial on cores.
CoreTrial core_trial(const FaultRecord& first, const Judged& judged,
                     AfterDetection after_detection);

/// A bit of a core: its structure is the field.
FaultRecord core_fault_record(const DrawnFault& drawn, const bridge::StudyCores& cores);

/// "core 3 parameters[3] lane 5 threshold bit 12".
std::string core_site_text(SiteId site, const bridge::StudyCores& cores);

}  // namespace tilestrike::campaigns

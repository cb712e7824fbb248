// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a results file keeps of a trial that strikes registers of the mesh, besides what all trials
// have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/words/study_facts.h"
#include "campaigns/plan/sampling.h"
#include "campaigns/results/fault_record.h"
#include "campaigns/results/judged.h"

namespace tilestrike::campaigns {

struct MeshTrial : TrialKey {
  std::optional<std::int64_t> row, column, position, cycle, until;  // of the first fault
  std::optional<std::int64_t> pass, step;
  std::int64_t before = 0, after = 0;
  friend bool operator==(const MeshTrial&, const MeshTrial&) = default;
};

const Table<MeshTrial>& mesh_table();

MeshTrial mesh_trial(const FaultRecord& first, const Judged& judged);

FaultRecord fault_record(const DrawnFault& drawn, const bridge::StudyFacts& study);

/// "register[3][5] bit 2: flip at cycle 17" for each fault.
std::vector<std::string> describe_mesh(const DrawnTrial& drawn, const bridge::StudyFacts& study);

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Runs a campaign: opens each scenario's study, strikes what the results file does not have yet,
// and sums up.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge/study/study.h"
#include "campaigns/report/paired.h"
#include "campaigns/report/summary.h"
#include "campaigns/results/results.h"
#include "campaigns/run/progress.h"
#include "campaigns/scenario/campaign.h"
#include "sim/mesh/engine_set.h"

namespace tilestrike::campaigns {

using StudyFactory = std::function<std::unique_ptr<bridge::Study>(const bridge::StudyInputs&)>;

/// What asks the other engines than the one named, where a scenario says `audit`.
using AuditorFactory = std::function<std::unique_ptr<bridge::Auditor>(const std::string& engine)>;

/// What happens around a run.
struct Surroundings {
  sim::EngineSet engines;
  StudyFactory open_study;
  AuditorFactory open_auditor;
  std::function<bool()> is_interrupted = [] { return false; };
  ShowProgress show_progress;
};

struct RunReport {
  bool is_interrupted = false;
  std::vector<Summary> summaries;  // one per scenario that was begun
  PairedPoints paired;             // of a sweep: the others against the first
};

RunReport run_campaign(const Campaign& campaign, Results& results,
                       const Surroundings& surroundings);

/// The summaries of the trials that a results file has, without running any.
std::vector<Summary> summaries_of(const Campaign& campaign, Results& results,
                                  const Surroundings& surroundings);

/// Hashes of everything that a scenario's trials depend on besides its keys.
std::vector<std::pair<std::string, std::string>> hashes_of(const Scenario& scenario,
                                                           const bridge::Study& study);

}  // namespace tilestrike::campaigns

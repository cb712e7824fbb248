// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The audit of a campaign: which trials all other engines compute, too, and what they said.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/ids.h"
#include "bridge/trial/run_observer.h"
#include "campaigns/results/results.h"

namespace tilestrike::campaigns {

/// That share of the trials 0, 1, ..., evenly spread: the same ones whoever runs them.
bool is_audited(TrialId trial, double share);

/// The column `audit` of an audited trial.
std::string audit_text(const bridge::TrialAudit& audit);

/// What the other engines said of the audited trials.
struct AuditSummary {
  std::int64_t audited = 0;
  std::int64_t disagreements = 0;
  double confidence = 0.95;
  double bound = 1.0;                          // on the rate of disagreements, one-sided
  std::map<std::string, std::int64_t> agreed;  // trials that an engine computed and agreed on
  std::int64_t first_trial = -1;               // that an engine differs on
  std::string first;                           // how it differs on that trial
};
AuditSummary audit_of(const Results& results, std::int64_t scenario, double confidence);

}  // namespace tilestrike::campaigns

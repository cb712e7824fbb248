// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/audit.h"

#include <cmath>
#include <sstream>
#include <vector>

#include "campaigns/statistics/statistics.h"

namespace tilestrike::campaigns {
namespace {

// A text begins so where all engines agree; their names follow, each after a blank.
constexpr std::string_view kAgrees = "agrees:";

}  // namespace

bool is_audited(TrialId trial, double share) {
  const auto among = [&](std::uint64_t trials) {
    return std::floor(share * static_cast<double>(trials));
  };
  return among(trial.value + 1) > among(trial.value);
}

std::string audit_text(const bridge::TrialAudit& audit) {
  if (!audit.disagreement.empty()) {
    return audit.disagreement;
  }
  std::string text(kAgrees);
  for (const std::string& engine : audit.engines) {
    text += " " + engine;
  }
  return text;
}

AuditSummary audit_of(const Results& results, std::int64_t scenario, double confidence) {
  AuditSummary audit;
  audit.confidence = confidence;
  results.each_trial(scenario, Fields(&TrialRecord::audit), [&](const TrialRecord& trial) {
    if (!trial.audit) {
      return true;
    }
    ++audit.audited;
    if (trial.audit->starts_with(kAgrees)) {
      std::istringstream engines(trial.audit->substr(kAgrees.size()));
      for (std::string engine; engines >> engine;) {
        ++audit.agreed[engine];
      }
    } else if (++audit.disagreements == 1) {
      audit.first_trial = trial.trial;
      audit.first = *trial.audit;
    }
    return true;
  });
  audit.bound = clopper_pearson(audit.disagreements, audit.audited, 2.0 * confidence - 1.0).high;
  return audit;
}

}  // namespace tilestrike::campaigns

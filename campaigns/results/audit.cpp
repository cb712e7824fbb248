// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/audit.h"

#include <cmath>
#include <sstream>
#include <vector>

#include "campaigns/statistics/statistics.h"

namespace tilestrike::campaigns {
namespace {

// A cell begins so where all engines agree; their names follow, each after a blank.
constexpr std::string_view kAgrees = "agrees:";

}  // namespace

bool is_audited(TrialId trial, double share) {
  const auto among = [&](std::uint64_t trials) {
    return std::floor(share * static_cast<double>(trials));
  };
  return among(trial.value + 1) > among(trial.value);
}

std::string audit_cell(const bridge::TrialAudit& audit) {
  if (!audit.disagreement.empty()) {
    return audit.disagreement;
  }
  std::string cell(kAgrees);
  for (const std::string& engine : audit.engines) {
    cell += " " + engine;
  }
  return cell;
}

AuditSummary audit_of(const Results& results, std::int64_t scenario, double confidence) {
  AuditSummary audit;
  audit.confidence = confidence;
  results.each_trial(scenario, {"trial", "audit"}, [&](const Row& row) {
    const auto* said = std::get_if<std::string>(&row[1]);
    if (said == nullptr) {
      return true;
    }
    ++audit.audited;
    if (said->starts_with(kAgrees)) {
      std::istringstream engines(said->substr(kAgrees.size()));
      for (std::string engine; engines >> engine;) {
        ++audit.agreed[engine];
      }
    } else if (++audit.disagreements == 1) {
      audit.first_trial = std::get<std::int64_t>(row[0]);
      audit.first = *said;
    }
    return true;
  });
  audit.bound = clopper_pearson(audit.disagreements, audit.audited, 2.0 * confidence - 1.0).high;
  return audit;
}

}  // namespace tilestrike::campaigns

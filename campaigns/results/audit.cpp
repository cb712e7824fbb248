// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/audit.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "base/text.h"
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

std::string text_of(const AuditSummary& audit) {
  if (audit.audited == 0) {
    return "audit: no trial yet\n";
  }
  std::vector<std::string> engines;
  for (const auto& [name, trials] : audit.agreed) {
    engines.push_back(fmt::format("{} {}", name, trials));
  }
  std::string text = fmt::format(
      "audit: {} of {} trials are the same on the other engines ({}); at most {:.2g} % of all "
      "differ, with {:g} % confidence\n",
      audit.audited - audit.disagreements, audit.audited, join(engines, ", "), 100.0 * audit.bound,
      100.0 * audit.confidence);
  if (audit.disagreements > 0) {
    text += fmt::format("audit: trial {}: {}\n", audit.first_trial, audit.first);
  }
  return text;
}

nlohmann::ordered_json json_of(const AuditSummary& audit) {
  nlohmann::ordered_json json = {{"audited", audit.audited},
                                 {"disagreements", audit.disagreements},
                                 {"upper_bound", audit.bound},
                                 {"agreed", audit.agreed}};
  if (audit.disagreements > 0) {
    json["first"] = {{"trial", audit.first_trial}, {"what", audit.first}};
  }
  return json;
}

}  // namespace tilestrike::campaigns

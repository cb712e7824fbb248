// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What is reported of audited trials.
#include <fmt/format.h>

#include "campaigns/report/report.h"
#include "campaigns/report/summary.h"

namespace tilestrike::campaigns {

Report report_of(const AuditSummary& audit) {
  Report report;
  report.fact("audited", audit.audited);
  report.fact("disagreements", audit.disagreements);
  report.fact("upper_bound", audit.bound);
  report.fact("agreed", audit.agreed);
  if (audit.audited == 0) {
    report.say("audit: no trial yet");
    return report;
  }
  report.say(fmt::format(
      "audit: {} of {} trials are the same on the other engines ({}); at most {:.2g} % of all "
      "differ, with {:g} % confidence",
      audit.audited - audit.disagreements, audit.audited, text_of(FactValue(audit.agreed)),
      100.0 * audit.bound, 100.0 * audit.confidence));
  if (audit.disagreements > 0) {
    report.fact("first/trial", audit.first_trial);
    report.fact("first/what", audit.first);
    report.say(fmt::format("audit: trial {}: {}", audit.first_trial, audit.first), Tone::kBad);
  }
  return report;
}

}  // namespace tilestrike::campaigns

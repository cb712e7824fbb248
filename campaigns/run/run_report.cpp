// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/run/run_report.h"

namespace tilestrike::campaigns {

Report report_of(const RunReport& run, const std::string& results) {
  Report report;
  report.fact("results", results);
  report.fact("interrupted", run.is_interrupted);
  if (run.is_interrupted) {
    report.say("interrupted: not all trials are in", Tone::kWarning, true);
  }
  std::vector<Report> points;
  for (const Summary& summary : run.summaries) {
    points.push_back(report_of(summary));
  }
  report.add_list("scenarios", std::move(points));
  report.say("");
  ReportTable sweep = points_table(run.summaries);
  const bool is_sweep = !sweep.rows.empty();
  report.add(std::move(sweep));
  if (is_sweep) {
    report.say("");
  }
  report.add("paired", report_of(run.paired));
  if (!run.paired.points.empty()) {
    report.say("");
  }
  report.say("results: " + results);
  return report;
}

}  // namespace tilestrike::campaigns

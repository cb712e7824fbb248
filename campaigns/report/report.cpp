// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/report/report.h"

namespace tilestrike::campaigns {

void Report::fact(std::string key, FactValue value) {
  items_.push_back({Fact{std::move(key), std::move(value)}});
}

void Report::say(std::string line, Tone tone, bool is_detail) {
  items_.push_back({Line{std::move(line), tone, is_detail}});
}

void Report::warn(const std::string& warning) { say("warning: " + warning, Tone::kWarning); }

void Report::add(ReportTable table) { items_.push_back({std::move(table)}); }

void Report::add(std::string key, Report part) {
  Parts parts;
  parts.key = std::move(key);
  parts.reports.push_back(std::move(part));
  items_.push_back({std::move(parts)});
}

void Report::add_list(std::string key, std::vector<Report> parts) {
  items_.push_back({Parts{std::move(key), std::move(parts), true}});
}

std::vector<std::size_t> told_columns(const ReportTable& table) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (!table.columns[i].heading.empty()) {
      columns.push_back(i);
    }
  }
  return columns;
}

}  // namespace tilestrike::campaigns

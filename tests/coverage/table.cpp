// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tests/coverage/cases.h"

namespace tilestrike::coverage {
namespace {

using Line = std::vector<std::string>;

std::string percent(double share) { return fmt::format("{:.1f} %", 100.0 * share); }

std::string truth_text(const Coverage& row) {
  std::string text = fmt::format("{:.4g}", row.truth);
  if (row.truth_half_width > 0.0) {
    text += fmt::format(" +- {:.2g}", row.truth_half_width);
  }
  return text;
}

Line line_of(const Coverage& row) {
  const auto campaigns = static_cast<double>(row.campaigns);
  return {row.case_name,
          row.size.starts_with("until") ? fmt::format("{}: {:.0f}", row.size, row.mean_trials)
                                        : row.size,
          row.rate,
          row.interval.empty() ? "ours" : row.interval,
          truth_text(row),
          percent(row.share()),
          percent(static_cast<double>(row.below) / campaigns),
          percent(static_cast<double>(row.above) / campaigns),
          row.truth > 0.0 ? fmt::format("{:.2f}", row.mean_half_width / row.truth) : "-",
          row.truth > 0.0 ? fmt::format("{:.3f}", row.mean_estimate / row.truth) : "-"};
}

}  // namespace

std::string table_of(const std::vector<Coverage>& rows, bool is_markdown) {
  std::vector<Line> lines = {{"case", "trials", "rate", "interval", "truth", "held",
                              "below the truth", "above it", "half-width / truth",
                              "mean estimate / truth"}};
  for (const Coverage& row : rows) {
    lines.push_back(line_of(row));
  }
  std::string text;
  if (is_markdown) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
      text += fmt::format("| {} |\n", fmt::join(lines[i], " | "));
      text += i == 0 ? "|---|---|---|---|---|---|---|---|---|---|\n" : "";
    }
    return text;
  }
  for (const Line& line : lines) {
    std::string padded;
    for (std::size_t column = 0; column < line.size(); ++column) {
      std::size_t width = 0;
      for (const Line& other : lines) {
        width = std::max(width, other[column].size());
      }
      padded += fmt::format("{:<{}}  ", line[column], width);
    }
    text += padded.substr(0, padded.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace tilestrike::coverage

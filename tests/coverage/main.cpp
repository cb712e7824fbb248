// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// ts_coverage: how often the intervals of campaigns hold, as a table (docs/statistics.md).
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <exception>

#include "tests/coverage/cases.h"

namespace tilestrike::coverage {
namespace {

struct Arguments {
  std::int64_t campaigns = 1000;
  std::string name;
  bool is_markdown = false;
};

/// Whether every interval that a summary gives held often enough.
bool run(const Arguments& arguments) {
  const CoverageFolder folder;
  std::vector<Coverage> rows;
  bool holds = true;
  for (const CoverageCase& each : all_cases(folder.path())) {
    if (each.name.find(arguments.name) == std::string::npos) {
      continue;
    }
    const auto start = std::chrono::steady_clock::now();
    RepeatedCampaigns repeated(each, folder.path());
    for (const CampaignSize& size : each.sizes) {
      for (const Coverage& row : repeated.run(size, arguments.campaigns)) {
        holds = holds && (!row.interval.empty() || row.share() >= kLeastCoverage);
        rows.push_back(row);
      }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::fprintf(stderr, "%s: %.0f s, %lld answers asked for, %lld remembered\n", each.name.c_str(),
                 took.count(), static_cast<long long>(repeated.recollection().asked()),
                 static_cast<long long>(repeated.recollection().remembered()));
  }
  std::printf("%s", table_of(rows, arguments.is_markdown).c_str());
  return holds;
}

}  // namespace
}  // namespace tilestrike::coverage

int main(int argc, char** argv) {
  tilestrike::coverage::Arguments arguments;
  CLI::App app(
      "How often do the intervals of campaigns hold? Exit status 1: one does so less than "
      "93 % of the time.");
  app.add_option("--campaigns", arguments.campaigns, "of each case and size")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--case", arguments.name, "only cases whose name contains this");
  app.add_flag("--markdown", arguments.is_markdown, "a table of Markdown");
  CLI11_PARSE(app, argc, argv);
  try {
    return tilestrike::coverage::run(arguments) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}

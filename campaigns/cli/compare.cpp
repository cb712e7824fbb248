// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// `tilestrike compare`: the points of a sweep against one of them, trial by trial.
#include <fmt/format.h>

#include <memory>

#include "base/error.h"
#include "base/yaml.h"
#include "campaigns/cli/commands.h"
#include "campaigns/cli/terminal.h"
#include "campaigns/report/report.h"
#include "campaigns/run/runner.h"

namespace tilestrike::campaigns::cli {
namespace {

struct CompareArguments {
  std::string results;
  std::int64_t from = 0;
  bool is_json = false;
};

int run(const CompareArguments& arguments, const sim::EngineSet& engines) {
  const auto results = Results::existing(arguments.results);
  const Campaign campaign =
      read_campaign(parse_yaml(results->campaign_text(), arguments.results), engines);
  const auto points = static_cast<std::int64_t>(campaign.points.size());
  if (points < 2) {
    fail(ErrorCode::kInvalidInput,
         "compare: the campaign has one point, and nothing to compare it with", arguments.results,
         "run a scenario with a `sweep`");
  }
  if (arguments.from >= points) {
    fail(ErrorCode::kInvalidInput, fmt::format("--from: there is no point {}", arguments.from),
         arguments.results, fmt::format("points are 0 to {}", points - 1));
  }
  ProgressLine line;
  const std::vector<Summary> summaries = summaries_of(
      campaign, *results, surroundings_of(engines, studies_beside(arguments.results), line, false));
  line.close();
  const PairedPoints paired =
      paired_points(*results, campaign, summaries, static_cast<std::size_t>(arguments.from));
  if (paired.points.empty()) {
    fail(ErrorCode::kUnsupported, "compare: the points count in different units", arguments.results,
         "compare points whose trials are all particles, all other transients, or all lasting "
         "faults");
  }
  print(report_of(paired), arguments.is_json);
  return 0;
}

}  // namespace

Command compare_command(const sim::EngineSet& engines) {
  const auto arguments = std::make_shared<CompareArguments>();
  return {
      .name = "compare",
      .about = "Points of a sweep against one of them, trial by trial: paired differences",
      .options = {{"RESULTS",
                   &arguments->results,
                   "Results file of `tilestrike run`",
                   {.is_required = true}},
                  {"--from",
                   &arguments->from,
                   "Point that the others are compared with [0]",
                   {.is_not_negative = true}},
                  {"--json", &arguments->is_json, "Print JSON"}},
      .run = [arguments, &engines] { return run(*arguments, engines); },
      .footer =
          "Trial k draws the same numbers at every point. Where most trials are the same strike, "
          "their own\n"
          "differences tell two points apart better than the points' intervals; the line says how "
          "many are,\n"
          "and the interval in brackets what it would be if the points had nothing in common. "
          "`run` "
          "prints\n"
          "the same against the first point.",
  };
}

}  // namespace tilestrike::campaigns::cli

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// `tilestrike run`: runs or resumes a campaign.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "base/error.h"
#include "campaigns/cli/commands.h"
#include "campaigns/cli/terminal.h"
#include "campaigns/run/run_report.h"

namespace tilestrike::campaigns::cli {
namespace {

constexpr int kDone = 0;
constexpr int kAnswerIsNo = 1;
constexpr int kInterrupted = 130;

struct RunArguments : CampaignArguments {
  std::string out;
  std::string html;
  bool is_dry = false;
  bool has_progress = false;
  bool is_json = false;
};

/// Exit code of a campaign that came to its end: faults that never land say nothing of a network.
int verdict(const RunReport& report) {
  int code = kDone;
  for (const Summary& summary : report.summaries) {
    if (summary.counted > 0 && summary.activated == 0) {
      const std::string of = summary.label.empty() ? "" : summary.label + ": ";
      print_error(fmt::format(
          "{}none of {} {}s was activated, so the campaign says nothing about the network; strike "
          "more often, or widen 'where' (masked_at in the results file says where they ended)",
          of, summary.counted, summary.unit));
      code = kAnswerIsNo;
    }
    if (summary.audit && summary.audit->disagreements > 0) {
      print_error(
          fmt::format("engines disagree on {} of {} audited trials; the first is trial {}: {}",
                      summary.audit->disagreements, summary.audit->audited,
                      summary.audit->first_trial, summary.audit->first));
      code = kAnswerIsNo;
    }
  }
  return code;
}

int run(const RunArguments& arguments, const sim::EngineSet& engines) {
  const Campaign campaign = load_campaign_of(arguments, engines);
  if (arguments.is_dry) {
    print(campaign.document.yaml());
    return kDone;
  }
  const std::string out =
      !arguments.out.empty()
          ? arguments.out
          : std::filesystem::path(arguments.scenario).stem().string() + ".sqlite";
  const auto results = Results::for_campaign(out, campaign);
  ProgressLine line;
  const RunReport report =
      run_campaign(campaign, *results,
                   surroundings_of(engines, studies_beside(out), line, arguments.has_progress));
  line.close();
  const Report told = report_of(report, out);
  print(told, arguments.is_json);
  write_page(told, "TileStrike: campaign", arguments.html);
  if (report.is_interrupted) {
    std::fprintf(stderr, "tilestrike: interrupted; the same command goes on where it stopped\n");
    return kInterrupted;
  }
  return verdict(report);
}

}  // namespace

std::string scenario_help(const sim::EngineSet& engines) {
  std::string text =
      "The scenario file is YAML. Its keys (* required; paths start from the file's folder):\n";
  for (const FieldHelp& field : campaign_help(engines)) {
    std::string line = fmt::format("  {:<38} {}", field.name, field.help);
    if (!field.default_text.empty()) {
      line += fmt::format(" [{}]", field.default_text);
    }
    text += line + "\n";
  }
  return text + "`tilestrike list fields` has types, units and ranges, too.";
}

Command run_command(const sim::EngineSet& engines) {
  const auto arguments = std::make_shared<RunArguments>();
  return {
      .name = "run",
      .about = "Run or resume a campaign; summary on stdout, progress on stderr",
      .options =
          {{"SCENARIO", &arguments->scenario, "Scenario file (YAML)", {.is_required = true}},
           {"--set", &arguments->settings,
            "KEY=VALUE ...: set dotted keys of the expanded scenario, in order; * is every entry "
            "of a map; paths start from the current folder"},
           {"--out", &arguments->out,
            "Results file (SQLite); one that exists is resumed [SCENARIO's name.sqlite]. The "
            "folder "
            "tilestrike_cache beside it keeps what the next start need not compute; delete it at "
            "will"},
           {"--trials", &arguments->trials, "As --set trials=N"},
           {"--seed", &arguments->seed, "As --set seed=S"},
           {"--dry-run", &arguments->is_dry, "Print the expanded scenario, run nothing"},
           {"--progress", &arguments->has_progress,
            "Progress on stderr even where that is no terminal"},
           {"--html", &arguments->html, "Write the summary as one HTML page, too"},
           {"--json", &arguments->is_json, "Summary as JSON"}},
      .run = [arguments, &engines] { return run(*arguments, engines); },
      .explanation = [&engines] { return scenario_help(engines); },
  };
}

}  // namespace tilestrike::campaigns::cli

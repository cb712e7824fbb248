// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// `tilestrike correlate`: the same faults through several engines.
#include "campaigns/correlate/correlate.h"

#include <memory>

#include "campaigns/cli/commands.h"
#include "campaigns/cli/terminal.h"
#include "campaigns/correlate/core_correlation.h"
#include "campaigns/correlate/correlation_report.h"

namespace tilestrike::campaigns::cli {
namespace {

struct CorrelateArguments : CampaignArguments {
  explicit CorrelateArguments(const std::vector<std::string>& loaded) : libraries(loaded) {}

  const std::vector<std::string>& libraries;  // of --load
  CorrelateRequest request;
  std::string html;
  bool has_progress = false;
  bool is_json = false;
};

/// A word of a command line, for a shell.
std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,%@";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
    return word;
  }
  std::string text = "'";
  for (const char letter : word) {
    text += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  }
  return text + "'";
}

/// The same scenario again.
std::string command_of(const CorrelateArguments& arguments) {
  std::string command = "tilestrike correlate " + quoted(arguments.scenario);
  for (const std::string& library : arguments.libraries) {
    command.append(" --load ").append(quoted(library));
  }
  if (!arguments.settings.empty()) {
    command += " --set";
    for (const std::string& setting : arguments.settings) {
      command.append(" ").append(quoted(setting));
    }
  }
  if (!arguments.trials.empty()) {
    command.append(" --trials ").append(quoted(arguments.trials));
  }
  if (!arguments.seed.empty()) {
    command.append(" --seed ").append(quoted(arguments.seed));
  }
  return command;
}

/// What a report says of itself on stderr.
template <class Found>
int verdict(const Found& found, const std::string& hardware) {
  if (found.is_interrupted) {
    std::fprintf(stderr, "tilestrike: interrupted; what was compared until then is shown\n");
  } else if (!found.agrees()) {
    print_error("engines disagree; the first disagreement is shown above");
  } else if (found.is_empty()) {
    print_error(
        "no fault was compared: two of the engines must cover it, and something must be on the " +
        hardware + "; choose other --engines, or widen 'where'");
  }
  return found.exit_code();
}

int run_on_cores(const CorrelateArguments& arguments, const Campaign& campaign,
                 const sim::EngineSet& engines) {
  ProgressLine line;
  const CoreCorrelation found =
      correlate_cores(campaign, arguments.request,
                      surroundings_of(engines, bridge::Study::open, line, arguments.has_progress));
  line.close();
  const Report told = report_of(found, command_of(arguments));
  print(told, arguments.is_json);
  write_page(told, "The same faults of cores on several engines", arguments.html);
  return verdict(found, "cores");
}

int run(const CorrelateArguments& arguments, const sim::EngineSet& engines) {
  const Campaign campaign = load_campaign_of(arguments, engines);
  if (strikes_cores(campaign.points.front().scenario)) {
    return run_on_cores(arguments, campaign, engines);
  }
  ProgressLine line;
  const CorrelationReport report =
      correlate(campaign, arguments.request,
                surroundings_of(engines, bridge::Study::open, line, arguments.has_progress));
  line.close();
  const Report told = report_of(report, command_of(arguments));
  print(told, arguments.is_json);
  write_page(told, "The same faults on several engines", arguments.html);
  return verdict(report, "mesh");
}

std::string correlate_help(const sim::EngineSet& engines) {
  return "Each trial's faults are drawn as `tilestrike run` draws them, and each run of the mesh "
         "that they\nstrike goes through every engine: results of the passes, activation, struck "
         "word, cycles and\nend state are compared, and after every clock edge every register of "
         "engines that step\n(stepped, rtl). What an engine does not compute by its own means is "
         "not covered, never agreement.\n\nOn neuromorphic cores the same of each struck chip: its "
         "answer and all events, and after every\nclock edge all storage of the first struck "
         "core.\n\n"
         "Without a network, every fault of a small mesh:\n"
         "  model: none\n"
         "  accelerator: {base: gemmini_16x16, mesh: {rows: 4, columns: 4}}\n"
         "  trials: exhaustive\n"
         "strikes four passes with made-up operands back to back (depth folds, edge tiles, a "
         "window "
         "that\nwaits); data.use is the number of sets of operands: random in even ones, -128, 127 "
         "and 0 in odd\nones [2]. campaigns/scenarios/correlate_4x4.yaml is such a scenario.\n\n"
         "Exit codes: 0 all agree; 1 a disagreement, or nothing was compared; 2 bad input; 130 "
         "interrupted.\n"
         "docs/correlate.md explains the tables.\n\n" +
         scenario_help(engines);
}

}  // namespace

Command correlate_command(const sim::EngineSet& engines,
                          const std::vector<std::string>& libraries) {
  const auto arguments = std::make_shared<CorrelateArguments>(libraries);
  CorrelateRequest& request = arguments->request;
  return {
      .name = "correlate",
      .about = "Compare engines on the same faults of a mesh or of cores, register by register",
      .options =
          {{"SCENARIO", &arguments->scenario, "Scenario file (YAML)", {.is_required = true}},
           {"--set", &arguments->settings,
            "KEY=VALUE ...: set dotted keys of the expanded scenario, as in `run`"},
           {"--engines",
            &request.engines,
            "Names, with commas between them; `tilestrike list fields` has them [all]",
            {.delimiter = ','}},
           {"--trials", &arguments->trials, "N or exhaustive: as --set trials=N [the scenario's]"},
           {"--seed", &arguments->seed, "As --set seed=S"},
           {"--trial", &request.trial, "Correlate this trial alone", {.is_not_negative = true}},
           {"--scenario",
            &request.scenario,
            "Point of the sweep that --trial is of, from 0 [0]",
            {.is_not_negative = true}},
           {"--out", &request.out,
            "New SQLite file with a row per fault, and one per fault and pair of engines "
            "(docs/correlate.md)"},
           {"--html", &arguments->html, "Write the tables as one HTML page"},
           {"--vcd", &request.vcd_folder,
            "Folder for waveforms (VCD) of the first disagreement, or of --trial: all registers, "
            "golden and faulty, a file per engine that steps"},
           {"--progress", &arguments->has_progress,
            "Progress on stderr even where that is no terminal"},
           {"--json", &arguments->is_json, "Print JSON"}},
      .run = [arguments, &engines] { return run(*arguments, engines); },
      .explanation = [&engines] { return correlate_help(engines); },
  };
}

}  // namespace tilestrike::campaigns::cli

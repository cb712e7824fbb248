// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// `tilestrike replay`: one trial of a results file, from cell to answer.
#include "campaigns/run/replay.h"

#include <memory>

#include "bridge/study/trial_dump.h"
#include "campaigns/cli/commands.h"
#include "campaigns/cli/terminal.h"
#include "campaigns/report/report.h"

namespace tilestrike::campaigns::cli {
namespace {

struct ReplayArguments {
  ReplayRequest request;
  bool is_json = false;
};

int run(ReplayArguments& arguments, const sim::EngineSet& engines) {
  arguments.request.open_dump = bridge::dump_of_trial;
  const ReplayReport report =
      replay(arguments.request, engines, studies_beside(arguments.request.results));
  print(report_of(report), arguments.is_json);
  return report.differences.empty() ? 0 : 1;
}

}  // namespace

Command replay_command(const sim::EngineSet& engines) {
  const auto arguments = std::make_shared<ReplayArguments>();
  ReplayRequest& request = arguments->request;
  return {
      .name = "replay",
      .about = "Strike one trial of a results file again and tell its story",
      .options =
          {{"RESULTS", &request.results, "Results file of `tilestrike run`", {.is_required = true}},
           {"--trial",
            &request.trial,
            "Number of the trial",
            {.is_required = true, .is_not_negative = true}},
           {"--scenario",
            &request.scenario,
            "Point of the sweep, from 0 [0]",
            {.is_not_negative = true}},
           {"--image",
            &request.image,
            "Of a fault that is judged on many images: whose story [the first that changed]",
            {.is_not_negative = true}},
           {"--dump", &request.dump_folder,
            "Of a strike on an accelerator: write the layers to this folder as .npy, what the "
            "struck ones became, and of the mesh the struck pass (python/check_dump.py checks "
            "them)"},
           {"--svg", &request.picture,
            "Of a strike on a memory: draw the struck cells and their codewords to this file"},
           {"--json", &arguments->is_json, "Print JSON"}},
      .run = [arguments, &engines] { return run(*arguments, engines); },
      .footer = "Exit code 1: the trial is not the one that the file holds.",
  };
}

}  // namespace tilestrike::campaigns::cli

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// `tilestrike replay`: one trial of a results file, from cell to answer.
#include "campaigns/run/replay.h"

#include <memory>

#include "bridge/study/trial_dump.h"
#include "campaigns/cli/commands.h"
#include "campaigns/report/report.h"

namespace tilestrike::campaigns::cli {
namespace {

struct ReplayArguments {
  ReplayRequest request;
  std::int64_t image = -1;
  bool is_json = false;
};

int run(ReplayArguments& arguments) {
  if (arguments.image >= 0) {
    arguments.request.image = arguments.image;
  }
  arguments.request.open_dump = bridge::dump_of_trial;
  const ReplayReport report = replay(arguments.request, bridge::Study::open);
  print(report_of(report), arguments.is_json);
  return report.differences.empty() ? 0 : 1;
}

}  // namespace

void add_replay(CLI::App& program, Action& chosen) {
  const auto arguments = std::make_shared<ReplayArguments>();
  CLI::App* command = program.add_subcommand(
      "replay", "Strike one trial of a results file again and tell its story");
  command->add_option("RESULTS", arguments->request.results, "Results file of `tilestrike run`")
      ->required();
  command->add_option("--trial", arguments->request.trial, "Number of the trial")
      ->required()
      ->check(not_negative());
  command->add_option("--scenario", arguments->request.scenario, "Point of the sweep, from 0 [0]")
      ->check(not_negative());
  command
      ->add_option("--image", arguments->image,
                   "Of a fault that is judged on many images: whose story [the first that changed]")
      ->check(not_negative());
  command->add_option(
      "--dump", arguments->request.dump_folder,
      "Of a strike on an accelerator: write the layers to this folder as .npy, what "
      "the struck ones became, and of the mesh the struck pass "
      "(python/check_dump.py checks them)");
  command->add_option("--svg", arguments->request.picture,
                      "Of a strike on a memory: draw the struck cells and their codewords to this "
                      "file");
  command->add_flag("--json", arguments->is_json, "Print JSON");
  command->footer("Exit code 1: the trial is not the one that the file holds.");
  command->callback([arguments, &chosen] { chosen = [arguments] { return run(*arguments); }; });
}

}  // namespace tilestrike::campaigns::cli

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The commands of `tilestrike`, one file each. Each adds itself to the program and leaves its exit
// code (docs/architecture.md).
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/input_files.h"
#include "campaigns/cli/output.h"
#include "campaigns/scenario/campaign.h"

namespace tilestrike::campaigns::cli {

/// A command that was parsed and is to be run; gives the exit code.
using Action = std::function<int()>;

void add_run(CLI::App& program, Action& chosen);
void add_replay(CLI::App& program, Action& chosen);
void add_infer(CLI::App& program, Action& chosen);
void add_inspect(CLI::App& program, Action& chosen);
void add_list(CLI::App& program, Action& chosen);
void add_locate(CLI::App& program, Action& chosen);
void add_compare(CLI::App& program, Action& chosen);
void add_correlate(CLI::App& program, Action& chosen);

/// Checks a whole number. (CLI11's own check names the largest double there is.)
inline CLI::Validator not_negative() {
  return {[](std::string& text) {
            return !text.empty() && text.front() == '-' ? "must be 0 or more, and is " + text : "";
          },
          "NONNEGATIVE"};
}

/// The keys of a scenario file, for help.
std::string scenario_help();

/// What names a campaign on the command line.
struct CampaignArguments {
  std::string scenario;               // file
  std::vector<std::string> settings;  // of --set
  std::string trials, seed;           // empty: the scenario's
};
Campaign load_campaign_of(const CampaignArguments& arguments);

/// Rows with columns as wide as they need; the first row is the heading.
std::string table_of(const std::vector<std::vector<std::string>>& rows);

/// "tilestrike: error: ..." on stderr.
void print_error(const std::string& text);

/// The absolute path of a model that a flag names; `zoo` becomes whether it is of the zoo.
std::string model_path(const std::string& text, bool* zoo = nullptr);

/// An option that is given once for each input of the model: "FILE", or "NAME=FILE".
void add_files(CLI::App& command, const std::string& flag, std::vector<std::string>& given,
               const std::string& help);
InputFiles files_of_flag(const std::vector<std::string>& given);

}  // namespace tilestrike::campaigns::cli

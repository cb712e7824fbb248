// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The commands of `tilestrike`, one file each (docs/architecture.md), and what they share.
#pragma once

#include <string>
#include <vector>

#include "base/input_files.h"
#include "campaigns/cli/command_line.h"
#include "campaigns/cli/output.h"
#include "campaigns/scenario/campaign.h"
#include "sim/mesh/engine_set.h"

namespace tilestrike::campaigns::cli {

// `engines` must outlive the command's run; --load adds to them before it.
Command run_command(const sim::EngineSet& engines);
Command replay_command(const sim::EngineSet& engines);
Command infer_command(const sim::EngineSet& engines);
Command inspect_command();
Command list_command(const sim::EngineSet& engines);
Command locate_command();
Command compare_command(const sim::EngineSet& engines);
/// `libraries`: what --load names, once the command line is parsed.
Command correlate_command(const sim::EngineSet& engines, const std::vector<std::string>& libraries);

/// The keys of a scenario file, for help.
std::string scenario_help(const sim::EngineSet& engines);

/// What names a campaign on the command line.
struct CampaignArguments {
  std::string scenario;               // file
  std::vector<std::string> settings;  // of --set
  std::string trials, seed;           // empty: the scenario's
};
Campaign load_campaign_of(const CampaignArguments& arguments, const sim::EngineSet& engines);

/// Rows with columns as wide as they need; the first row is the heading.
std::string table_of(const std::vector<std::vector<std::string>>& rows);

/// "tilestrike: error: ..." on stderr.
void print_error(const std::string& text);

/// The absolute path of a model that a flag names; `zoo` becomes whether it is of the zoo.
std::string model_path(const std::string& text, bool* zoo = nullptr);

/// An option that is given once for each input of the model: "FILE", or "NAME=FILE".
Option files_option(const std::string& flag, std::vector<std::string>& given,
                    const std::string& help);
InputFiles files_of_flag(const std::vector<std::string>& given);

}  // namespace tilestrike::campaigns::cli

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Scenarios as text, for the tests of campaigns.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/yaml.h"
#include "campaigns/scenario/campaign.h"
#include "tests/scratch_files.h"

namespace tilestrike::campaigns {

/// A campaign from YAML text, with "KEY=VALUE" settings.
inline Campaign campaign_of(const std::string& text,
                            const std::vector<std::string>& settings = {}) {
  std::vector<Setting> parsed;
  for (const std::string& setting : settings) {
    parsed.push_back(parse_setting(setting, "--set"));
  }
  return read_campaign(parse_yaml(text, "test.yaml"), sim::builtin_engines(), parsed);
}

/// A node of nodes.csv: those that ship, but for clusters that are quick to enumerate (at most five
/// cells), and with thermal events at 28 nm.
inline std::string quick_node(const std::string& name) {
  return (std::filesystem::path(__FILE__).parent_path() / "nodes.csv").string() + ":" + name;
}

}  // namespace tilestrike::campaigns

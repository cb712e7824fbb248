// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Scratch files, scenarios as text, and errors as text, for the tests of campaigns.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "campaigns/scenario/campaign.h"
#include "campaigns/scenario/yaml.h"

namespace tilestrike::campaigns {

/// A folder of the running test, empty at first and removed at the end.
class ScratchFolder {
 public:
  ScratchFolder() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::temp_directory_path() /
            ("tilestrike-" + std::string(test->test_suite_name()) + "-" + test->name() + "-" +
             std::to_string(::getpid()));
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::string path(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }

 private:
  std::filesystem::path path_;
};

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

/// The errors that `work` throws, one a line; empty when it throws none.
inline std::string errors_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One trial of a results file again, from cell to answer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "campaigns/results/results.h"
#include "campaigns/run/runner.h"

namespace tilestrike::campaigns {

class Report;

struct ReplayRequest {
  std::string results;
  std::int64_t scenario = 0;
  std::int64_t trial = 0;
  std::optional<std::int64_t> image;  // of a lasting fault: whose story; by default the first sdc's
  std::string dump_folder;            // empty: no dump
  std::function<std::unique_ptr<bridge::RunObserver>(const std::string& folder)> open_dump;
  std::string picture;  // file for a picture of the struck memory; empty: none
};

struct ReplayReport {
  std::int64_t scenario = 0;
  std::int64_t trial = 0;
  std::string label;
  std::string title;
  std::int64_t image = 0;  // whose story is told
  std::int64_t images = 1;
  std::int64_t label_of_image = -1;
  std::vector<std::string> faults;
  std::vector<std::string> story;
  TrialRecord record;
  std::vector<float> golden_logits;
  std::vector<std::string> differences;  // from the stored trial; none: the same trial
};

/// Throws Failure where the file has no such trial, or its model or data have changed since.
ReplayReport replay(const ReplayRequest& request, const sim::EngineSet& engines,
                    const StudyFactory& open_study);

Report report_of(const ReplayReport& found);

}  // namespace tilestrike::campaigns

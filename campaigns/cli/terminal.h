// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What long commands share: the line of progress, and being asked to stop.
#pragma once

#include <chrono>
#include <string>

#include "campaigns/run/runner.h"

namespace tilestrike::campaigns::cli {

/// One line on stderr: rewritten on a terminal, otherwise one every few seconds.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { close(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  bool is_on_terminal() const { return is_terminal_; }
  void show(const std::string& text);
  void close();

 private:
  bool is_terminal_;
  bool is_open_ = false;
  std::chrono::steady_clock::time_point shown_{};
};

/// Opens studies that keep what a start computes from files alone in the folder tilestrike_cache
/// next to the results; it may be deleted.
StudyFactory studies_beside(const std::string& results);

/// What a command runs in that may take long: from now on the first SIGINT or SIGTERM asks to stop
/// after the trial at hand, a second one stops at once; on a terminal, or where that is wanted, it
/// shows how far it is. `line` must outlive it.
Surroundings surroundings_of(const sim::EngineSet& engines, const StudyFactory& open_study,
                             ProgressLine& line, bool wants_progress);

}  // namespace tilestrike::campaigns::cli

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What long commands share: the line of progress, and being asked to stop.
#pragma once

#include <chrono>
#include <string>

namespace tilestrike::campaigns::cli {

/// From now on the first SIGINT or SIGTERM asks to stop after the trial at hand, a second one stops
/// at once.
void listen_to_signals();
bool stop_was_asked();

/// One line on stderr: rewritten on a terminal, otherwise one every few seconds.
class ProgressLine {
 public:
  ProgressLine();
  bool is_on_terminal() const { return is_terminal_; }
  void show(const std::string& text);
  void close();

 private:
  bool is_terminal_;
  bool is_open_ = false;
  std::chrono::steady_clock::time_point shown_{};
};

}  // namespace tilestrike::campaigns::cli

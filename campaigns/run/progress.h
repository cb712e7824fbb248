// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How far a campaign has come: the line on stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace tilestrike::campaigns {

/// Shows one line; may be empty.
using ShowProgress = std::function<void(const std::string&)>;

/// How far, how fast, how long still; a few lines a second at most.
class Progress {
 public:
  /// `already` of `total` trials were done before. `show` must outlive this object.
  Progress(const ShowProgress& show, std::string label, std::int64_t already, std::int64_t total);
  /// One trial more is done.
  void step();

 private:
  using Clock = std::chrono::steady_clock;
  void show();

  const ShowProgress& show_;
  std::string label_;
  std::int64_t done_ = 0;
  std::int64_t struck_ = 0;
  std::int64_t total_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = start_;
};

}  // namespace tilestrike::campaigns

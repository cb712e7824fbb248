// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/run/progress.h"

#include <fmt/format.h>

#include <algorithm>

namespace tilestrike::campaigns {
namespace {

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole < 60) {
    return fmt::format("{} s", whole);
  }
  if (whole < 3600) {
    return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  }
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

}  // namespace

Progress::Progress(const ShowProgress& show, std::string label, std::int64_t already,
                   std::int64_t total)
    : show_(show), label_(std::move(label)), done_(already), total_(total) {}

void Progress::step() {
  ++done_;
  ++struck_;
  if (show_ && (Clock::now() - shown_ >= std::chrono::milliseconds(200) || done_ == total_)) {
    show();
  }
}

void Progress::show() {
  shown_ = Clock::now();
  const double seconds = std::chrono::duration<double>(shown_ - start_).count();
  const double rate = static_cast<double>(struck_) / std::max(seconds, 1e-9);
  const double left = static_cast<double>(total_ - done_) / std::max(rate, 1e-9);
  show_(fmt::format("{}{} of {} trials, {:.3g} per second, {} left", label_, done_, total_, rate,
                    duration_text(left)));
}

}  // namespace tilestrike::campaigns

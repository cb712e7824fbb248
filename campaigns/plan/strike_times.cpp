// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/strike_times.h"

#include <string>
#include <utility>

#include "base/error.h"

namespace tilestrike::campaigns {

StrikeTimes StrikeTimes::lasting(CycleWindow window) {
  StrikeTimes times;
  times.lasting_ = window;
  return times;
}

StrikeTimes StrikeTimes::one_of(std::vector<CycleWindow> windows) {
  StrikeTimes times;
  times.windows_ = std::move(windows);
  for (const CycleWindow& window : times.windows_) {
    times.cycles_ += window.until - window.from;
  }
  return times;
}

CycleWindow StrikeTimes::at(std::uint64_t index) const {
  if (cycles_ == 0) {
    return lasting_;
  }
  auto offset = static_cast<Cycle>(index);
  for (const CycleWindow& window : windows_) {
    const Cycle length = window.until - window.from;
    if (offset < length) {
      return {window.from + offset, window.from + offset + 1};
    }
    offset -= length;
  }
  TS_CHECK(false, "a cycle of the windows");
  return {};
}

CycleWindow StrikeTimes::draw(RandomStream& stream) const {
  return at(cycles_ == 0 ? 0 : stream.below(static_cast<std::uint64_t>(cycles_)));
}

StrikeTimes times_of(const StrikeConfig& strike, const bridge::StudyFacts& study,
                     std::vector<CycleWindow> windows) {
  const bool has_window = strike.lasts.kind == Lasts::Kind::kWindow;
  if (has_window && strike.lasts.window.until > study.cycles) {
    fail(ErrorCode::kInvalidInput,
         "strike.lasts.until: " + std::to_string(strike.lasts.window.until) +
             " is beyond the inference",
         "scenario", "an inference takes " + std::to_string(study.cycles) + " cycles");
  }
  if (!is_persistent(strike)) {
    return StrikeTimes::one_of(std::move(windows));
  }
  return StrikeTimes::lasting(has_window ? strike.lasts.window : CycleWindow{});
}

StrikeTimes times_of(const StrikeConfig& strike, const bridge::StudyFacts& study) {
  return times_of(strike, study, {{0, study.cycles}});
}

}  // namespace tilestrike::campaigns

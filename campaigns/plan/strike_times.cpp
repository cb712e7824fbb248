// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/strike_times.h"

#include <algorithm>
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

StrikeTimes StrikeTimes::by_image(std::vector<CycleWindow> windows) {
  StrikeTimes times;
  times.windows_ = std::move(windows);
  std::uint64_t all = 0;
  for (const CycleWindow& window : times.windows_) {
    all += static_cast<std::uint64_t>(window.until - window.from);
    times.ends_.push_back(all);
  }
  TS_CHECK(all > 0, "images without cycles");
  const std::uint64_t images = times.windows_.size();
  times.cycles_ = static_cast<Cycle>((all + images / 2) / images);
  return times;
}

std::pair<ImageId, CycleWindow> StrikeTimes::moment(std::uint64_t index) const {
  const auto end = std::ranges::upper_bound(ends_, index);
  const auto image = static_cast<std::size_t>(end - ends_.begin());
  const std::uint64_t before = image == 0 ? 0 : ends_[image - 1];
  const Cycle cycle = windows_[image].from + static_cast<Cycle>(index - before);
  return {ImageId(static_cast<std::int64_t>(image)), {cycle, cycle + 1}};
}

ImageId StrikeTimes::draw_image(RandomStream& stream) const {
  return moment(stream.below(moments())).first;
}

CycleWindow StrikeTimes::draw(RandomStream& stream, std::optional<ImageId> image) const {
  if (is_by_image()) {
    TS_CHECK(image.has_value(), "the image that is struck");
    const CycleWindow& own = windows_[static_cast<std::size_t>(image->value)];
    const Cycle cycle =
        own.from +
        static_cast<Cycle>(stream.below(static_cast<std::uint64_t>(own.until - own.from)));
    return {cycle, cycle + 1};
  }
  return at(cycles_ == 0 ? 0 : stream.below(static_cast<std::uint64_t>(cycles_)));
}

namespace {

Cycle longest_inference(const bridge::StudyFacts& study) {
  Cycle longest = study.cycles;
  for (ImageId image(0); study.cores && image.value < study.images; ++image.value) {
    longest = std::max(longest, study.cores->cycles(image));
  }
  return longest;
}

}  // namespace

StrikeTimes times_of(const StrikeConfig& strike, const bridge::StudyFacts& study,
                     std::vector<CycleWindow> windows) {
  const bool has_window = strike.lasts.kind == Lasts::Kind::kWindow;
  const Cycle longest = longest_inference(study);
  if (has_window && strike.lasts.window.until > longest) {
    fail(ErrorCode::kInvalidInput,
         "strike.lasts.until: " + std::to_string(strike.lasts.window.until) +
             " is beyond the inference",
         "scenario",
         (study.cores ? "the longest inference takes " : "an inference takes ") +
             std::to_string(longest) + " cycles");
  }
  if (!is_persistent(strike)) {
    return StrikeTimes::one_of(std::move(windows));
  }
  return StrikeTimes::lasting(has_window ? strike.lasts.window : CycleWindow{});
}

StrikeTimes times_of(const StrikeConfig& strike, const bridge::StudyFacts& study) {
  if (study.cores && !is_persistent(strike)) {
    std::vector<CycleWindow> windows;
    for (ImageId image(0); image.value < study.images; ++image.value) {
      windows.push_back({0, study.cores->cycles(image)});
    }
    return StrikeTimes::by_image(std::move(windows));
  }
  return times_of(strike, study, {{0, study.cycles}});
}

std::vector<std::string> missed_windows(const StrikeConfig& strike,
                                        const bridge::StudyFacts& study) {
  if (!study.cores || strike.lasts.kind != Lasts::Kind::kWindow) {
    return {};
  }
  std::int64_t missed = 0;
  for (ImageId image(0); image.value < study.images; ++image.value) {
    missed += study.cores->cycles(image) <= strike.lasts.window.from ? 1 : 0;
  }
  if (missed == 0) {
    return {};
  }
  return {"the inferences of " + std::to_string(missed) + " of " + std::to_string(study.images) +
          " images end before the window begins: no fault acts on them, and they count as masked"};
}

}  // namespace tilestrike::campaigns

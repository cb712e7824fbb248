// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// When the faults of a strike act.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "base/ids.h"
#include "base/random.h"
#include "bridge/words/study_facts.h"
#include "campaigns/scenario/strike.h"

namespace tilestrike::campaigns {

/// Each cycle of an inference in which a transient fault may strike, or the one window of a fault
/// that lasts. Where images last differently long, each has cycles of its own, and all of them
/// end to end are what is struck uniformly: an image is drawn in proportion to its cycles.
class StrikeTimes {
 public:
  /// Of what knows no cycles: tensors.
  StrikeTimes() = default;
  static StrikeTimes lasting(CycleWindow window);
  /// One of the cycles of these windows, which are in order and apart.
  static StrikeTimes one_of(std::vector<CycleWindow> windows);
  /// One of the cycles of each image's own window.
  static StrikeTimes by_image(std::vector<CycleWindow> windows);

  /// Cycles to strike in, of images of different length their mean; 0: there is nothing to choose.
  Cycle cycles() const { return cycles_; }
  /// How many different times there are, of one image.
  std::uint64_t count() const { return cycles_ > 0 ? static_cast<std::uint64_t>(cycles_) : 1; }
  CycleWindow at(std::uint64_t index) const;
  /// Takes no number where there is nothing to choose. `image`: known where times are by image.
  CycleWindow draw(RandomStream& stream, std::optional<ImageId> image) const;

  bool is_by_image() const { return !ends_.empty(); }
  /// Of times by image: cycles of all images end to end; which image one of them is of, and when.
  std::uint64_t moments() const { return ends_.empty() ? 0 : ends_.back(); }
  std::pair<ImageId, CycleWindow> moment(std::uint64_t index) const;
  ImageId draw_image(RandomStream& stream) const;
  Cycle cycles_of(ImageId image) const {
    const CycleWindow& window = windows_[static_cast<std::size_t>(image.value)];
    return window.until - window.from;
  }

 private:
  CycleWindow lasting_;
  std::vector<CycleWindow> windows_;  // of each image, where times are by image
  Cycle cycles_ = 0;                  // of all windows, or their mean
  std::vector<std::uint64_t> ends_;   // by image: its cycles and those before
};

/// Of a strike on hardware: one of the cycles of `windows`, unless its faults last. Throws Failure
/// where they last beyond the inference.
StrikeTimes times_of(const StrikeConfig& strike, const bridge::StudyFacts& study,
                     std::vector<CycleWindow> windows);
/// The same, in the whole inference, each image in its own.
StrikeTimes times_of(const StrikeConfig& strike, const bridge::StudyFacts& study);

/// That some images end before a window begins; else nothing.
std::vector<std::string> missed_windows(const StrikeConfig& strike,
                                        const bridge::StudyFacts& study);

}  // namespace tilestrike::campaigns

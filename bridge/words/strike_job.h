// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a study is asked, and what it answers.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/strike.h"
#include "bridge/words/trial_result.h"

namespace tilestrike::bridge {

/// Where the scrubber of each memory is when the struck inference begins: so many cycles into a
/// round, 0 .. period - 1; nothing where none comes by. By memory of StudyFacts::memories; may be
/// empty where no memory has a scrubber.
using ScrubPhases = std::vector<std::optional<Cycle>>;

/// Cells struck within one inference of one image.
struct CellStrike {
  std::span<const CellFault> faults;                   // sorted by memory, then bit, no cell twice
  std::span<const std::optional<Cycle>> scrub_phases;  // of ScrubPhases
};

/// A strike on one inference, or one that lasts on an inference of each image.
struct StrikeJob {
  Strike strike;                 // of registers, of cells, or of words
  std::optional<ImageId> image;  // nothing: each image in use
  ScrubPhases scrub_phases;      // where cells are struck
  /// Of a strike on each image: on which of them an observer looks on. Strikes on constants run all
  /// images at once, and it sees them all.
  ImageId watched{0};
};

/// What a job has come to.
struct JobResult {
  std::vector<TrialResult> images;  // the job's image, or each image in use, in order
  std::optional<double> score;      // the judge's metric of these answers together
  /// Where the strike outlives its inference: what is left of it does to an inference of each image
  /// in use that comes after the struck one and a visit of the scrubber, and before the contents
  /// are renewed. What scrubbers find does not count: it counts once, in `images`.
  std::vector<TrialResult> later;
};

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One strike on one study, in one line.
#pragma once

#include <utility>
#include <vector>

#include "bridge/study/study.h"

namespace tilestrike::bridge {

/// `faults`: of one kind. Without an image it is struck on all of them.
inline JobResult strike(Study& study, std::optional<ImageId> image, Strike faults,
                        RunObserver* observer = nullptr) {
  StrikeJob job;
  job.strike = std::move(faults);
  job.image = image;
  return std::move(study.strike({&job, 1}, observer).front());
}

inline TrialResult strike(Study& study, ImageId image, const RegisterFault& fault,
                          RunObserver* observer = nullptr) {
  return strike(study, image, Strike{{fault}, {}, {}}, observer).images.front();
}
inline TrialResult strike(Study& study, ImageId image, const CellFault& fault) {
  return strike(study, image, Strike{{}, {fault}, {}}).images.front();
}
/// On each image.
inline std::vector<TrialResult> strike_constant(Study& study, const WordFault& fault) {
  return strike(study, std::nullopt, Strike{{}, {}, {fault}}).images;
}

}  // namespace tilestrike::bridge

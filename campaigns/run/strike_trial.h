// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One drawn trial: struck, judged, and written down.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "bridge/study/study.h"
#include "campaigns/plan/sampling.h"
#include "campaigns/results/trial_record.h"

namespace tilestrike::campaigns {

/// Who looks on while a trial is struck: at its only image or, of a lasting fault, at one of them.
struct Watch {
  bridge::RunObserver* observer = nullptr;
  ImageId image;
};
/// Strikes and judges trials that the plan has drawn, together where the study can: one record
/// each, in order. Where the observer said is_interrupted(), the last record is that of the trial
/// before.
std::vector<TrialRecord> strike_and_judge(bridge::Study& study, const Plan& plan,
                                          std::int64_t scenario, std::vector<DrawnTrial> drawn,
                                          const std::string& engine, const Watch& watch = {});

}  // namespace tilestrike::campaigns

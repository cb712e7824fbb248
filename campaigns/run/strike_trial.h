// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One trial: drawn, struck, judged, and written down.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
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
/// Strikes and judges one trial; nothing when `is_interrupted` said so in between.
std::optional<TrialRecord> strike_and_judge(bridge::Study& study, const Plan& plan,
                                            std::int64_t scenario, TrialId trial,
                                            const std::string& engine,
                                            const std::function<bool()>& is_interrupted,
                                            const Watch& watch = {});

/// Several trials that strike activations, judged together: one record each, in order.
std::vector<TrialRecord> strike_and_judge_activations(bridge::Study& study, const Plan& plan,
                                                      std::int64_t scenario,
                                                      std::span<const TrialId> trials);

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What correlations of a mesh and of cores have in common: which engines, which trials, and in
// which order.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "campaigns/correlate/correlate.h"
#include "campaigns/plan/sampling.h"

namespace tilestrike::campaigns {

/// The engines asked for, each once; none: all of `known`. Throws Failure where one is not in
/// `known`, or where there are fewer than two.
std::vector<std::string> checked_engines(const std::vector<std::string>& asked,
                                         const std::vector<std::string>& known,
                                         const sim::EngineSet& all);

/// Throws Failure where the one trial asked for is of no scenario of the sweep.
void check_scenario_number(const Campaign& campaign, const CorrelateRequest& request);

/// Throws Failure where a plan has no such trial.
void check_trial_number(const Plan& plan, std::int64_t trial);

/// Upper bound, one-sided, of the rate of faults on which a pair differs; of a census the rate.
double bound_of_differing(std::int64_t differed, std::int64_t compared, bool is_census,
                          double confidence);

/// A lasting fault, which a campaign judges on every image, is correlated on one.
ImageId compared_image(const Plan& plan, std::int64_t images, TrialId trial);

/// All trials of a plan, those of one image after each other, for they share its golden run; false:
/// interrupted.
bool each_trial_by_image(const Plan& plan, std::int64_t images, const std::string& label,
                         const Surroundings& surroundings,
                         const std::function<void(TrialId)>& visit);

/// The command that does one trial again, with waveforms; "" where `command` is.
std::string command_of_trial(const std::string& command, const std::string& label,
                             std::int64_t scenario, std::int64_t trial, const EnginePair& engines);

}  // namespace tilestrike::campaigns

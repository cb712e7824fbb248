// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The judge of what was loaded, and what it makes of golden answers and of whole jobs.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "bridge/study/workload.h"
#include "bridge/trial/judge.h"
#include "bridge/words/strike_job.h"
#include "bridge/words/study_facts.h"

namespace tilestrike::bridge {

/// `answers`: of any number of images. What is left aside goes to load.warnings. Throws Failure as
/// Judge::make() does.
std::unique_ptr<Judge> judge_of(const JudgeConfig& config, const at::Tensor& answers,
                                Workload& load);

/// The metric of golden answers of all images; doubts about them go to `warnings`.
std::optional<double> score_of(const Judge& judge, const at::Tensor& answers,
                               std::vector<std::string>& warnings);

/// Sets what the facts say of the golden answers (of all images, in order) and of their labels.
void judge_golden(const Judge& judge, const at::Tensor& answers, StudyFacts& facts);

/// Sets the score of a job of which all images are judged.
void set_score(const Judge& judge, JobResult& result);

}  // namespace tilestrike::bridge

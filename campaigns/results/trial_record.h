// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a results file keeps of one trial: what all trials have, and the part of what it struck.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "campaigns/plan/sampling.h"
#include "campaigns/results/core_trial.h"
#include "campaigns/results/fault_record.h"
#include "campaigns/results/judged.h"
#include "campaigns/results/memory_trial.h"
#include "campaigns/results/mesh_trial.h"
#include "campaigns/results/tensor_trial.h"

namespace tilestrike::campaigns {

/// What is kept of an answer that differs from golden, and what the judge measured of it.
struct AnswerRecord {
  std::optional<std::int64_t> golden_class, faulty_class;
  std::optional<double> score, golden_score;
  std::optional<double> share_differing;
  std::optional<std::int64_t> first_differing;
  std::optional<std::int64_t> changed_answer;
  std::vector<float> logits;
  std::optional<std::string> differences, answer_digest;
  friend bool operator==(const AnswerRecord&, const AnswerRecord&) = default;
};

/// One image on which a lasting fault was not masked.
struct OutcomeRecord : TrialKey, AnswerRecord {
  std::int64_t image = 0;
  Outcome outcome = Outcome::kMasked;
  bool sdc_1 = false, sdc_5 = false, sdc_10 = false, sdc_20 = false;
  std::string layer;
  std::int64_t changed_accumulators = 0;
  std::int64_t changed_outputs = 0;
  friend bool operator==(const OutcomeRecord&, const OutcomeRecord&) = default;
};

/// Its answer is that of the first image that was not masked; its score and the share of parts that
/// differ are those of all its images.
struct TrialRecord : TrialKey, AnswerRecord {
  double weight = 1.0;
  std::string stratum;
  std::optional<sim::Radiation> radiation;
  std::optional<std::int64_t> image;
  std::string structure, register_name;
  std::optional<std::int64_t> bit;
  FaultKind fault = FaultKind::kFlip;
  std::int64_t faults = 0;
  std::optional<std::int64_t> events;
  bool activated = false;
  MaskedAt masked_at = MaskedAt::kNowhere;
  Outcome outcome = Outcome::kMasked;
  bool sdc_1 = false, sdc_5 = false, sdc_10 = false, sdc_20 = false;
  bool hung = false;
  std::string layer;
  std::int64_t changed_accumulators = 0;
  std::int64_t changed_outputs = 0;
  std::int64_t changed_words = 0;
  double relative_l2 = 0.0;
  std::int64_t passes_simulated = 0;
  std::string engine;
  std::optional<std::string> audit;
  std::int64_t images = 0;
  std::int64_t images_activated = 0;
  RateArray<std::int64_t> images_of;
  std::optional<std::int64_t> images_correct, images_golden_correct;

  std::optional<MeshTrial> mesh;
  std::optional<MemoryTrial> memory;
  std::optional<TensorTrial> tensor;
  std::optional<CoreTrial> core;  // beside `memory`, where cells of cores are struck
  std::vector<OutcomeRecord> outcomes;
  std::vector<FaultRecord> faults_kept;  // the first kMostFaultRecords

  friend bool operator==(const TrialRecord&, const TrialRecord&) = default;
};

/// The fault of a trial that has but one, as the trial's own columns say it.
FaultRecord only_fault(const TrialRecord& record);

/// Whether these columns say all that is kept of its faults.
bool says_its_fault(const TrialRecord& record);

/// What is kept of a judged trial, without what came of its images one by one.
TrialRecord record_of(std::int64_t scenario, const DrawnTrial& drawn,
                      const bridge::StudyFacts& study, const Plan& plan, const Judged& judged,
                      const std::string& engine);

OutcomeRecord outcome_record(std::int64_t scenario, TrialId trial, ImageId image,
                             const bridge::TrialResult& result, std::optional<double> golden_score);

/// "17:0.25 18:nan", by index in the answer; none: nothing.
std::optional<std::string> text_of(const std::vector<bridge::AnswerDifference>& differences);

/// The column `structure` of a drawn trial: the mesh, a memory's name, or a tensor's role.
std::string structure_of(const DrawnTrial& drawn, const bridge::StudyFacts& study);

/// The first fault of a drawn trial.
FaultRecord first_fault_of(const DrawnTrial& drawn, const bridge::StudyFacts& study);

/// "register[3][5] bit 2: flip at cycle 17" for each fault of a drawn trial.
std::vector<std::string> describe(const DrawnTrial& drawn, const bridge::StudyFacts& study);

}  // namespace tilestrike::campaigns

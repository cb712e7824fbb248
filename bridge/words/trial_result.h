// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What one trial has come to: the verdict on its answer, and how it came about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/outcome.h"

namespace tilestrike::bridge {

/// The verdict on one answer. What the refinements of sdc mean is the judge's to say
/// (judge_config.h); for classes see Li et al., SC 2017, and docs/architecture.md.
struct Judgement {
  Outcome outcome = Outcome::kMasked;
  bool sdc_1 = false;
  bool sdc_5 = false;
  bool sdc_10 = false;
  bool sdc_20 = false;
  double relative_l2 = 0.0;  // |faulty - golden| / |golden|; infinite where not finite
  int golden_class = -1;     // -1: the answer has no class of its own
  int faulty_class = -1;
  /// Of the answer's pixels, positions, decisions or detections those that differ, as a share; -1:
  /// it has no such parts.
  double share_differing = -1.0;
  std::int64_t first_differing = -1;  // of these; -1: none
};

/// A number of a faulty answer that differs from golden.
struct AnswerDifference {
  std::int64_t index = 0;  // in the answer, flattened
  float value = 0.0F;
  bool operator==(const AnswerDifference&) const = default;
};

/// Of strikes on a chip of neuromorphic cores (docs/core.md).
struct CoreFindings {
  std::int64_t core = -1;            // the first one struck
  std::int64_t tick = -1;            // chip tick of the first strike; -1: in the lead-in
  std::int64_t neuron = -1;          // of the layer, that the first struck bit belongs to; -1: none
  std::int64_t input = -1;           // of the layer, the same
  std::int64_t changed_spikes = 0;   // of struck cores: spikes, by neuron and tick, more or less
  std::int64_t changed_behind = 0;   // of all other cores
  std::int64_t first_changed = -1;   // the first tick of these; -1: none
  std::int64_t misrouted = 0;        // events that went where no golden route of the neuron goes
  std::int64_t cores_simulated = 0;  // that an engine computed
  bool operator==(const CoreFindings&) const = default;
};

/// The effect of one list of faults on one inference of one image.
struct TrialResult {
  Judgement judgement;
  MaskedAt masked_at = MaskedAt::kNowhere;
  bool activated = false;  // a live value differed
  bool hung = false;
  /// A guard of the accumulators, or the host in a core's register `error`, has found something
  /// wrong.
  bool is_guarded = false;
  std::string layer;       // the first layer struck; empty when idle
  std::int64_t pass = -1;  // first pass whose outputs, weights or accumulators were touched
  std::int64_t step = -1;  // wavefront of that pass's window
  std::int64_t passes_simulated = 0;
  std::uint64_t before = 0, after = 0;  // the struck register's word
  std::int64_t changed_accumulators = 0;
  std::int64_t changed_outputs = 0;  // of the struck layer, after requantisation
  std::int64_t changed_words = 0;    // of struck tensors
  // Of an answer that differs from golden (judge_config.h, kMostKept):
  std::int64_t changed_answer = 0;            // how many of its numbers do
  std::vector<float> logits;                  // all of it, faulty; empty where it is long
  std::vector<AnswerDifference> differences;  // of a long one; empty where they are many
  std::string answer_digest;                  // in the place of many differences
  /// What the answer adds to the score of several (Judge::score); empty: there is none.
  std::vector<double> score_part;
  std::optional<double> score;  // of this image alone
  // Of strikes on memories:
  std::int64_t corrected_codewords = 0;  // that ECC corrected at a read
  std::int64_t detected_codewords = 0;   // in which it found an error that it could not correct
  /// The outcome if the accelerator had not stopped at what ECC or a guard has detected; of kMasked
  /// or kCorrected where judgement.outcome is kDue, that was a false DUE.
  Outcome without_stop = Outcome::kMasked;
  bool outlives = false;  // later inferences read the struck cells, too
  std::optional<CoreFindings> cores;
};

}  // namespace tilestrike::bridge

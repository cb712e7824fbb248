// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What one trial has come to: the verdict on its answer, and how it came about.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/outcome.h"

namespace tilestrike::bridge {

/// How an answer is judged against the golden one.
enum class JudgeKind {
  kTopK,        // as logits of classes
  kRelativeL2,  // by |faulty - golden| / |golden|, whatever the output means
};

/// Top-k and confidence refinements of sdc (Li et al., SC 2017; docs/architecture.md).
struct Judgement {
  Outcome outcome = Outcome::kMasked;
  bool sdc_1 = false;  // top-1 class differs from the golden run's
  bool sdc_5 = false;  // top-1 class is not among the golden run's top five
  // The golden class's confidence moved by more than 10 % or 20 % of its value; judged by relative
  // L2, that is above 10 % or 20 %.
  bool sdc_10 = false;
  bool sdc_20 = false;
  double relative_l2 = 0.0;  // |faulty - golden| / |golden|; infinite where not finite
  int golden_class = -1;
  int faulty_class = -1;
};

/// The effect of one list of faults on one inference of one image.
struct TrialResult {
  Judgement judgement;
  MaskedAt masked_at = MaskedAt::kNowhere;
  bool activated = false;  // a live value differed
  bool hung = false;
  bool is_guarded = false;  // a guard of the accumulators has found something wrong
  std::string layer;        // the first layer struck; empty when idle
  std::int64_t pass = -1;   // first pass whose outputs, weights or accumulators were touched
  std::int64_t step = -1;   // wavefront of that pass's window
  std::int64_t passes_simulated = 0;
  std::uint64_t before = 0, after = 0;  // the struck register's word
  std::int64_t changed_accumulators = 0;
  std::int64_t changed_outputs = 0;  // of the struck layer, after requantisation
  std::int64_t changed_words = 0;    // of struck tensors
  std::vector<float> logits;         // faulty; empty when the answer equals golden, or is very long
  // Of strikes on memories:
  std::int64_t corrected_codewords = 0;  // that ECC corrected at a read
  std::int64_t detected_codewords = 0;   // in which it found an error that it could not correct
  /// The outcome if the accelerator had not stopped at what ECC or a guard has detected; of kMasked
  /// or kCorrected where judgement.outcome is kDue, that was a false DUE.
  Outcome without_stop = Outcome::kMasked;
  bool outlives = false;  // later inferences read the struck cells, too
};

}  // namespace tilestrike::bridge

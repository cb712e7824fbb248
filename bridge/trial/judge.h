// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Judges a faulty answer against the golden one (docs/architecture.md, Outcomes). The one place
// that knows which outcome goes before which. No LibTorch in this header.
#pragma once

#include <memory>
#include <span>

#include "bridge/words/trial_result.h"

namespace tilestrike::bridge {

/// Index of the largest; ties take the lowest. -1 when empty.
int top_1(std::span<const float> logits);

class Judge {
 public:
  /// An answer of more numbers is judged and not kept with its result.
  static constexpr std::size_t kMostKept = 4096;
  /// Shares of the golden class's confidence (or, by relative L2, of the answer's size) beyond
  /// which an answer counts as SDC-10 % and SDC-20 %.
  static constexpr double kLess = 0.1, kMore = 0.2;

  static std::unique_ptr<Judge> make(JudgeKind kind);
  virtual ~Judge() = default;

  /// What the answers alone tell: masked where they are equal bit for bit, nonfinite, or sdc with
  /// its refinements. Both are of one network, and not empty.
  virtual Judgement compare(std::span<const float> golden, std::span<const float> faulty) const = 0;

  /// The verdict on a trial: compare(), and what the hardware has found (result.hung, is_guarded,
  /// corrected_ and detected_codewords). Sets judgement, without_stop and logits.
  void conclude(std::span<const float> golden, std::span<const float> faulty,
                TrialResult& result) const;
};

/// By classes (Li et al., SC 2017). SDC-1: the top class differs; SDC-5: the faulty one is not
/// among the golden top five; SDC-10 %, -20 %: the golden class's softmax confidence moved by more
/// than that share of its golden value. An answer that is not finite counts as all four.
class TopKJudge final : public Judge {
 public:
  Judgement compare(std::span<const float> golden, std::span<const float> faulty) const override;
};

/// By |faulty - golden| / |golden|, whatever the numbers mean: SDC-10 % and -20 % are thresholds of
/// it; there is no SDC-1 and no SDC-5.
class RelativeL2Judge final : public Judge {
 public:
  Judgement compare(std::span<const float> golden, std::span<const float> faulty) const override;
};

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Judges a faulty answer against the golden one (docs/architecture.md, Outcomes).
#pragma once

#include <span>

#include "bridge/words/trial_result.h"

namespace tilestrike::bridge {

/// Index of the largest; ties take the lowest. -1 when empty.
int top_1(std::span<const float> logits);

/// Outcome and refinements of one answer. `hung`: the simulated hardware did not answer.
/// SDC-1: top-1 differs; SDC-5: the faulty top-1 is not among the golden top five; SDC-10 %, -20 %:
/// the golden class's softmax confidence moved by more than that share of its golden value (Li et
/// al., SC 2017). A non-finite answer counts as all four. Judged by relative L2, an answer has no
/// SDC-1 and SDC-5, and the other two are thresholds of |faulty - golden| / |golden|.
Judgement judge(std::span<const float> golden, std::span<const float> faulty, bool hung,
                JudgeKind kind);

}  // namespace tilestrike::bridge

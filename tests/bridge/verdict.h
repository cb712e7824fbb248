// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One verdict for equal answers, whatever was struck.
#pragma once

#include <gtest/gtest.h>

#include "bridge/study/study.h"
#include "bridge/trial/judge.h"

namespace tilestrike::bridge {

/// An answer that differs from golden is judged as the judge says it is, and by relative L2 has no
/// classes. Whether judging by top-k would have said something else.
inline bool is_judged_by_relative_l2(Study& study, ImageId image, const TrialResult& result) {
  const std::vector<float> golden = study.golden_answer(image);
  const Judgement expected = RelativeL2Judge().compare(golden, result.logits);
  const Judgement& judged = result.judgement;
  EXPECT_EQ(judged.outcome, expected.outcome);
  EXPECT_EQ(judged.relative_l2, expected.relative_l2);
  EXPECT_GT(judged.relative_l2, 0.0);
  EXPECT_EQ(judged.faulty_class, expected.faulty_class);
  EXPECT_EQ(judged.golden_class, expected.golden_class);
  EXPECT_FALSE(judged.sdc_1);
  EXPECT_FALSE(judged.sdc_5);
  EXPECT_EQ(judged.sdc_10, judged.relative_l2 > 0.1);
  EXPECT_EQ(judged.sdc_20, judged.relative_l2 > 0.2);
  return TopKJudge().compare(golden, result.logits).sdc_1;
}

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Two trials on tensors that must say the same.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "bridge/words/trial_result.h"

namespace tilestrike::bridge {

inline void expect_same(const TrialResult& one, const TrialResult& other) {
  const auto is_same = [](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  EXPECT_TRUE(std::ranges::equal(one.logits, other.logits, is_same));
  EXPECT_EQ(one.before, other.before);
  EXPECT_EQ(one.after, other.after);
  EXPECT_EQ(one.layer, other.layer);
  EXPECT_EQ(one.changed_words, other.changed_words);
  EXPECT_EQ(one.masked_at, other.masked_at);
  EXPECT_EQ(one.judgement.outcome, other.judgement.outcome);
  EXPECT_EQ(one.judgement.faulty_class, other.judgement.faulty_class);
}

}  // namespace tilestrike::bridge

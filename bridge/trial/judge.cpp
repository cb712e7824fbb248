// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/judge.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace tilestrike::bridge {
namespace {

constexpr int kTopFive = 5;

double confidence(std::span<const float> logits, int chosen) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (const float logit : logits) {
    sum += std::exp(logit - largest);
  }
  return std::exp(logits[static_cast<std::size_t>(chosen)] - largest) / sum;
}

// How many classes rank before `chosen`: larger, or equal with a lower index.
int rank_of(std::span<const float> logits, int chosen) {
  const float value = logits[static_cast<std::size_t>(chosen)];
  int before = 0;
  for (int i = 0; i < static_cast<int>(logits.size()); ++i) {
    const float other = logits[static_cast<std::size_t>(i)];
    before += other > value || (other == value && i < chosen) ? 1 : 0;
  }
  return before;
}

double relative_l2(std::span<const float> golden, std::span<const float> faulty) {
  double moved = 0.0;
  double size = 0.0;
  for (std::size_t i = 0; i < golden.size(); ++i) {
    const double difference = static_cast<double>(faulty[i]) - golden[i];
    moved += difference * difference;
    size += static_cast<double>(golden[i]) * golden[i];
  }
  return moved == 0.0 ? 0.0 : std::sqrt(moved / size);
}

}  // namespace

int top_1(std::span<const float> logits) {
  return logits.empty()
             ? -1
             : static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

Judgement judge(std::span<const float> golden, std::span<const float> faulty, bool hung,
                JudgeKind kind) {
  TS_CHECK(golden.size() == faulty.size() && !golden.empty(), "answers of one network");
  Judgement judgement;
  judgement.golden_class = top_1(golden);
  const bool is_finite =
      std::all_of(faulty.begin(), faulty.end(), [](float logit) { return std::isfinite(logit); });
  const bool differs = std::memcmp(golden.data(), faulty.data(), golden.size_bytes()) != 0;
  if (!is_finite) {
    judgement.outcome = Outcome::kNonfinite;
    judgement.relative_l2 = std::numeric_limits<double>::infinity();
    judgement.sdc_10 = judgement.sdc_20 = true;
    judgement.sdc_1 = judgement.sdc_5 = kind == JudgeKind::kTopK;
  } else {
    judgement.faulty_class = top_1(faulty);
    if (differs) {
      judgement.outcome = Outcome::kSdc;
      judgement.relative_l2 = relative_l2(golden, faulty);
    }
    if (differs && kind == JudgeKind::kRelativeL2) {
      judgement.sdc_10 = judgement.relative_l2 > 0.1;
      judgement.sdc_20 = judgement.relative_l2 > 0.2;
    } else if (differs) {
      judgement.sdc_1 = judgement.faulty_class != judgement.golden_class;
      judgement.sdc_5 = rank_of(golden, judgement.faulty_class) >= kTopFive;
      const double before = confidence(golden, judgement.golden_class);
      const double moved = std::abs(confidence(faulty, judgement.golden_class) - before);
      judgement.sdc_10 = moved > 0.1 * before;
      judgement.sdc_20 = moved > 0.2 * before;
    }
  }
  if (hung) {
    judgement.outcome = Outcome::kDue;
  }
  return judgement;
}

}  // namespace tilestrike::bridge

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

double distance(std::span<const float> golden, std::span<const float> faulty) {
  double moved = 0.0;
  double size = 0.0;
  for (std::size_t i = 0; i < golden.size(); ++i) {
    const double difference = static_cast<double>(faulty[i]) - golden[i];
    moved += difference * difference;
    size += static_cast<double>(golden[i]) * golden[i];
  }
  return moved == 0.0 ? 0.0 : std::sqrt(moved / size);
}

/// What does not depend on what the numbers mean.
Judgement common(std::span<const float> golden, std::span<const float> faulty) {
  TS_CHECK(golden.size() == faulty.size() && !golden.empty(), "answers of one network");
  Judgement judgement;
  judgement.golden_class = top_1(golden);
  if (!std::ranges::all_of(faulty, [](float logit) { return std::isfinite(logit); })) {
    judgement.outcome = Outcome::kNonfinite;
    judgement.relative_l2 = std::numeric_limits<double>::infinity();
    return judgement;
  }
  judgement.faulty_class = top_1(faulty);
  if (std::memcmp(golden.data(), faulty.data(), golden.size_bytes()) != 0) {
    judgement.outcome = Outcome::kSdc;
    judgement.relative_l2 = distance(golden, faulty);
  }
  return judgement;
}

}  // namespace

int top_1(std::span<const float> logits) {
  return logits.empty()
             ? -1
             : static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

std::unique_ptr<Judge> Judge::make(JudgeKind kind) {
  if (kind == JudgeKind::kRelativeL2) {
    return std::make_unique<RelativeL2Judge>();
  }
  return std::make_unique<TopKJudge>();
}

void Judge::conclude(std::span<const float> golden, std::span<const float> faulty,
                     TrialResult& result) const {
  result.judgement = compare(golden, faulty);
  Outcome& outcome = result.judgement.outcome;
  if ((outcome != Outcome::kMasked || result.hung) && faulty.size() <= kMostKept) {
    result.logits.assign(faulty.begin(), faulty.end());
  }
  if (outcome == Outcome::kMasked && result.corrected_codewords > 0 &&
      result.detected_codewords == 0) {
    outcome = Outcome::kCorrected;
  }
  result.without_stop = outcome;
  if (result.hung || result.is_guarded || result.detected_codewords > 0) {
    outcome = Outcome::kDue;
  }
}

Judgement TopKJudge::compare(std::span<const float> golden, std::span<const float> faulty) const {
  Judgement judgement = common(golden, faulty);
  if (judgement.outcome == Outcome::kNonfinite) {
    judgement.sdc_1 = judgement.sdc_5 = judgement.sdc_10 = judgement.sdc_20 = true;
  } else if (judgement.outcome == Outcome::kSdc) {
    judgement.sdc_1 = judgement.faulty_class != judgement.golden_class;
    judgement.sdc_5 = rank_of(golden, judgement.faulty_class) >= kTopFive;
    const double before = confidence(golden, judgement.golden_class);
    const double moved = std::abs(confidence(faulty, judgement.golden_class) - before);
    judgement.sdc_10 = moved > kLess * before;
    judgement.sdc_20 = moved > kMore * before;
  }
  return judgement;
}

Judgement RelativeL2Judge::compare(std::span<const float> golden,
                                   std::span<const float> faulty) const {
  Judgement judgement = common(golden, faulty);
  judgement.sdc_10 = judgement.relative_l2 > kLess;
  judgement.sdc_20 = judgement.relative_l2 > kMore;
  return judgement;
}

}  // namespace tilestrike::bridge

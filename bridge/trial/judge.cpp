// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/judge.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/text.h"

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

/// Bit for bit.
bool is_same(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

void keep_answer(std::span<const float> golden, std::span<const float> faulty,
                 TrialResult& result) {
  for (std::size_t i = 0; i < golden.size(); ++i) {
    if (!is_same(golden[i], faulty[i])) {
      ++result.changed_answer;
      if (faulty.size() > kMostKept && result.differences.size() < kMostDifferences + 1) {
        result.differences.push_back({static_cast<std::int64_t>(i), faulty[i]});
      }
    }
  }
  if (faulty.size() <= kMostKept) {
    result.logits.assign(faulty.begin(), faulty.end());
  } else if (result.differences.size() > kMostDifferences) {
    result.differences.clear();
    result.answer_digest =
        content_hash({reinterpret_cast<const char*>(faulty.data()), faulty.size_bytes()});
  }
}

}  // namespace

int top_1(std::span<const float> logits) {
  return logits.empty()
             ? -1
             : static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

Judgement compared(std::span<const float> golden, std::span<const float> faulty) {
  TS_CHECK(golden.size() == faulty.size() && !golden.empty(), "answers of one network");
  Judgement judgement;
  if (!std::ranges::all_of(faulty, [](float logit) { return std::isfinite(logit); })) {
    judgement.outcome = Outcome::kNonfinite;
    judgement.relative_l2 = std::numeric_limits<double>::infinity();
  } else if (std::memcmp(golden.data(), faulty.data(), golden.size_bytes()) != 0) {
    judgement.outcome = Outcome::kSdc;
    judgement.relative_l2 = distance(golden, faulty);
  }
  return judgement;
}

Judgement compared_as_classes(std::span<const float> golden, std::span<const float> faulty) {
  Judgement judgement = compared(golden, faulty);
  if (judgement.outcome == Outcome::kNonfinite) {
    judgement.sdc_1 = judgement.sdc_5 = judgement.sdc_10 = judgement.sdc_20 = true;
  }
  return judgement;
}

std::optional<double> Judge::score(std::span<const std::vector<double>> parts) const {
  double sum = 0.0;
  std::size_t count = 0;
  for (const std::vector<double>& part : parts) {
    if (!part.empty()) {
      sum += part.front();
      ++count;
    }
  }
  return count == 0 ? std::nullopt : std::optional(sum / static_cast<double>(count));
}

void Judge::conclude(ImageId image, std::span<const float> golden, std::span<const float> faulty,
                     TrialResult& result) const {
  result.judgement = judge(image, golden, faulty, result.score_part);
  result.score = score({&result.score_part, 1});
  Outcome& outcome = result.judgement.outcome;
  if (outcome != Outcome::kMasked || result.hung) {
    keep_answer(golden, faulty, result);
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

Judgement TopKJudge::judge(ImageId image, std::span<const float> golden,
                           std::span<const float> faulty, std::vector<double>& score_part) const {
  Judgement judgement = compared_as_classes(golden, faulty);
  judgement.golden_class = top_1(golden);
  judgement.faulty_class = judgement.outcome == Outcome::kNonfinite ? -1 : top_1(faulty);
  if (judgement.outcome == Outcome::kSdc) {
    judgement.sdc_1 = judgement.faulty_class != judgement.golden_class;
    judgement.sdc_5 = rank_of(golden, judgement.faulty_class) >= kTopFive;
    const double before = confidence(golden, judgement.golden_class);
    const double moved = std::abs(confidence(faulty, judgement.golden_class) - before);
    judgement.sdc_10 = moved > kLess * before;
    judgement.sdc_20 = moved > kMore * before;
  }
  if (!classes_.empty()) {
    score_part = {judgement.faulty_class == classes_[static_cast<std::size_t>(image.value)] ? 1.0
                                                                                            : 0.0};
  }
  return judgement;
}

Metric TopKJudge::metric() const {
  return classes_.empty() ? Metric{} : Metric{std::string(kTop1Accuracy)};
}

Judgement RelativeL2Judge::judge(ImageId image, std::span<const float> golden,
                                 std::span<const float> faulty,
                                 std::vector<double>& score_part) const {
  Judgement judgement = compared(golden, faulty);
  if (config_.kind == JudgeKind::kRelativeL2) {
    judgement.golden_class = top_1(golden);
    judgement.faulty_class = judgement.outcome == Outcome::kNonfinite ? -1 : top_1(faulty);
  }
  judgement.sdc_10 = judgement.relative_l2 > config_.less;
  judgement.sdc_20 = judgement.relative_l2 > config_.more;
  for (std::size_t i = 0; config_.tolerance && !judgement.sdc_1 && i < golden.size(); ++i) {
    const double moved = std::abs(static_cast<double>(faulty[i]) - golden[i]);
    judgement.sdc_1 = !(moved <= *config_.tolerance);  // NaN is no small move
  }
  if (!labels_.classes.empty()) {
    const std::int32_t label = labels_.classes[static_cast<std::size_t>(image.value)];
    score_part = {judgement.faulty_class == label ? 1.0 : 0.0};
  } else if (!labels_.numbers.empty()) {
    const float* wanted =
        labels_.numbers.data() + static_cast<std::size_t>(image.value) * golden.size();
    double sum = 0.0;
    for (std::size_t i = 0; i < faulty.size(); ++i) {
      const double error = std::abs(static_cast<double>(faulty[i]) - wanted[i]);
      sum += config_.is_squared ? error * error : error;
    }
    sum /= static_cast<double>(faulty.size());
    score_part = {std::isnan(sum) ? std::numeric_limits<double>::infinity() : sum};
  }
  return judgement;
}

Metric RelativeL2Judge::metric() const {
  if (!labels_.classes.empty()) {
    return {std::string(kTop1Accuracy)};
  }
  if (labels_.numbers.empty()) {
    return {};
  }
  return config_.is_squared ? Metric{"root mean squared error", false, false}
                            : Metric{"mean absolute error", false, true};
}

std::optional<double> RelativeL2Judge::score(std::span<const std::vector<double>> parts) const {
  const std::optional<double> mean = Judge::score(parts);
  return mean && config_.is_squared ? std::optional(std::sqrt(*mean)) : mean;
}

}  // namespace tilestrike::bridge

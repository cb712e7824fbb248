// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/class_judges.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace tilestrike::bridge {
namespace {

/// What belongs to one image of what was put together for all.
std::span<const std::int32_t> of_image(const std::vector<std::int32_t>& all, ImageId image,
                                       std::int64_t count) {
  return std::span(all).subspan(static_cast<std::size_t>(image.value * count),
                                static_cast<std::size_t>(count));
}

}  // namespace

double BinaryJudge::confidence(float number, bool is_yes) const {
  const double yes = config_.is_probability
                         ? number
                         : 1.0 / (1.0 + std::exp(config_.threshold_or_default() - number));
  return is_yes ? yes : 1.0 - yes;
}

Judgement BinaryJudge::judge(ImageId image, std::span<const float> golden,
                             std::span<const float> faulty, std::vector<double>& score_part) const {
  Judgement judgement = compared_as_classes(golden, faulty);
  judgement.sdc_5 = false;
  std::int64_t flipped = 0;
  for (std::size_t i = 0; i < golden.size(); ++i) {
    const bool is_yes = decides(golden[i]);
    if (!std::isfinite(faulty[i]) || decides(faulty[i]) != is_yes) {
      judgement.first_differing =
          flipped == 0 ? static_cast<std::int64_t>(i) : judgement.first_differing;
      ++flipped;
    }
    if (judgement.outcome == Outcome::kSdc) {
      const double before = confidence(golden[i], is_yes);
      const double moved = std::abs(confidence(faulty[i], is_yes) - before);
      judgement.sdc_10 = judgement.sdc_10 || moved > kLess * before;
      judgement.sdc_20 = judgement.sdc_20 || moved > kMore * before;
    }
  }
  judgement.sdc_1 = judgement.sdc_1 || flipped > 0;
  judgement.share_differing = static_cast<double>(flipped) / static_cast<double>(golden.size());
  if (golden.size() == 1) {
    judgement.golden_class = decides(golden[0]) ? 1 : 0;
    judgement.faulty_class = std::isfinite(faulty[0]) ? static_cast<int>(decides(faulty[0])) : -1;
  }
  if (!decisions_.empty()) {
    const auto count = static_cast<std::int64_t>(numbers_);
    const std::span<const std::int32_t> labels = of_image(decisions_, image, count);
    std::int64_t right = 0;
    for (std::size_t i = 0; i < faulty.size(); ++i) {
      right += std::isfinite(faulty[i]) && decides(faulty[i]) == (labels[i] == 1) ? 1 : 0;
    }
    score_part = {static_cast<double>(right) / static_cast<double>(count)};
  }
  return judgement;
}

Metric BinaryJudge::metric() const {
  return decisions_.empty() ? Metric{} : Metric{"accuracy at the threshold"};
}

std::vector<std::int64_t> BinaryJudge::classes() const {
  return numbers_ == 1 ? std::vector<std::int64_t>(decisions_.begin(), decisions_.end())
                       : std::vector<std::int64_t>();
}

void BinaryJudge::check_golden(std::span<const float> golden,
                               std::vector<std::string>& warnings) const {
  const auto is_share = [](float number) { return number >= 0.0F && number <= 1.0F; };
  const bool are_shares = std::ranges::all_of(golden, is_share);
  if (config_.is_probability && !are_shares) {
    fail(ErrorCode::kInvalidInput,
         "the golden answers are no probabilities: one is " +
             std::to_string(*std::ranges::find_if_not(golden, is_share)),
         "judge", "write 'judge: binary', which takes logits");
  }
  if (!config_.is_probability && !config_.threshold && are_shares) {
    warnings.emplace_back(
        "every golden answer lies within 0 and 1, as probabilities do, and is judged as a logit: "
        "if "
        "they are, write 'judge: {kind: binary, scale: probability}'");
  }
}

std::vector<std::int32_t> PositionJudge::top_of(std::span<const float> answer) const {
  const auto inner = static_cast<std::size_t>(layout_.inner);
  std::vector<std::int32_t> top(static_cast<std::size_t>(layout_.positions()), 0);
  std::vector<float> best(inner);
  const float* row = answer.data();
  for (std::int64_t outer = 0; outer < layout_.outer; ++outer) {
    std::int32_t* const chosen = top.data() + static_cast<std::size_t>(outer) * inner;
    for (std::int32_t c = 0; c < layout_.classes; ++c, row += inner) {
      for (std::size_t i = 0; i < inner; ++i) {
        if (!std::isfinite(row[i]) || chosen[i] < 0) {
          chosen[i] = -1;
        } else if (c == 0 || row[i] > best[i]) {
          best[i] = row[i];
          chosen[i] = c;
        }
      }
    }
  }
  return top;
}

Judgement PositionJudge::judge(ImageId image, std::span<const float> golden,
                               std::span<const float> faulty,
                               std::vector<double>& score_part) const {
  Judgement judgement = compared_as_classes(golden, faulty);
  judgement.sdc_5 = false;
  judgement.share_differing = 0.0;
  std::vector<std::int32_t> top;
  if (judgement.outcome != Outcome::kMasked) {
    top = top_of(faulty);
    const std::vector<std::int32_t> before = top_of(golden);
    std::int64_t differing = 0;
    for (std::size_t i = 0; i < top.size(); ++i) {
      if (top[i] != before[i]) {
        judgement.first_differing =
            differing == 0 ? static_cast<std::int64_t>(i) : judgement.first_differing;
        ++differing;
      }
    }
    judgement.share_differing =
        static_cast<double>(differing) / static_cast<double>(layout_.positions());
    judgement.sdc_1 = judgement.sdc_1 || differing > 0;
    judgement.sdc_10 = judgement.sdc_10 || judgement.share_differing > kLess;
    judgement.sdc_20 = judgement.sdc_20 || judgement.share_differing > kMore;
  }
  if (has_labels()) {
    if (top.empty()) {
      top = top_of(faulty);
    }
    score_part = part_of(of_image(labels_, image, layout_.positions()), faulty, top);
  }
  return judgement;
}

Metric SegmentationJudge::metric() const {
  return has_labels() ? Metric{"mIoU", true, false} : Metric{};
}

// Of each class the pixels of both, then of each class the pixels of either.
std::vector<double> SegmentationJudge::part_of(std::span<const std::int32_t> labels,
                                               std::span<const float>,
                                               std::span<const std::int32_t> top) const {
  const auto classes = static_cast<std::size_t>(layout().classes);
  std::vector<double> part(2 * classes, 0.0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!counts(labels[i])) {
      continue;
    }
    part[classes + static_cast<std::size_t>(labels[i])] += 1.0;
    if (top[i] == labels[i]) {
      part[static_cast<std::size_t>(labels[i])] += 1.0;
    } else if (top[i] >= 0) {
      part[classes + static_cast<std::size_t>(top[i])] += 1.0;
    }
  }
  return part;
}

std::optional<double> SegmentationJudge::score(std::span<const std::vector<double>> parts) const {
  const auto classes = static_cast<std::size_t>(layout().classes);
  std::vector<double> sums(2 * classes, 0.0);
  for (const std::vector<double>& part : parts) {
    for (std::size_t i = 0; i < part.size(); ++i) {
      sums[i] += part[i];
    }
  }
  double sum = 0.0;
  int present = 0;
  for (std::size_t c = 0; c < classes; ++c) {
    if (sums[classes + c] > 0.0) {
      sum += sums[c] / sums[classes + c];
      ++present;
    }
  }
  return present == 0 ? std::nullopt : std::optional(sum / present);
}

Metric TokensJudge::metric() const {
  return has_labels() ? Metric{"perplexity", false, false} : Metric{};
}

// The sum of -log of the labels' probabilities, and how many there are.
std::vector<double> TokensJudge::part_of(std::span<const std::int32_t> labels,
                                         std::span<const float> answer,
                                         std::span<const std::int32_t> top) const {
  const auto inner = static_cast<std::size_t>(layout().inner);
  const auto classes = static_cast<std::size_t>(layout().classes);
  std::vector<double> part{0.0, 0.0};
  for (std::size_t p = 0; p < labels.size(); ++p) {
    if (!counts(labels[p])) {
      continue;
    }
    part[1] += 1.0;
    if (top[p] < 0) {
      part[0] = std::numeric_limits<double>::infinity();
      continue;
    }
    const float* const first = answer.data() + p / inner * classes * inner + p % inner;
    const double largest = first[static_cast<std::size_t>(top[p]) * inner];
    double sum = 0.0;
    for (std::size_t c = 0; c < classes; ++c) {
      sum += std::exp(first[c * inner] - largest);
    }
    part[0] += std::log(sum) + largest - first[static_cast<std::size_t>(labels[p]) * inner];
  }
  return part;
}

std::optional<double> TokensJudge::score(std::span<const std::vector<double>> parts) const {
  double sum = 0.0, count = 0.0;
  for (const std::vector<double>& part : parts) {
    if (!part.empty()) {
      sum += part[0];
      count += part[1];
    }
  }
  return count == 0.0 ? std::nullopt : std::optional(std::exp(sum / count));
}

}  // namespace tilestrike::bridge

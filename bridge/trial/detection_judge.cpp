// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/detection_judge.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "base/field_table.h"

namespace tilestrike::bridge {
namespace {

constexpr std::int64_t kCorners = 4;

/// How many of `wanted` have a detection of their class that overlaps them, each taken once.
std::size_t matched(const std::vector<Detection>& wanted, const std::vector<Detection>& found,
                    double iou, std::int64_t& first_without) {
  std::vector<bool> taken(found.size(), false);
  std::size_t count = 0;
  first_without = -1;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::ptrdiff_t best = -1;
    double most = iou;
    for (std::size_t k = 0; k < found.size(); ++k) {
      const double shared = overlap(wanted[i], found[k]);
      if (!taken[k] && found[k].kind == wanted[i].kind && shared >= most) {
        best = shared > most || best < 0 ? static_cast<std::ptrdiff_t>(k) : best;
        most = shared;
      }
    }
    if (best >= 0) {
      taken[static_cast<std::size_t>(best)] = true;
      ++count;
    } else if (first_without < 0) {
      first_without = static_cast<std::int64_t>(i);
    }
  }
  return count;
}

/// The area under the precision, made monotone from the right, of detections that are right or
/// not, the surest first.
double average_precision(const std::vector<bool>& are_right, double truths) {
  std::vector<double> precision, recall;
  double right = 0.0;
  for (std::size_t i = 0; i < are_right.size(); ++i) {
    right += are_right[i] ? 1.0 : 0.0;
    precision.push_back(right / static_cast<double>(i + 1));
    recall.push_back(right / truths);
  }
  for (std::size_t i = precision.size(); i-- > 1;) {
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  }
  double area = 0.0, before = 0.0;
  for (std::size_t i = 0; i < precision.size(); ++i) {
    area += (recall[i] - before) * precision[i];
    before = recall[i];
  }
  return area;
}

}  // namespace

double overlap(const Detection& a, const Detection& b) {
  const auto area = [](const Detection& box) {
    return (static_cast<double>(box.x2) - box.x1) * (static_cast<double>(box.y2) - box.y1);
  };
  const double width = static_cast<double>(std::min(a.x2, b.x2)) - std::max(a.x1, b.x1);
  const double height = static_cast<double>(std::min(a.y2, b.y2)) - std::max(a.y1, b.y1);
  if (!(width > 0.0) || !(height > 0.0)) {
    return 0.0;
  }
  const double shared = width * height;
  return shared / (area(a) + area(b) - shared);
}

DetectionJudge::DetectionJudge(const JudgeConfig& config, std::int64_t boxes, std::int64_t classes,
                               std::vector<std::vector<TrueBox>> truth)
    : config_(config),
      boxes_(boxes),
      classes_(classes),
      columns_(kCorners + (classes > 0 ? classes : 2)),
      truth_(std::move(truth)) {
  kinds_ = static_cast<std::size_t>(std::max<std::int64_t>(classes, 0));
  for (const std::vector<TrueBox>& image : truth_) {
    for (const TrueBox& box : image) {
      kinds_ = std::max(kinds_, static_cast<std::size_t>(box.kind) + 1);
    }
  }
}

float DetectionJudge::number(std::span<const float> answer, std::int64_t box,
                             std::int64_t column) const {
  return answer[static_cast<std::size_t>(config_.is_by_columns ? column * boxes_ + box
                                                               : box * columns_ + column)];
}

Detection DetectionJudge::box_at(std::span<const float> answer, std::int64_t box) const {
  const auto at = [&](std::int64_t column) { return number(answer, box, column); };
  Detection found{0, at(0), at(1), at(2), at(3), at(kCorners)};
  if (config_.is_centre) {
    found = {
        0,           at(0) - at(2) / 2, at(1) - at(3) / 2, at(0) + at(2) / 2, at(1) + at(3) / 2,
        at(kCorners)};
  }
  if (classes_ == 0) {
    const float kind = at(kCorners + 1);
    found.kind = std::abs(kind) < 1e9F ? static_cast<std::int32_t>(std::lround(kind)) : -1;
  }
  for (std::int32_t c = 1; c < classes_; ++c) {
    if (at(kCorners + c) > found.score) {
      found.score = at(kCorners + c);
      found.kind = c;
    }
  }
  return found;
}

std::vector<Detection> DetectionJudge::detections(std::span<const float> answer) const {
  std::vector<Detection> found;
  for (std::int64_t box = 0; box < boxes_; ++box) {
    const Detection each = box_at(answer, box);
    const bool is_finite = std::isfinite(each.x1) && std::isfinite(each.y1) &&
                           std::isfinite(each.x2) && std::isfinite(each.y2);
    if (is_finite && each.score >= config_.score) {
      found.push_back(each);
    }
  }
  std::ranges::stable_sort(found, std::greater<>(), &Detection::score);
  if (config_.nms <= 0.0) {
    return found;
  }
  std::vector<Detection> kept;
  for (const Detection& each : found) {
    const auto covers = [&](const Detection& surer) {
      return surer.kind == each.kind && overlap(surer, each) > config_.nms;
    };
    if (std::ranges::none_of(kept, covers)) {
      kept.push_back(each);
    }
  }
  return kept;
}

Judgement DetectionJudge::judge(ImageId image, std::span<const float> golden,
                                std::span<const float> faulty,
                                std::vector<double>& score_part) const {
  Judgement judgement = compared(golden, faulty);
  judgement.share_differing = 0.0;
  judgement.sdc_1 = judgement.outcome == Outcome::kNonfinite;
  const std::vector<Detection> now = detections(faulty);
  if (judgement.outcome != Outcome::kMasked) {
    const std::vector<Detection> before = detections(golden);
    std::int64_t new_one = -1;
    const std::size_t kept = matched(before, now, config_.iou, judgement.first_differing);
    const std::size_t known = matched(now, before, config_.iou, new_one);
    const std::size_t all = before.size() + now.size();
    judgement.sdc_1 = judgement.sdc_1 || kept + known < all;
    judgement.share_differing =
        all == 0 ? 0.0 : static_cast<double>(all - kept - known) / static_cast<double>(all);
  }
  if (!truth_.empty()) {
    score_part = part_of(image, now);
  }
  return judgement;
}

Metric DetectionJudge::metric() const {
  return truth_.empty()
             ? Metric{}
             : Metric{"AP at an IoU of " + field_detail::real_text(config_.iou), true, false};
}

// How many true boxes each class has; then of each detection its class, score, and whether it is
// right.
std::vector<double> DetectionJudge::part_of(ImageId image,
                                            const std::vector<Detection>& found) const {
  const std::vector<TrueBox>& truth = truth_[static_cast<std::size_t>(image.value)];
  std::vector<double> part(kinds_, 0.0);
  for (const TrueBox& box : truth) {
    part[static_cast<std::size_t>(box.kind)] += 1.0;
  }
  std::vector<bool> taken(truth.size(), false);
  for (const Detection& each : found) {
    std::ptrdiff_t best = -1;
    double most = 0.0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const TrueBox& box = truth[i];
      const double shared = overlap(each, {box.kind, box.x1, box.y1, box.x2, box.y2, 1.0F});
      if (!taken[i] && box.kind == each.kind && shared >= config_.iou && shared > most) {
        best = static_cast<std::ptrdiff_t>(i);
        most = shared;
      }
    }
    if (best >= 0) {
      taken[static_cast<std::size_t>(best)] = true;
    }
    part.insert(part.end(), {static_cast<double>(each.kind), static_cast<double>(each.score),
                             best >= 0 ? 1.0 : 0.0});
  }
  return part;
}

std::optional<double> DetectionJudge::score(std::span<const std::vector<double>> parts) const {
  struct Found {
    double score;
    bool is_right;
  };
  std::vector<double> truths(kinds_, 0.0);
  std::vector<std::vector<Found>> found(kinds_);
  for (const std::vector<double>& part : parts) {
    for (std::size_t c = 0; c < kinds_ && c < part.size(); ++c) {
      truths[c] += part[c];
    }
    for (std::size_t i = kinds_; i + 2 < part.size(); i += 3) {
      if (part[i] >= 0.0 && part[i] < static_cast<double>(kinds_)) {
        found[static_cast<std::size_t>(part[i])].push_back({part[i + 1], part[i + 2] > 0.0});
      }
    }
  }
  double sum = 0.0;
  int present = 0;
  for (std::size_t c = 0; c < kinds_; ++c) {
    if (truths[c] > 0.0) {
      std::ranges::stable_sort(found[c], std::greater<>(), &Found::score);
      std::vector<bool> are_right;
      std::ranges::for_each(found[c],
                            [&](const Found& each) { are_right.push_back(each.is_right); });
      sum += average_precision(are_right, truths[c]);
      ++present;
    }
  }
  return present == 0 ? std::nullopt : std::optional(sum / present);
}

}  // namespace tilestrike::bridge

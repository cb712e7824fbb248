// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Judges decoded boxes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bridge/trial/judge.h"

namespace tilestrike::bridge {

struct Detection {
  std::int32_t kind = 0;  // its class
  float x1 = 0.0F, y1 = 0.0F, x2 = 0.0F, y2 = 0.0F;
  float score = 0.0F;
};

/// The area that two boxes share, over the area that either covers; 0 where neither has any.
double overlap(const Detection& a, const Detection& b);

/// SDC-1: a golden detection has no faulty one of its class at the IoU, or the other way round;
/// each is matched once, the surest first. The metric is the average precision at the IoU
/// (Everingham et al., IJCV 88, 2010, with all points as since 2010): of each class that the labels
/// have, the area under the precision that the detections of all images, the surest first, reach at
/// least from each recall on; the mean over these classes. A detection is right where a true box of
/// its class that no surer one has taken overlaps it by at least the IoU; the one that overlaps
/// most.
class DetectionJudge final : public Judge {
 public:
  /// `boxes`, `classes`: how many an answer has; 0 classes: it says their numbers. `truth`: as
  /// boxes_of() gives it; none: empty.
  DetectionJudge(const JudgeConfig& config, std::int64_t boxes, std::int64_t classes,
                 std::vector<std::vector<TrueBox>> truth);
  Judgement judge(ImageId image, std::span<const float> golden, std::span<const float> faulty,
                  std::vector<double>& score_part) const override;
  Metric metric() const override;
  std::optional<double> score(std::span<const std::vector<double>> parts) const override;

  /// What the answer detects, the surest first.
  std::vector<Detection> detections(std::span<const float> answer) const;

 private:
  float number(std::span<const float> answer, std::int64_t box, std::int64_t column) const;
  Detection box_at(std::span<const float> answer, std::int64_t box) const;
  std::vector<double> part_of(ImageId image, const std::vector<Detection>& found) const;

  JudgeConfig config_;
  std::int64_t boxes_, classes_, columns_;
  std::vector<std::vector<TrueBox>> truth_;
  std::size_t kinds_ = 0;  // that the labels know
};

}  // namespace tilestrike::bridge

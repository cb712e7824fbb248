// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Judges of answers that decide many things: yes or no of each number, or a class at each pixel or
// position.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bridge/trial/judge.h"

namespace tilestrike::bridge {

/// Each number is a decision: yes where it lies above the threshold. SDC-1: a decision flips;
/// SDC-10 %, -20 %: the confidence in a golden decision moved by more than that share of it. The
/// confidence of a yes is the logistic function of what a logit lies above the threshold, or the
/// probability itself. The metric is the share of decisions that are the labels'.
class BinaryJudge final : public Judge {
 public:
  /// `decisions`: as decisions_of() gives them; none: empty.
  BinaryJudge(const JudgeConfig& config, std::size_t numbers, std::vector<std::int32_t> decisions)
      : config_(config), numbers_(numbers), decisions_(std::move(decisions)) {}
  Judgement judge(ImageId image, std::span<const float> golden, std::span<const float> faulty,
                  std::vector<double>& score_part) const override;
  Metric metric() const override;
  std::vector<std::int64_t> classes() const override;
  void check_golden(std::span<const float> golden,
                    std::vector<std::string>& warnings) const override;

 private:
  bool decides(float number) const { return number > config_.threshold_or_default(); }
  double confidence(float number, bool is_yes) const;

  JudgeConfig config_;
  std::size_t numbers_;
  std::vector<std::int32_t> decisions_;
};

/// Where the classes of an answer lie: class c of position p is number (p / inner * classes + c) *
/// inner + p % inner.
struct ClassLayout {
  std::int64_t outer = 1, classes = 1, inner = 1;
  std::int64_t positions() const { return outer * inner; }
};

/// A class at each position. SDC-1: the top class of any position differs; SDC-10 %, -20 %: that of
/// more than such a share of them. A position whose numbers are not all finite has no class.
class PositionJudge : public Judge {
 public:
  /// `labels`: a class for each position of each image, as classes_of_positions() checks them;
  /// none: empty.
  PositionJudge(const ClassLayout& layout, std::vector<std::int32_t> labels,
                std::optional<std::int64_t> ignore)
      : layout_(layout), labels_(std::move(labels)), ignore_(ignore) {}
  Judgement judge(ImageId image, std::span<const float> golden, std::span<const float> faulty,
                  std::vector<double>& score_part) const override;

 protected:
  virtual std::vector<double> part_of(std::span<const std::int32_t> labels,
                                      std::span<const float> answer,
                                      std::span<const std::int32_t> top) const = 0;
  bool counts(std::int32_t label) const { return !ignore_ || label != *ignore_; }
  bool has_labels() const { return !labels_.empty(); }
  const ClassLayout& layout() const { return layout_; }

 private:
  /// The top class of each position; ties take the lowest, -1: it is not finite.
  std::vector<std::int32_t> top_of(std::span<const float> answer) const;

  ClassLayout layout_;
  std::vector<std::int32_t> labels_;
  std::optional<std::int64_t> ignore_;
};

/// The metric is mIoU: of each class the pixels that answer and label both give it, over the pixels
/// that either gives it, summed over all images before they are divided; the mean over the classes
/// that occur in answers or labels at all (Everingham et al., IJCV 111, 2015, as Long et al., CVPR
/// 2015, report it). Pixels whose label is ignored count nowhere.
class SegmentationJudge final : public PositionJudge {
 public:
  using PositionJudge::PositionJudge;
  Metric metric() const override;
  std::optional<double> score(std::span<const std::vector<double>> parts) const override;

 private:
  std::vector<double> part_of(std::span<const std::int32_t> labels, std::span<const float> answer,
                              std::span<const std::int32_t> top) const override;
};

/// The metric is the perplexity by teacher forcing: exp of the mean of -log softmax(numbers)[label]
/// over all positions of all images whose label is not ignored. The label of a position is the
/// token that comes next.
class TokensJudge final : public PositionJudge {
 public:
  using PositionJudge::PositionJudge;
  Metric metric() const override;
  std::optional<double> score(std::span<const std::vector<double>> parts) const override;

 private:
  std::vector<double> part_of(std::span<const std::int32_t> labels, std::span<const float> answer,
                              std::span<const std::int32_t> top) const override;
};

}  // namespace tilestrike::bridge

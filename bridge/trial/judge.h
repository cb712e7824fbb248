// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Judges a faulty answer against the golden one (docs/architecture.md, Outcomes; docs/judges.md).
// The one place that knows which outcome goes before which. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "bridge/trial/labels.h"
#include "bridge/words/judge_config.h"
#include "bridge/words/trial_result.h"

namespace tilestrike::bridge {

/// Shares of what a judge looks at (a confidence, positions) beyond which an answer counts as
/// SDC-10 % and SDC-20 %.
inline constexpr double kLess = 0.1, kMore = 0.2;

/// Index of the largest; ties take the lowest. -1 when empty.
int top_1(std::span<const float> logits);

class Judge {
 public:
  /// `answer`: the shape of one image's answer, without the batch. Throws Failure where the judge
  /// cannot be known from it, where the answer is none that the judge takes, or the labels are not.
  /// What is left aside goes to `warnings`.
  static std::unique_ptr<Judge> make(const JudgeConfig& config,
                                     const std::vector<std::int64_t>& answer, const Labels& labels,
                                     std::vector<std::string>& warnings);
  virtual ~Judge() = default;

  /// What the answers alone tell: masked where they are equal bit for bit, nonfinite, or sdc with
  /// its refinements. Both are of one network and one image, and not empty. `score_part` becomes
  /// what the faulty answer adds to the score; it stays empty without labels.
  virtual Judgement judge(ImageId image, std::span<const float> golden,
                          std::span<const float> faulty, std::vector<double>& score_part) const = 0;

  virtual Metric metric() const { return {}; }
  /// The metric of images of which these are the parts; nothing where it has no value, for instance
  /// because no label counts. By default the mean of parts of one number.
  virtual std::optional<double> score(std::span<const std::vector<double>> parts) const;

  /// Class numbers of the images, where each has one; else empty.
  virtual std::vector<std::int64_t> classes() const { return {}; }

  /// Looks at all golden answers, one after the other. Throws Failure where they cannot be what the
  /// judge takes them for; doubts go to `warnings`.
  virtual void check_golden(std::span<const float>, std::vector<std::string>&) const {}

  /// Without labels.
  Judgement compare(std::span<const float> golden, std::span<const float> faulty) const {
    std::vector<double> ignored;
    return judge(ImageId(0), golden, faulty, ignored);
  }

  /// The verdict on a trial: judge(), and what the hardware has found (result.hung, is_guarded,
  /// corrected_ and detected_codewords). Sets judgement, without_stop, score, and what is kept of
  /// the answer.
  void conclude(ImageId image, std::span<const float> golden, std::span<const float> faulty,
                TrialResult& result) const;
};

/// What does not depend on what the numbers mean: masked, nonfinite or sdc, and the relative L2.
Judgement compared(std::span<const float> golden, std::span<const float> faulty);
/// The same, and nonfinite answers count as all refinements.
Judgement compared_as_classes(std::span<const float> golden, std::span<const float> faulty);

/// By classes (Li et al., SC 2017). SDC-1: the top class differs; SDC-5: the faulty one is not
/// among the golden top five; SDC-10 %, -20 %: the golden class's softmax confidence moved by more
/// than that share of its golden value. An answer that is not finite counts as all four.
class TopKJudge final : public Judge {
 public:
  TopKJudge() = default;
  /// Labels: a class of each image, as classes_of_images() checks them; none: empty.
  explicit TopKJudge(std::vector<std::int32_t> classes) : classes_(std::move(classes)) {}
  Judgement judge(ImageId image, std::span<const float> golden, std::span<const float> faulty,
                  std::vector<double>& score_part) const override;
  Metric metric() const override;
  std::vector<std::int64_t> classes() const override { return {classes_.begin(), classes_.end()}; }

 private:
  std::vector<std::int32_t> classes_;
};

/// What of numbers is judged: by |faulty - golden| / |golden| alone, or by their errors.
struct NumberLabels {
  std::vector<std::int32_t> classes;  // of a vector of classes; or
  std::vector<float> numbers;         // what each answer should be
};

/// By |faulty - golden| / |golden|, whatever the numbers mean: SDC-10 % and -20 % are thresholds of
/// it; there is no SDC-5, and no SDC-1 but with a tolerance. The metric is the mean absolute or the
/// root mean squared error against the labels, or the top-1 accuracy where they are classes.
class RelativeL2Judge final : public Judge {
 public:
  RelativeL2Judge() = default;
  RelativeL2Judge(const JudgeConfig& config, NumberLabels labels)
      : config_(config), labels_(std::move(labels)) {}
  Judgement judge(ImageId image, std::span<const float> golden, std::span<const float> faulty,
                  std::vector<double>& score_part) const override;
  Metric metric() const override;
  std::optional<double> score(std::span<const std::vector<double>> parts) const override;
  std::vector<std::int64_t> classes() const override {
    return {labels_.classes.begin(), labels_.classes.end()};
  }

 private:
  JudgeConfig config_{JudgeKind::kRelativeL2};
  NumberLabels labels_;
};

}  // namespace tilestrike::bridge

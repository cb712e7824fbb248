// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which judge an answer of this shape has, with these labels.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "base/text.h"
#include "bridge/trial/class_judges.h"
#include "bridge/trial/detection_judge.h"
#include "bridge/trial/own_judges.h"

namespace tilestrike::bridge {
namespace {

constexpr std::int64_t kCorners = 4;

/// An answer of one image, and what it should be.
struct Answer {
  const std::vector<std::int64_t>& sizes;
  const Labels& labels;

  std::int64_t numbers() const {
    return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
  }
  std::string shape() const { return sizes_text(sizes); }
};

/// What may be written where nothing is, each as a line of a scenario.
std::vector<std::string> choices_for(const std::vector<std::int64_t>& sizes, std::int64_t numbers) {
  std::vector<std::string> lines;
  if (numbers == 1) {
    lines = {"judge: binary (a logit: yes above 0)",
             "judge: {kind: binary, scale: probability} (yes above 0.5)", "judge: regression"};
  } else if (sizes.size() >= 3) {
    lines = {fmt::format("judge: segmentation ({} classes, on the first axis)", sizes.front()),
             fmt::format("judge: {{kind: segmentation, class_axis: {}}} ({} classes, on the last "
                         "axis)",
                         sizes.size() - 1, sizes.back()),
             "judge: regression"};
  } else if (sizes.size() == 2) {
    lines = {fmt::format("judge: tokens ({} positions, a vocabulary of {})", sizes[0], sizes[1]),
             fmt::format("judge: segmentation ({} classes at {} places)", sizes[0], sizes[1]),
             "judge: detection (boxes)", "judge: regression"};
  }
  if (sizes.size() == 1 && numbers > 1) {
    lines = {fmt::format("judge: top_k ({} classes)", numbers),
             fmt::format("judge: binary ({} decisions)", numbers), "judge: regression"};
  }
  lines.emplace_back("judge: relative_l2 (whatever it is)");
  return lines;
}

[[noreturn]] void refuse_auto(const Answer& answer) {
  fail(ErrorCode::kInvalidInput,
       "the answer of an image has the shape " + answer.shape() +
           ", which does not say how it is to be judged",
       "judge",
       "write one of these lines: " + join(choices_for(answer.sizes, answer.numbers()), "; ") +
           "; docs/judges.md has them all");
}

[[noreturn]] void refuse(const JudgeConfig& config, const Answer& answer,
                         const std::string& takes) {
  fail(ErrorCode::kInvalidInput,
       fmt::format("{} takes {}; the answer of an image has the shape {}", name_of(config.kind),
                   takes, answer.shape()),
       "judge",
       "write one of these lines: " + join(choices_for(answer.sizes, answer.numbers()), "; "));
}

/// All classes on one axis.
bool is_vector(const Answer& answer) {
  return answer.numbers() >= 2 &&
         std::ranges::count_if(answer.sizes, [](std::int64_t n) { return n != 1; }) == 1;
}

std::unique_ptr<Judge> top_k(const JudgeConfig& config, const Answer& answer) {
  if (!is_vector(answer)) {
    refuse(config, answer, "one vector of classes");
  }
  return answer.labels.are_given()
             ? std::make_unique<TopKJudge>(classes_of_images(answer.labels, answer.numbers()))
             : std::make_unique<TopKJudge>();
}

std::unique_ptr<Judge> binary(const JudgeConfig& config, const Answer& answer) {
  return std::make_unique<BinaryJudge>(config, static_cast<std::size_t>(answer.numbers()),
                                       answer.labels.are_given()
                                           ? decisions_of(answer.labels, answer.sizes)
                                           : std::vector<std::int32_t>());
}

std::unique_ptr<Judge> by_positions(const JudgeConfig& config, const Answer& answer) {
  const auto axes = std::ssize(answer.sizes);
  const bool are_tokens = config.kind == JudgeKind::kTokens;
  if (axes < 2) {
    refuse(config, answer,
           are_tokens ? "the scores of a vocabulary at each position, (T, V)"
                      : "classes at each pixel, (C, H, W)");
  }
  const std::int64_t asked = config.class_axis_or_default();
  const std::int64_t axis = asked < 0 ? asked + axes : asked;
  if (axis < 0 || axis >= axes) {
    fail(ErrorCode::kInvalidInput,
         fmt::format("the answer of an image has the shape {} and no axis {}", answer.shape(),
                     asked),
         "judge.class_axis", fmt::format("write 0 to {}, or -1 for the last", axes - 1));
  }
  const auto middle = answer.sizes.begin() + axis;
  const auto times = [](auto from, auto to) {
    return std::accumulate(from, to, std::int64_t{1}, std::multiplies<>());
  };
  const ClassLayout layout{times(answer.sizes.begin(), middle), *middle,
                           times(middle + 1, answer.sizes.end())};
  if (layout.classes < 2) {
    fail(ErrorCode::kInvalidInput,
         fmt::format("the answer of an image has the shape {} and one class on axis {}",
                     answer.shape(), axis),
         "judge",
         "name the axis of the classes with 'class_axis', or write 'judge: binary', where each "
         "number is a decision");
  }
  std::vector<std::int32_t> labels;
  if (answer.labels.are_given()) {
    std::vector<std::int64_t> positions(answer.sizes);
    positions.erase(positions.begin() + axis);
    labels = classes_of_positions(answer.labels, positions, layout.classes,
                                  config.ignore_or_default(), are_tokens ? "position" : "pixel");
  }
  if (are_tokens) {
    return std::make_unique<TokensJudge>(layout, std::move(labels), config.ignore_or_default());
  }
  return std::make_unique<SegmentationJudge>(layout, std::move(labels), config.ignore_or_default());
}

std::unique_ptr<Judge> by_numbers(const JudgeConfig& config, const Answer& answer) {
  NumberLabels labels;
  if (answer.labels.are_given()) {
    if (config.kind == JudgeKind::kRelativeL2 && is_vector(answer) &&
        are_classes_of_images(answer.labels)) {
      labels.classes = classes_of_images(answer.labels, answer.numbers());
    } else {
      labels.numbers = numbers_of(answer.labels, answer.sizes);
    }
  }
  return std::make_unique<RelativeL2Judge>(config, std::move(labels));
}

std::unique_ptr<Judge> detection(const JudgeConfig& config, const Answer& answer) {
  const std::string takes =
      config.is_by_columns ? "boxes by columns, (4 + C, K)"
                           : "boxes by rows, (K, 4 + C); where they lie in columns, (4 + C, K), "
                             "write 'layout: columns'";
  std::vector<std::int64_t> sizes(answer.sizes);
  if (sizes.size() == 3 && sizes.front() == 1) {
    sizes.erase(sizes.begin());
  }
  if (sizes.size() != 2) {
    refuse(config, answer, takes);
  }
  const std::int64_t boxes = sizes[config.is_by_columns ? 1 : 0];
  const std::int64_t columns = sizes[config.is_by_columns ? 0 : 1];
  const std::int64_t classes = config.has_class_number ? 0 : columns - kCorners;
  if (columns <= kCorners || (config.has_class_number && columns != kCorners + 2)) {
    refuse(config, answer,
           config.has_class_number ? "boxes with a score and a class each, so that six numbers"
                                   : takes);
  }
  return std::make_unique<DetectionJudge>(config, boxes, classes,
                                          answer.labels.are_given()
                                              ? boxes_of(answer.labels, classes, config.is_centre)
                                              : std::vector<std::vector<TrueBox>>());
}

std::unique_ptr<Judge> judge_for(const JudgeConfig& config, const Answer& answer) {
  switch (config.kind) {
    case JudgeKind::kAuto:
      if (answer.sizes.empty() || answer.sizes.front() < 2 || !is_vector(answer)) {
        refuse_auto(answer);
      }
      return top_k(config, answer);
    case JudgeKind::kTopK:
      return top_k(config, answer);
    case JudgeKind::kBinary:
      return binary(config, answer);
    case JudgeKind::kSegmentation:
    case JudgeKind::kTokens:
      return by_positions(config, answer);
    case JudgeKind::kRegression:
    case JudgeKind::kRelativeL2:
      return by_numbers(config, answer);
    case JudgeKind::kDetection:
      return detection(config, answer);
    case JudgeKind::kPython:
      return std::make_unique<UsersJudge>(start_own_judge(config.file), answer.sizes,
                                          answer.labels);
    case JudgeKind::kLibrary:
      return std::make_unique<UsersJudge>(load_own_judge(config.file), answer.sizes, answer.labels);
  }
  TS_CHECK(false, "a kind of judge");
  return nullptr;
}

}  // namespace

std::unique_ptr<Judge> Judge::make(const JudgeConfig& config,
                                   const std::vector<std::int64_t>& answer, const Labels& labels,
                                   std::vector<std::string>& warnings) {
  if (!labels.is_of_data_set) {
    return judge_for(config, {answer, labels});
  }
  try {
    return judge_for(config, {answer, labels});
  } catch (const Failure& failure) {
    warnings.push_back("the labels that come with the images are left aside: " +
                       failure.errors().front().what);
  }
  const Labels none;
  return judge_for(config, {answer, none});
}

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How an answer is judged: what the network's task is, as a scenario says it (docs/judges.md).
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tilestrike::bridge {

enum class JudgeKind {
  kAuto,          // kTopK, where the answer can be nothing else
  kTopK,          // one vector of classes
  kBinary,        // each number decides yes or no
  kSegmentation,  // classes at each pixel
  kTokens,        // the next token at each position
  kRegression,    // numbers, by their error
  kRelativeL2,    // by |faulty - golden| / |golden|, whatever the output means
  kDetection,     // decoded boxes
  kPython,        // a script of the user's
  kLibrary,       // C++ of the user's
};

/// Name, and what an answer to it is, in the order of JudgeKind.
struct JudgeTerm {
  std::string_view name, about;
};
inline constexpr std::array<JudgeTerm, 10> kJudgeTerms{{
    {"auto", "top_k where the answer is one vector of at least two numbers, else an error"},
    {"top_k", "one vector of classes"},
    {"binary", "each number is a decision, yes or no"},
    {"segmentation", "classes at every pixel"},
    {"tokens", "scores of the next token at every position"},
    {"regression", "numbers"},
    {"relative_l2", "anything, judged by |faulty - golden| / |golden| alone"},
    {"detection", "decoded boxes with scores"},
    {"python", "judged by a script of one's own"},
    {"library", "judged by C++ of one's own"},
}};
inline std::string_view name_of(JudgeKind kind) {
  return kJudgeTerms[static_cast<std::size_t>(kind)].name;
}

/// The keys of a judge; docs/judges.md says which of them a kind has.
struct JudgeConfig {
  JudgeKind kind = JudgeKind::kAuto;
  JudgeConfig() = default;
  JudgeConfig(JudgeKind kind) : kind(kind) {}  // NOLINT(google-explicit-constructor)

  // binary: yes is what lies above.
  std::optional<double> threshold;
  bool is_probability = false;
  // segmentation, tokens: of one image's answer; a negative one counts from the end.
  std::optional<std::int64_t> class_axis;
  std::optional<std::int64_t> ignore;  // a label that says nothing
  // regression, relative_l2: what sdc_10 and sdc_20 mean by relative L2.
  double less = 0.1, more = 0.2;
  std::optional<double> tolerance;  // regression: sdc_1 means that a number moved by more
  bool is_squared = false;          // regression: root mean squared error, else mean absolute
  // detection
  bool is_by_columns = false;     // (4 + C, K), as YOLO's; else (K, 4 + C)
  bool is_centre = false;         // cx, cy, width, height; else x1, y1, x2, y2
  bool has_class_number = false;  // after a box its score and class; else a score for each class
  double score = 0.5;             // from which on it is a detection
  double iou = 0.5;               // from which on two boxes are the same
  double nms = 0.0;  // of one class the better box stands for those that overlap more; 0: all stay
  std::string file;  // python, library

  double threshold_or_default() const { return threshold.value_or(is_probability ? 0.5 : 0.0); }
  std::int64_t class_axis_or_default() const {
    return class_axis.value_or(kind == JudgeKind::kTokens ? -1 : 0);
  }
  /// Nothing: every label counts.
  std::optional<std::int64_t> ignore_or_default() const {
    return ignore || kind != JudgeKind::kTokens ? ignore : -100;
  }
  bool operator==(const JudgeConfig&) const = default;
};

/// What the refinements of sdc mean, for people; empty: the judge has none such.
struct Refinements {
  std::string sdc_1, sdc_5, sdc_10, sdc_20;
};
Refinements refinements_of(const JudgeConfig& judge);

/// What a judge measures against labels.
struct Metric {
  std::string name;      // "mIoU"; empty: nothing, for there are no labels
  bool is_share = true;  // within 0 and 1, told in percent; else without a bound above
  bool is_mean = true;   // of a data set it is the mean over its images
  bool operator==(const Metric&) const = default;
};

/// An answer of more numbers is not kept as a whole: what differs of it is, unless that is more
/// than kMostDifferences numbers; then a digest of the answer is (base/text.h, content_hash).
inline constexpr std::size_t kMostKept = 4096, kMostDifferences = 1024;

inline constexpr std::string_view kTop1Accuracy = "top-1 accuracy";

}  // namespace tilestrike::bridge

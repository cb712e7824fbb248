// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A judge of one's own, in C++: all that a library needs to include (docs/judges.md). It is loaded
// where a scenario says `judge: {kind: library, file: FILE.so}`, and needs no other part of
// TileStrike.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace tilestrike {

/// Counts changes of this file: a library works with the number that it was built with.
inline constexpr int kJudgeInterface = 1;

/// One answer, and what it should be. Arrays are flattened, the last axis the fastest.
struct OwnAnswer {
  std::int64_t image = 0;                     // row of the images
  std::span<const std::int64_t> shape;        // of the answer, without the batch
  std::span<const float> golden, faulty;      // the same where the fault-free answer is judged
  std::span<const std::int64_t> label_shape;  // of this image's label
  std::span<const float> label;               // empty: there are no labels
};

struct OwnVerdict {
  bool is_wrong = false;        // sdc_1
  std::optional<double> score;  // of the faulty answer; of several images it is their mean
};

class OwnJudge {
 public:
  virtual ~OwnJudge() = default;
  /// The same answers give the same verdict, whatever was judged before.
  virtual OwnVerdict judge(const OwnAnswer& answer) = 0;
  /// What the score is, for people: "edit distance".
  virtual std::string metric() const { return "score"; }
  /// Whether scores lie within 0 and 1.
  virtual bool is_share() const { return false; }
};

}  // namespace tilestrike

extern "C" {
/// To be defined by the library: makes its judge.
void tilestrike_add_judge(std::unique_ptr<tilestrike::OwnJudge>& judge);
/// What the library was built with.
[[gnu::used, gnu::visibility("default")]] inline constexpr int tilestrike_judge_interface =
    tilestrike::kJudgeInterface;
}

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A study that asks a real one for each fault once, and then remembers the answer: a campaign that
// is repeated a thousand times costs table look-ups.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "bridge/study/study.h"

namespace tilestrike::coverage {

/// What identifies a call: image and faults, as numbers.
using Question = std::vector<std::uint64_t>;
struct QuestionHash {
  std::size_t operator()(const Question& question) const;
};

/// A real study, and what it has answered. Answers beyond the first kMostAnswers are not kept: the
/// study is asked again.
class Recollection {
 public:
  static constexpr std::size_t kMostAnswers = 1'500'000;

  explicit Recollection(std::unique_ptr<bridge::Study> study) : study_(std::move(study)) {}

  bridge::Study& study() { return *study_; }
  /// How often the study was asked, and how often that was not needed.
  std::int64_t asked() const { return asked_; }
  std::int64_t remembered() const { return remembered_; }

  /// `ask` gives the result of one question.
  template <class Ask>
  bridge::JobResult answer(const Question& question, const Ask& ask) {
    if (const auto found = answers_.find(question); found != answers_.end()) {
      ++remembered_;
      return found->second;
    }
    ++asked_;
    bridge::JobResult result = ask();
    if (answers_.size() < kMostAnswers) {
      answers_.emplace(question, result);
    }
    return result;
  }

 private:
  std::unique_ptr<bridge::Study> study_;
  std::unordered_map<Question, bridge::JobResult, QuestionHash> answers_;
  std::int64_t asked_ = 0, remembered_ = 0;
};

class RememberingStudy final : public bridge::Study {
 public:
  explicit RememberingStudy(std::shared_ptr<Recollection> known)
      : Study(bridge::StudyInputs().accelerator.mesh), known_(std::move(known)) {
    facts_ = real().facts();
  }

  std::vector<float> golden_answer(ImageId image) override { return real().golden_answer(image); }
  bool stored(ImageId image, std::size_t memory, CodewordBit bit, Cycle cycle) override {
    return real().stored(image, memory, bit, cycle);
  }
  /// Nobody looks on.
  std::vector<bridge::JobResult> strike(std::span<const bridge::StrikeJob> jobs,
                                        bridge::RunObserver* observer) override;

 private:
  bridge::Study& real() const { return known_->study(); }

  std::shared_ptr<Recollection> known_;
};

}  // namespace tilestrike::coverage

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

  /// `ask` gives the results of one question.
  template <class Ask>
  std::vector<bridge::TrialResult> answer(const Question& question, const Ask& ask) {
    if (const auto found = answers_.find(question); found != answers_.end()) {
      ++remembered_;
      return found->second;
    }
    ++asked_;
    std::vector<bridge::TrialResult> results = ask();
    if (answers_.size() < kMostAnswers) {
      answers_.emplace(question, results);
    }
    return results;
  }

 private:
  std::unique_ptr<bridge::Study> study_;
  std::unordered_map<Question, std::vector<bridge::TrialResult>, QuestionHash> answers_;
  std::int64_t asked_ = 0, remembered_ = 0;
};

class RememberingStudy final : public bridge::Study {
 public:
  explicit RememberingStudy(std::shared_ptr<Recollection> known) : known_(std::move(known)) {}

  const bridge::GoldenReport& golden() const override { return real().golden(); }
  const std::vector<bridge::LayerSummary>& layers() const override { return real().layers(); }
  const sim::MeshSites& sites() const override { return real().sites(); }
  std::int64_t images() const override { return real().images(); }
  Cycle cycles_per_inference() const override { return real().cycles_per_inference(); }
  std::vector<std::pair<std::string, std::string>> hashes() const override {
    return real().hashes();
  }
  std::vector<float> golden_logits(ImageId image) override { return real().golden_logits(image); }
  std::int64_t label(ImageId image) const override { return real().label(image); }
  const std::vector<bridge::StudyMemory>& memories() const override { return real().memories(); }
  bool stored(ImageId image, std::size_t memory, sim::CodewordBit bit, Cycle cycle) override {
    return real().stored(image, memory, bit, cycle);
  }
  std::vector<bridge::TrialResult> later_inferences(const bridge::CellStrike& strike) override {
    return real().later_inferences(strike);
  }
  const std::vector<TensorStore>& stores() const override { return real().stores(); }
  std::int64_t batch() const override { return real().batch(); }
  std::vector<bridge::TrialResult> strike_activations(std::span<const bridge::WordStrike> strikes,
                                                      bridge::RunObserver* observer) override {
    return real().strike_activations(strikes, observer);
  }

  // These are remembered, and nobody looks on.
  bridge::TrialResult strike(ImageId image, std::span<const RegisterFault> faults,
                             bridge::RunObserver* observer) override;
  bridge::TrialResult strike_cells(ImageId image, const bridge::CellStrike& strike,
                                   bridge::RunObserver* observer) override;
  std::vector<bridge::TrialResult> strike_constants(std::span<const WordFault> faults,
                                                    bridge::RunObserver* observer) override;

 private:
  bridge::Study& real() const { return known_->study(); }

  std::shared_ptr<Recollection> known_;
};

}  // namespace tilestrike::coverage

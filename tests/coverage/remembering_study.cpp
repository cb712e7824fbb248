// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/coverage/remembering_study.h"

namespace tilestrike::coverage {
namespace {

std::uint64_t number(std::int64_t value) { return static_cast<std::uint64_t>(value); }

}  // namespace

std::size_t QuestionHash::operator()(const Question& question) const {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const std::uint64_t word : question) {
    hash = (hash ^ word) * 0xBF58476D1CE4E5B9ULL;
    hash ^= hash >> 29;
  }
  return hash;
}

bridge::TrialResult RememberingStudy::strike(ImageId image, std::span<const RegisterFault> faults,
                                             bridge::RunObserver*) {
  Question question = {number(image.value)};
  for (const RegisterFault& fault : faults) {
    question.insert(question.end(), {fault.site.value, static_cast<std::uint64_t>(fault.kind),
                                     number(fault.when.from), number(fault.when.until)});
  }
  return known_->answer(question, [&] { return std::vector{real().strike(image, faults)}; })
      .front();
}

bridge::TrialResult RememberingStudy::strike_cells(ImageId image, const bridge::CellStrike& strike,
                                                   bridge::RunObserver*) {
  Question question = {number(image.value)};
  for (const std::optional<Cycle>& phase : strike.scrub_phases) {
    question.push_back(number(phase.value_or(-1)));
  }
  for (const bridge::CellFault& fault : strike.faults) {
    question.insert(question.end(), {fault.memory, fault.bit.codeword.value, number(fault.bit.bit),
                                     static_cast<std::uint64_t>(fault.kind),
                                     number(fault.when.from), number(fault.when.until)});
  }
  return known_
      ->answer(question, [&] { return std::vector{real().strike_cells(image, strike, nullptr)}; })
      .front();
}

std::vector<bridge::TrialResult> RememberingStudy::strike_constants(
    std::span<const WordFault> faults, bridge::RunObserver*) {
  Question question;
  for (const WordFault& fault : faults) {
    question.insert(question.end(),
                    {number(fault.store.value), static_cast<std::uint64_t>(fault.lifetime),
                     fault.word, fault.keep, fault.flip});
  }
  return known_->answer(question, [&] { return real().strike_constants(faults); });
}

}  // namespace tilestrike::coverage

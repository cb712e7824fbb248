// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/coverage/remembering_study.h"

namespace tilestrike::coverage {
namespace {

std::uint64_t number(std::int64_t value) { return static_cast<std::uint64_t>(value); }

Question question_of(const bridge::StrikeJob& job) {
  Question question = {number(job.image.value_or(ImageId(-1)).value)};
  const auto add = [&](std::initializer_list<std::uint64_t> numbers) {
    question.insert(question.end(), numbers);
  };
  for (const RegisterFault& fault : job.strike.registers) {
    add({fault.site.value, static_cast<std::uint64_t>(fault.kind), number(fault.when.from),
         number(fault.when.until)});
  }
  for (const std::optional<Cycle>& phase : job.scrub_phases) {
    add({number(phase.value_or(-1))});
  }
  for (const CellFault& fault : job.strike.cells) {
    add({fault.memory, fault.bit.codeword.value, number(fault.bit.bit),
         static_cast<std::uint64_t>(fault.kind), number(fault.when.from),
         number(fault.when.until)});
  }
  for (const WordFault& fault : job.strike.words) {
    add({number(fault.store.value), static_cast<std::uint64_t>(fault.lifetime), fault.word,
         fault.keep, fault.flip});
  }
  return question;
}

}  // namespace

std::size_t QuestionHash::operator()(const Question& question) const {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const std::uint64_t word : question) {
    hash = (hash ^ word) * 0xBF58476D1CE4E5B9ULL;
    hash ^= hash >> 29;
  }
  return hash;
}

std::vector<bridge::JobResult> RememberingStudy::strike(std::span<const bridge::StrikeJob> jobs,
                                                        bridge::RunObserver*) {
  const bool are_on_activations =
      !jobs.empty() && jobs.front().image && !jobs.front().strike.words.empty();
  if (are_on_activations) {
    return real().strike(jobs);  // in batches
  }
  std::vector<bridge::JobResult> results;
  for (const bridge::StrikeJob& job : jobs) {
    results.push_back(known_->answer(question_of(job), [&] {
      return std::move(real().strike({&job, 1}).front());
    }));
  }
  return results;
}

}  // namespace tilestrike::coverage

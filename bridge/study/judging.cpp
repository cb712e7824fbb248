// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/judging.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "bridge/schedule/mapping.h"

namespace tilestrike::bridge {
namespace {

Labels labels_of(const Workload& load) {
  Labels labels;
  if (!load.labels.defined()) {
    return labels;
  }
  labels.file = load.labels_path;
  labels.is_of_data_set = load.are_labels_of_images;
  labels.sizes = load.labels.sizes().vec();
  const at::Tensor flat = load.labels.contiguous();
  if (c10::isFloatingType(flat.scalar_type())) {
    const auto* first = flat.const_data_ptr<float>();
    labels.numbers.assign(first, first + flat.numel());
    return labels;
  }
  const at::Tensor wide = flat.to(c10::kLong);
  const auto* first = wide.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < wide.numel(); ++i) {
    using Limits = std::numeric_limits<std::int32_t>;
    if (first[i] < Limits::min() || first[i] > Limits::max()) {
      fail(ErrorCode::kInvalidInput,
           "label " + std::to_string(i / (wide.numel() / wide.size(0))) + " is " +
               std::to_string(first[i]),
           load.labels_path, "check that these are labels");
    }
    labels.integers.push_back(static_cast<std::int32_t>(first[i]));
  }
  return labels;
}

/// By image: golden answers beside themselves.
struct Golden {
  std::vector<Judgement> judgements;
  std::vector<std::vector<double>> parts;  // of the score
};

Golden golden_of(const Judge& judge, const at::Tensor& answers,
                 std::vector<std::string>& warnings) {
  const std::vector<float> all = floats(answers);
  judge.check_golden(all, warnings);
  const std::size_t size = all.size() / static_cast<std::size_t>(answers.size(0));
  Golden golden;
  for (ImageId image(0); image.value < answers.size(0); ++image.value) {
    const auto answer = std::span(all).subspan(static_cast<std::size_t>(image.value) * size, size);
    golden.judgements.push_back(judge.judge(image, answer, answer, golden.parts.emplace_back()));
  }
  return golden;
}

}  // namespace

std::unique_ptr<Judge> judge_of(const JudgeConfig& config, const at::Tensor& answers,
                                Workload& load) {
  return Judge::make(config, answers.sizes().slice(1).vec(), labels_of(load), load.warnings);
}

std::optional<double> score_of(const Judge& judge, const at::Tensor& answers,
                               std::vector<std::string>& warnings) {
  return judge.score(golden_of(judge, answers, warnings).parts);
}

void judge_golden(const Judge& judge, const at::Tensor& answers, StudyFacts& facts) {
  const Golden golden = golden_of(judge, answers, facts.golden.warnings);
  for (std::size_t i = 0; i < golden.parts.size(); ++i) {
    facts.golden_classes.push_back(golden.judgements[i].golden_class);
    facts.has_parts = golden.judgements[i].share_differing >= 0.0;
    facts.golden_scores.push_back(judge.score({&golden.parts[i], 1}));
  }
  facts.answer_numbers = answers.numel() / answers.size(0);
  facts.labels = judge.classes();
  facts.golden.metric = judge.metric();
  facts.golden.score = judge.score(golden.parts);
}

void set_score(const Judge& judge, JobResult& result) {
  std::vector<std::vector<double>> parts;
  for (TrialResult& each : result.images) {
    parts.push_back(std::exchange(each.score_part, {}));
  }
  result.score = judge.score(parts);
}

}  // namespace tilestrike::bridge

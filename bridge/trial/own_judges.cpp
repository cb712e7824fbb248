// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/own_judges.h"

#include <dlfcn.h>

#include <filesystem>
#include <functional>
#include <numeric>

#include "base/error.h"

namespace tilestrike::bridge {

std::unique_ptr<OwnJudge> load_own_judge(const std::string& file) {
  const char* const cure =
      "build a library that defines tilestrike_add_judge(), as docs/judges.md says";
  std::error_code ignored;
  void* const library =
      dlopen(std::filesystem::absolute(file, ignored).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    fail(ErrorCode::kNotFound, "cannot load the judge: " + std::string(dlerror()), file, cure);
  }
  const auto* const interface =
      static_cast<const int*>(dlsym(library, "tilestrike_judge_interface"));
  const auto add =
      reinterpret_cast<decltype(&tilestrike_add_judge)>(dlsym(library, "tilestrike_add_judge"));
  if (interface == nullptr || add == nullptr) {
    fail(ErrorCode::kInvalidInput, "a library without a judge for TileStrike", file, cure);
  }
  if (*interface != kJudgeInterface) {
    fail(ErrorCode::kVersionMismatch,
         "a judge for interface " + std::to_string(*interface) + "; this program has " +
             std::to_string(kJudgeInterface),
         file, "build the library again, against this TileStrike");
  }
  std::unique_ptr<OwnJudge> judge;
  add(judge);
  if (judge == nullptr) {
    fail(ErrorCode::kInvalidInput, "tilestrike_add_judge() has made no judge", file, cure);
  }
  return judge;
}

UsersJudge::UsersJudge(std::unique_ptr<OwnJudge> own, std::vector<std::int64_t> answer,
                       const Labels& labels)
    : own_(std::move(own)), answer_(std::move(answer)) {
  if (labels.are_given()) {
    label_sizes_.assign(labels.sizes.begin() + 1, labels.sizes.end());
    label_numbers_ = static_cast<std::size_t>(std::accumulate(
        label_sizes_.begin(), label_sizes_.end(), std::int64_t{1}, std::multiplies<>()));
    labels_ = labels.numbers;
    if (labels.are_integers()) {
      labels_.assign(labels.integers.begin(), labels.integers.end());
    }
  }
}

OwnVerdict UsersJudge::verdict(ImageId image, std::span<const float> golden,
                               std::span<const float> faulty) const {
  const std::size_t first = static_cast<std::size_t>(image.value) * label_numbers_;
  return own_->judge({image.value, answer_, golden, faulty, label_sizes_,
                      std::span(labels_).subspan(first, label_numbers_)});
}

Judgement UsersJudge::judge(ImageId image, std::span<const float> golden,
                            std::span<const float> faulty, std::vector<double>& score_part) const {
  Judgement judgement = compared(golden, faulty);
  std::optional<double> score;
  if (judgement.outcome == Outcome::kMasked) {
    const auto known = golden_scores_.find(image.value);
    score = known != golden_scores_.end() ? known->second : verdict(image, golden, golden).score;
    golden_scores_.emplace(image.value, score);
  } else {
    const OwnVerdict found = verdict(image, golden, faulty);
    judgement.sdc_1 = found.is_wrong || judgement.outcome == Outcome::kNonfinite;
    score = found.score;
  }
  if (score) {
    score_part = {*score};
  }
  return judgement;
}

Metric UsersJudge::metric() const { return {own_->metric(), own_->is_share(), true}; }

}  // namespace tilestrike::bridge

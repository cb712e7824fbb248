// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Judges of the user's own (docs/judges.md): a library, or a script in a process of its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bridge/trial/judge.h"
#include "bridge/trial/own_judge.h"

namespace tilestrike::bridge {

/// Loads the library. Throws Failure that names it.
std::unique_ptr<OwnJudge> load_own_judge(const std::string& file);

/// Starts `python3 FILE`, which is to call tilestrike.serve_judge(), and talks to it: frames of
/// bytes there, lines back. TILESTRIKE_PYTHON names another interpreter. Throws Failure that names
/// the file, then and whenever the script ends or answers nonsense.
std::unique_ptr<OwnJudge> start_own_judge(const std::string& file);

/// SDC-1 is its verdict; there are no other refinements.
class UsersJudge final : public Judge {
 public:
  UsersJudge(std::unique_ptr<OwnJudge> own, std::vector<std::int64_t> answer, const Labels& labels);
  Judgement judge(ImageId image, std::span<const float> golden, std::span<const float> faulty,
                  std::vector<double>& score_part) const override;
  Metric metric() const override;

 private:
  OwnVerdict verdict(ImageId image, std::span<const float> golden,
                     std::span<const float> faulty) const;

  std::unique_ptr<OwnJudge> own_;
  std::vector<std::int64_t> answer_, label_sizes_;
  std::vector<float> labels_;
  std::size_t label_numbers_ = 0;
  mutable std::map<std::int64_t, std::optional<double>> golden_scores_;  // by image
};

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "bridge/study/study.h"

namespace tilestrike::bridge {

/// All that a trial says, but for what was simulated.
inline std::string text_of(const TrialResult& result) {
  std::string text;
  for (const auto& word :
       {std::string(name_of(result.judgement.outcome)), std::string(name_of(result.masked_at)),
        std::string(name_of(result.without_stop)), result.layer}) {
    text += word + " ";
  }
  for (const std::int64_t number :
       {result.changed_accumulators, result.changed_outputs, result.changed_words,
        result.corrected_codewords, result.detected_codewords, std::int64_t{result.activated},
        std::int64_t{result.outlives}}) {
    text += std::to_string(number) + " ";
  }
  for (const float logit : result.logits) {
    text += std::to_string(logit) + " ";
  }
  return text;
}

}  // namespace tilestrike::bridge

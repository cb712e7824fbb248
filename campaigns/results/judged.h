// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the images of one trial have come to, taken together.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bridge/words/trial_result.h"
#include "campaigns/scenario/memory_strike.h"
#include "campaigns/statistics/rates.h"

namespace tilestrike::campaigns {

/// Everything that a trial showed, summed over the images that it was judged on.
struct Judged {
  bridge::TrialResult first;  // of the first image that was not masked, else of the first image
  Outcome outcome = Outcome::kMasked;
  MaskedAt masked_at = MaskedAt::kNowhere;  // the furthest, when masked on every image
  RateArray<bool> any;
  RateArray<std::int64_t> images_of;
  std::int64_t images = 0;
  std::int64_t activated = 0;
  std::int64_t passes_simulated = 0;
  std::int64_t correct = -1;  // images whose answer is their label; -1: no labels
  std::int64_t golden_correct = -1;
  double relative_l2 = 0.0;                   // the largest
  std::optional<double> score, golden_score;  // of all its images
  bool hung = false;
  // Of strikes on memories and cores:
  std::int64_t corrected = 0, detected = 0;  // codewords, over all images
  Outcome without_stop = Outcome::kMasked;   // the worst
  bool outlives = false;
  std::vector<bridge::TrialResult> later;
  std::optional<bool> stored;  // what the struck cell held, where that counts

  /// Of one image. `label`: its class; -1: it has none.
  void add(bridge::TrialResult result, std::int64_t label);
  /// The mean over the images; nothing where answers have no parts.
  std::optional<double> share_differing() const;
  std::int64_t later_due() const;
  /// Later inferences whose answer is wrong as it is given: where a detected error stops nothing,
  /// those in which one was reported, too.
  std::int64_t later_wrong(AfterDetection after_detection) const;

 private:
  double shares_differing_ = 0.0;
  std::int64_t with_shares_ = 0;
};

}  // namespace tilestrike::campaigns

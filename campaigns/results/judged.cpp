// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/judged.h"

#include <algorithm>
#include <utility>

namespace tilestrike::campaigns {

void Judged::add(bridge::TrialResult result, std::int64_t label) {
  if (label >= 0) {
    correct = std::max<std::int64_t>(correct, 0) + (result.judgement.faulty_class == label);
    golden_correct =
        std::max<std::int64_t>(golden_correct, 0) + (result.judgement.golden_class == label);
  }
  relative_l2 = std::max(relative_l2, result.judgement.relative_l2);
  if (result.judgement.share_differing >= 0.0) {
    shares_differing_ += result.judgement.share_differing;
    ++with_shares_;
  }
  const RateArray<bool> rates = rates_of(result.judgement);
  for (const Rate rate : kRates) {
    any[rate] = any[rate] || rates[rate];
    images_of[rate] += rates[rate] ? 1 : 0;
  }
  const bool is_first_visible =
      outcome == Outcome::kMasked && result.judgement.outcome != Outcome::kMasked;
  outcome = std::max(outcome, result.judgement.outcome);
  masked_at = std::max(masked_at, result.masked_at);
  activated += result.activated ? 1 : 0;
  passes_simulated += result.passes_simulated;
  hung = hung || result.hung;
  corrected += result.corrected_codewords;
  detected += result.detected_codewords;
  without_stop = std::max(without_stop, result.without_stop);
  outlives = outlives || result.outlives;
  if (images == 0 || is_first_visible) {
    first = std::move(result);
  }
  ++images;
}

std::optional<double> Judged::share_differing() const {
  return with_shares_ == 0 ? std::nullopt
                           : std::optional(shares_differing_ / static_cast<double>(with_shares_));
}

std::int64_t Judged::later_due() const {
  return std::ranges::count(later, Outcome::kDue, [](const bridge::TrialResult& result) {
    return result.judgement.outcome;
  });
}
std::int64_t Judged::later_wrong(AfterDetection after_detection) const {
  return std::ranges::count_if(later, [&](const bridge::TrialResult& result) {
    const Outcome outcome =
        after_detection == AfterDetection::kGoesOn ? result.without_stop : result.judgement.outcome;
    return outcome == Outcome::kSdc || outcome == Outcome::kNonfinite;
  });
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One trial as tallies see it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/outcome.h"
#include "campaigns/results/results.h"
#include "campaigns/statistics/rates.h"

namespace tilestrike::campaigns {

struct MemorySeen {
  std::optional<bool> stored;  // what the struck cell held; nothing where that does not count
  Outcome without_stop = Outcome::kMasked;
  std::optional<std::int64_t> later_images, later_wrong, later_due;
};

struct TrialSeen {
  std::int64_t trial = 0;
  std::string structure, register_name, layer, stratum, radiation;
  bool activated = false;
  MaskedAt masked_at = MaskedAt::kNowhere;
  Outcome outcome = Outcome::kMasked;
  std::int64_t faults = 1;
  std::int64_t images = 1;
  RateArray<std::int64_t> images_of;
  std::optional<std::int64_t> images_correct, images_golden_correct;  // nothing: no labels
  std::optional<MemorySeen> memory;                                   // where cells were struck
};

/// A scenario's trials from number `first` on, in order, until `visit` says false.
void each_seen(const Results& results, std::int64_t scenario, std::int64_t first,
               const std::function<bool(const TrialSeen&)>& visit);

}  // namespace tilestrike::campaigns

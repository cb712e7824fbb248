// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/drawn_trial.h"

#include <utility>

namespace tilestrike::campaigns {
namespace {

/// Of those that act, each as it acts.
template <class Drawn>
auto acting(const std::vector<Drawn>& drawn) {
  std::vector<decltype(Drawn::fault)> result;
  for (const Drawn& each : drawn) {
    if (each.acts) {
      result.push_back(each.fault);
      if (each.fault.kind == FaultKind::kRandom) {
        result.back().kind = FaultKind::kFlip;
      }
    }
  }
  return result;
}

}  // namespace

const DrawnStrike* DrawnTrial::in_memory() const {
  return strike && (strike->first || !strike->cells.empty()) ? &*strike : nullptr;
}

bridge::StrikeJob DrawnTrial::job() && {
  bridge::StrikeJob job;
  job.strike.registers = acting(faults);
  job.strike.cells = strike ? acting(strike->cells) : std::vector<CellFault>();
  job.strike.words = std::move(words.faults);
  job.image = image;
  job.scrub_phases = scrub_phases;
  return job;
}

MaskedAt DrawnTrial::masked_at() const {
  return strike && strike->failing > 0 ? MaskedAt::kEmpty : MaskedAt::kUnchanged;
}

}  // namespace tilestrike::campaigns

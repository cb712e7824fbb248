// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/tally/tally.h"

#include <cmath>

namespace tilestrike::campaigns {
namespace {

void merge_all(std::map<std::string, TrialCounts>& counts,
               const std::map<std::string, TrialCounts>& more) {
  for (const auto& [name, each] : more) {
    counts[name].merge(each);
  }
}

}  // namespace

void StratumCounts::merge(const StratumCounts& other) {
  activated.add(other.activated);
  for (const Rate rate : kRates) {
    all[rate].add(other.all[rate]);
    of_activated[rate].add(other.of_activated[rate]);
  }
  scores.add(other.scores);
  differing.add(other.differing);
}

void TrialCounts::add(const TrialRecord& trial, bool is_persistent) {
  StratumCounts& stratum = strata[trial.stratum];
  const auto images = static_cast<double>(trial.images);
  ++n;
  activated += trial.activated ? 1 : 0;
  stratum.activated.add(trial.activated ? 1.0 : 0.0);
  for (const Rate rate : kRates) {
    const double share = static_cast<double>(trial.images_of[rate]) / images;
    stratum.all[rate].add(share);
    if (trial.activated) {
      stratum.of_activated[rate].add(share);
    }
  }
  faults += trial.faults;
  if (trial.score && trial.golden_score) {
    const double score = is_persistent ? *trial.score : *trial.score - *trial.golden_score;
    if (!std::isnan(score)) {
      stratum.scores.add(score);
    }
  }
  if (trial.share_differing) {
    stratum.differing.add(*trial.share_differing);
  }
  if (trial.masked_at != MaskedAt::kNowhere) {
    ++masked_at[std::string(name_of(trial.masked_at))];
  }
}

void TrialCounts::merge(const TrialCounts& other) {
  n += other.n;
  activated += other.activated;
  faults += other.faults;
  for (const auto& [name, stratum] : other.strata) {
    strata[name].merge(stratum);
  }
  for (const auto& [place, count] : other.masked_at) {
    masked_at[place] += count;
  }
}

double TrialCounts::mean_faults() const {
  return n == 0 ? 0.0 : static_cast<double>(faults) / static_cast<double>(n);
}

void Tally::add(const TrialRecord& trial) {
  all_.add(trial, is_persistent_);
  parts_[is_by_structure_ ? trial.structure : trial.register_name].add(trial, is_persistent_);
  layers_[trial.layer].add(trial, is_persistent_);
  if (strikes_) {
    strikes_->add(strike_seen(trial));
  }
}

void Tally::merge(const Tally& other) {
  all_.merge(other.all_);
  merge_all(parts_, other.parts_);
  merge_all(layers_, other.layers_);
  if (strikes_ && other.strikes_) {
    strikes_->merge(*other.strikes_);
  }
}

Fields tallied_fields() {
  using T = TrialRecord;
  return Fields(&T::register_name, &T::layer, &T::masked_at, &T::activated, &T::images, &T::faults,
                &T::score, &T::golden_score, &T::share_differing, &T::images_of, &T::structure,
                &T::radiation, &T::stratum, &T::outcome, &MemoryTrial::stored,
                &MemoryTrial::without_stop, &MemoryTrial::later_images, &MemoryTrial::later_wrong,
                &MemoryTrial::later_due, &CoreTrial::without_stop, &CoreTrial::later_images,
                &CoreTrial::later_wrong, &CoreTrial::later_due);
}

void count_up_to(std::int64_t most, const Results& results, std::int64_t scenario, Tally& tally) {
  const auto count = [&](const TrialRecord& trial) {
    if (trial.trial != tally.trials() || trial.trial >= most) {
      return false;
    }
    tally.add(trial);
    return true;
  };
  results.each_trial(scenario, tallied_fields(), count, tally.trials());
}

}  // namespace tilestrike::campaigns

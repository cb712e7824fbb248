// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/tally/strike_tally.h"

#include <algorithm>

#include "base/error.h"

namespace tilestrike::campaigns {
namespace {

void merge_into(ByStored& counts, const ByStored& more) {
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] += more[i];
  }
}

/// How it would have ended without a stop, and what of it stays. A core that hangs has no answer,
/// stop or not: without_stop is then a due, and the due is no false one.
void add_end(const StorageTrial& part, Outcome outcome, StrikeSeen& seen) {
  seen.is_wrong_on = part.without_stop == Outcome::kSdc || part.without_stop == Outcome::kNonfinite;
  seen.is_false_due =
      outcome == Outcome::kDue && !seen.is_wrong_on && part.without_stop != Outcome::kDue;
  if (const std::int64_t images = part.later_images.value_or(0); images > 0) {
    const auto share = [images](const std::optional<std::int64_t>& number) {
      return static_cast<double>(number.value_or(0)) / static_cast<double>(images);
    };
    seen.later_wrong = share(part.later_wrong);
    seen.later_due = share(part.later_due);
  }
}

}  // namespace

std::int64_t total_of(const ByStored& counts) { return counts[0] + counts[1] + counts[2]; }

StrikeSeen strike_seen(const TrialRecord& trial) {
  StrikeSeen seen;
  seen.structure = trial.structure;
  seen.radiation = trial.radiation ? name_of(*trial.radiation) : "";
  seen.stratum = trial.stratum;
  seen.is_activated = trial.activated;
  for (const Rate rate : kRates) {
    seen.is[rate] = trial.images_of[rate] > 0;
  }
  seen.is_wrong_on = seen.is[Rate::kSdc] || seen.is[Rate::kNonfinite];
  if (trial.memory) {
    seen.stored = trial.memory->stored;
    add_end(*trial.memory, trial.outcome, seen);
  } else if (trial.core) {
    add_end(*trial.core, trial.outcome, seen);
  }
  return seen;
}

void StrikeCounts::merge(const StrikeCounts& other) {
  n += other.n;
  merge_into(struck, other.struck);
  merge_into(activated, other.activated);
  for (const Rate rate : kRates) {
    merge_into(hits[rate], other.hits[rate]);
  }
  merge_into(false_due, other.false_due);
  merge_into(wrong_on, other.wrong_on);
  merge_into(wrong_events, other.wrong_events);
  merge_into(due_events, other.due_events);
  wrong.add(other.wrong);
}

StrikeTally::StrikeTally(const ParticlePopulation& population, double later_inferences,
                         AfterDetection after_detection)
    : population_(&population),
      later_inferences_(later_inferences),
      after_detection_(after_detection) {
  if (const std::optional<double> ratio = population.zero_to_one()) {
    factors_ = {sim::stored_value_weight(*ratio, false), sim::stored_value_weight(*ratio, true),
                1.0};
  }
}

double StrikeTally::most_factor() const { return *std::ranges::max_element(factors_); }

double StrikeTally::lasting(const Structure& structure) const {
  return structure.outlives ? later_inferences_ : 0.0;
}

void StrikeTally::add(const StrikeSeen& seen) {
  const std::vector<Structure>& structures = population_->structures();
  const auto structure = std::ranges::find(structures, seen.structure, &Structure::name);
  TS_CHECK(structure != structures.end(), "a structure of the population");
  const std::string key =
      std::to_string(structure - structures.begin()) + " " + seen.radiation + " " + seen.stratum;
  StrikeCounts& counts = counts_[key];
  const std::size_t stored = !seen.stored ? 2 : *seen.stored ? 1 : 0;
  const auto count = [&](ByStored& of, bool is_hit) { of[stored] += is_hit ? 1 : 0; };
  ++counts.n;
  count(counts.struck, true);
  count(counts.activated, seen.is_activated);
  for (const Rate rate : kRates) {
    count(counts.hits[rate], seen.is[rate]);
  }
  const bool is_wrong = after_detection_ == AfterDetection::kGoesOn
                            ? seen.is_wrong_on
                            : seen.is[Rate::kSdc] || seen.is[Rate::kNonfinite];
  const double later = lasting(*structure);
  count(counts.false_due, seen.is_false_due);
  count(counts.wrong_on, seen.is_wrong_on);
  count(counts.wrong_events, is_wrong || seen.later_wrong > 0.0);
  count(counts.due_events, seen.is[Rate::kDue] || seen.later_due > 0.0);
  counts.wrong.add(factors_[stored] / most_factor() *
                   ((is_wrong ? 1.0 : 0.0) + later * seen.later_wrong) / (1.0 + later));
}

void StrikeTally::merge(const StrikeTally& other) {
  for (const auto& [key, counts] : other.counts_) {
    counts_[key].merge(counts);
  }
}

const StrikeCounts& StrikeTally::of(const StrikeGroup& group) const {
  static const StrikeCounts none;
  const auto found = counts_.find(group.key());
  return found == counts_.end() ? none : found->second;
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/report/paired.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "campaigns/statistics/difference.h"

namespace tilestrike::campaigns {
namespace {

/// One trial as the comparison sees it.
struct PairedTrial {
  double weight = 1.0;
  std::string structure, radiation, stratum;
  std::string register_name;        // or tensor; empty: a cell of a memory
  std::vector<std::int64_t> place;  // image, cycle, ...
  RateArray<double> shares;         // of kCompared
};

/// Of a trial, whatever it struck.
template <class Field>
std::int64_t place_of(const TrialRecord& trial, Field MeshTrial::*of_mesh,
                      Field MemoryTrial::*of_memory) {
  const Field number = trial.mesh     ? (*trial.mesh).*of_mesh
                       : trial.memory ? (*trial.memory).*of_memory
                                      : std::nullopt;
  return number.value_or(-1);
}

/// What was struck.
void identify(const TrialRecord& row, const std::map<std::string, sim::ArrayGeometry>& arrays,
              PairedTrial& trial) {
  trial.structure = row.structure;
  trial.radiation = row.radiation ? name_of(*row.radiation) : "";
  trial.stratum = row.stratum;
  const std::optional<std::int64_t> bank = row.memory ? row.memory->bank : std::nullopt;
  const std::int64_t column = place_of(row, &MeshTrial::column, &MemoryTrial::column);
  trial.place = {row.image.value_or(-1), place_of(row, &MeshTrial::cycle, &MemoryTrial::cycle),
                 bank.value_or(-1), place_of(row, &MeshTrial::row, &MemoryTrial::row),
                 row.memory ? row.memory->bits : -1};
  if (const auto array = arrays.find(trial.structure); array != arrays.end()) {
    // Numbered so that arrays which differ in check bits share their data cells. Codeword and bit
    // follow from ECC and interleaving.
    trial.place.push_back(column < 0 ? -1
                                     : array->second.number_of_column(static_cast<int>(column)));
    return;
  }
  const std::optional<std::int64_t> position = row.mesh ? row.mesh->position : std::nullopt;
  const std::optional<std::int64_t> word = row.memory   ? row.memory->word
                                           : row.tensor ? row.tensor->word
                                                        : std::nullopt;
  trial.register_name = row.register_name;
  if (row.core) {
    const auto number = [](const std::optional<std::int64_t>& of_core) {
      return of_core.value_or(-1);
    };
    trial.place.insert(trial.place.end(), {number(row.core->core), number(row.core->word),
                                           number(row.core->lane), number(row.core->cycle)});
  }
  trial.place.insert(trial.place.end(),
                     {column, position.value_or(-1), row.bit.value_or(-1), word.value_or(-1)});
}

Fields paired_fields() {
  using T = TrialRecord;
  return Fields(&T::weight, &T::structure, &T::register_name, &T::radiation, &T::stratum, &T::image,
                &T::bit, &T::images, &T::images_of, &MeshTrial::cycle, &MeshTrial::row,
                &MeshTrial::column, &MeshTrial::position, &MemoryTrial::cycle, &MemoryTrial::bank,
                &MemoryTrial::row, &MemoryTrial::column, &MemoryTrial::word, &MemoryTrial::bits,
                &TensorTrial::word, &CoreTrial::core, &CoreTrial::word, &CoreTrial::lane,
                &CoreTrial::cycle);
}

std::vector<PairedTrial> trials_of(const Results& results, std::int64_t scenario,
                                   const Scenario& what, const Summary& summary) {
  std::vector<PairedTrial> trials;
  std::map<std::string, sim::ArrayGeometry> arrays;
  for (const auto& [name, memory] : what.accelerator.memory) {
    arrays.emplace(name, memory.array());
  }
  results.each_trial(scenario, paired_fields(), [&](const TrialRecord& row) {
    if (static_cast<std::int64_t>(trials.size()) >= summary.counted) {
      return false;
    }
    PairedTrial trial;
    trial.weight = row.weight;
    // Of trial k, one chip at every point, it is compared which of its cells fail.
    if (!summary.are_chips) {
      identify(row, arrays, trial);
    }
    const auto images = static_cast<double>(std::max<std::int64_t>(1, row.images));
    for (const Rate rate : kCompared) {
      trial.shares[rate] = static_cast<double>(row.images_of[rate]) / images;
    }
    trials.push_back(std::move(trial));
    return true;
  });
  return trials;
}

/// What both trials' classes have in common: structure, radiation and reach of the cluster.
std::string class_of(const PairedTrial& trial) {
  const std::size_t second = trial.stratum.find(' ', trial.stratum.find(' ') + 1);
  return trial.structure + " " + trial.radiation + " " + trial.stratum.substr(0, second);
}

/// What one trial stands for: FIT of all strikes, or 1.
double scale_of(const Summary& summary) {
  return summary.strikes ? summary.strikes->all.fit.total() : 1.0;
}

Estimate rate_of(const Summary& summary, Rate rate) {
  return summary.strikes ? summary.strikes->all.in_fit(summary.strikes->all.avf[rate])
                         : summary.all.rates[rate];
}

/// A point and its trials.
struct Side {
  const std::vector<PairedTrial>& trials;
  const Summary& summary;
};

/// What trial k counts at a point; 0 where nothing of its class can come to the rate there, for
/// what a point cannot have widens no interval.
double weight_in(const Side& side, std::size_t k, Rate rate) {
  const PairedTrial& trial = side.trials[k];
  const double weight = scale_of(side.summary) * trial.weight;
  if (!side.summary.strikes || trial.shares[rate] > 0.0) {
    return weight;
  }
  const StrikeSummary& strikes = *side.summary.strikes;
  const auto& classes = rate == Rate::kDue ? strikes.due_classes : strikes.silent_classes;
  return classes.contains(class_of(trial)) ? weight : 0.0;
}

/// Classes whose trials are allotted have shares that are no matter of chance; others are one.
std::string class_in_estimate(const PairedTrial& trial, const Summary& from, const Summary& to) {
  if (from.strikes) {
    const bool are_allotted = from.strikes->is_stratified && to.strikes->is_stratified;
    return are_allotted ? class_of(trial) : "";
  }
  return from.strata.empty() || to.strata.empty() ? "" : trial.stratum;
}

/// Over the first n trials. `share_classes`: each of them is of one class at both points.
Difference difference_of(Rate rate, const Side& from, const Side& to, std::size_t n,
                         bool share_classes) {
  std::map<std::string, Differences> classes;
  for (std::size_t k = 0; k < n; ++k) {
    const double plus = weight_in(to, k, rate), minus = weight_in(from, k, rate);
    Differences& each =
        classes[share_classes ? class_in_estimate(from.trials[k], from.summary, to.summary) : ""];
    each.values.push_back(plus * to.trials[k].shares[rate] - minus * from.trials[k].shares[rate]);
    each.most = std::max(each.most, plus);
    each.least = std::min(each.least, -minus);
  }
  std::vector<Differences> all;
  for (auto& [name, each] : classes) {
    all.push_back(std::move(each));
  }
  const Estimate estimate = mean_difference(all, from.summary.confidence);
  const Estimate a = rate_of(from.summary, rate), b = rate_of(to.summary, rate);
  const double apart = b.value - a.value;
  return {name_of(rate),
          estimate.value,
          estimate.interval,
          {apart - std::hypot(b.value - b.interval.low, a.interval.high - a.value),
           apart + std::hypot(b.interval.high - b.value, a.value - a.interval.low)}};
}

PairedPoint compared(const Side& from, const Side& to) {
  PairedPoint point;
  point.label = to.summary.label;
  const std::size_t n = std::min(from.trials.size(), to.trials.size());
  point.trials = static_cast<std::int64_t>(n);
  bool share_classes = true;
  for (std::size_t k = 0; k < n; ++k) {
    const PairedTrial &a = from.trials[k], &b = to.trials[k];
    const bool is_class_shared = class_of(a) == class_of(b);
    share_classes = share_classes && is_class_shared;
    point.alike +=
        is_class_shared && a.place == b.place && a.register_name == b.register_name ? 1 : 0;
  }
  for (const Rate rate : kCompared) {
    const bool is_judged =
        !rate_of(from.summary, rate).is_unknown() && !rate_of(to.summary, rate).is_unknown();
    if (n > 0 && is_judged) {
      point.differences.push_back(difference_of(rate, from, to, n, share_classes));
    }
  }
  return point;
}

}  // namespace

PairedPoints paired_points(const Results& results, const Campaign& campaign,
                           const std::vector<Summary>& summaries, std::size_t from) {
  PairedPoints points;
  const bool are_alike = std::ranges::all_of(summaries, [&](const Summary& summary) {
    return summary.strikes.has_value() == summaries.front().strikes.has_value() &&
           summary.unit == summaries.front().unit;
  });
  if (summaries.size() < 2 || !are_alike) {
    return points;
  }
  points.from = summaries.at(from).label;
  points.is_fit = summaries.front().strikes.has_value();
  points.are_chips = summaries.front().are_chips;
  const auto trials = [&](std::size_t i) {
    return trials_of(results, static_cast<std::int64_t>(i), campaign.points[i].scenario,
                     summaries[i]);
  };
  const std::vector<PairedTrial> first = trials(from);
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    if (i != from) {
      points.points.push_back(compared({first, summaries[from]}, {trials(i), summaries[i]}));
    }
  }
  return points;
}

}  // namespace tilestrike::campaigns

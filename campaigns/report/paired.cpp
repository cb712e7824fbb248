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
  trial.place.insert(trial.place.end(),
                     {column, position.value_or(-1), row.bit.value_or(-1), word.value_or(-1)});
}

Fields paired_fields() {
  using T = TrialRecord;
  return Fields(&T::weight, &T::structure, &T::register_name, &T::radiation, &T::stratum, &T::image,
                &T::bit, &T::images, &T::images_of, &MeshTrial::cycle, &MeshTrial::row,
                &MeshTrial::column, &MeshTrial::position, &MemoryTrial::cycle, &MemoryTrial::bank,
                &MemoryTrial::row, &MemoryTrial::column, &MemoryTrial::word, &MemoryTrial::bits,
                &TensorTrial::word);
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

PairedPoint compared(const std::vector<PairedTrial>& from, const Summary& first,
                     const std::vector<PairedTrial>& to, const Summary& other) {
  PairedPoint point;
  point.label = other.label;
  const std::size_t n = std::min(from.size(), to.size());
  point.trials = static_cast<std::int64_t>(n);
  bool share_classes = true;
  for (std::size_t k = 0; k < n; ++k) {
    const PairedTrial &a = from[k], &b = to[k];
    const bool is_class_shared = class_of(a) == class_of(b);
    share_classes = share_classes && is_class_shared;
    point.alike +=
        is_class_shared && a.place == b.place && a.register_name == b.register_name ? 1 : 0;
  }
  for (const Rate rate : kCompared) {
    const Estimate a = rate_of(first, rate), b = rate_of(other, rate);
    if (n == 0 || a.is_unknown() || b.is_unknown()) {
      continue;  // not judged
    }
    // What a point cannot have widens no interval.
    const auto can = [&](const Summary& summary, const PairedTrial& trial) {
      if (!summary.strikes || trial.shares[rate] > 0.0) {
        return true;
      }
      const auto& names =
          rate == Rate::kDue ? summary.strikes->due_classes : summary.strikes->silent_classes;
      return names.contains(class_of(trial));
    };
    // Classes whose trials are allotted have shares that are no matter of chance; others are one.
    const auto class_in_estimate = [&](const PairedTrial& trial) -> std::string {
      if (first.strikes) {
        const bool are_allotted = first.strikes->is_stratified && other.strikes->is_stratified;
        return are_allotted && share_classes ? class_of(trial) : "";
      }
      return first.strata.empty() || other.strata.empty() || !share_classes ? "" : trial.stratum;
    };
    std::map<std::string, Differences> classes;
    for (std::size_t k = 0; k < n; ++k) {
      const double plus = can(other, to[k]) ? scale_of(other) * to[k].weight : 0.0;
      const double minus = can(first, from[k]) ? scale_of(first) * from[k].weight : 0.0;
      Differences& each = classes[class_in_estimate(from[k])];
      each.values.push_back(plus * to[k].shares[rate] - minus * from[k].shares[rate]);
      each.most = std::max(each.most, plus);
      each.least = std::min(each.least, -minus);
    }
    Difference difference;
    difference.rate = name_of(rate);
    std::vector<Differences> all;
    for (auto& [name, each] : classes) {
      all.push_back(std::move(each));
    }
    const Estimate estimate = mean_difference(all, first.confidence);
    difference.value = estimate.value;
    difference.paired = estimate.interval;
    difference.unpaired = {
        b.value - a.value - std::hypot(b.value - b.interval.low, a.interval.high - a.value),
        b.value - a.value + std::hypot(b.interval.high - b.value, a.value - a.interval.low)};
    point.differences.push_back(difference);
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
      points.points.push_back(compared(first, summaries[from], trials(i), summaries[i]));
    }
  }
  return points;
}

}  // namespace tilestrike::campaigns

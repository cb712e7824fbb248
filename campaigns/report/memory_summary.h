// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What particles that strike memories come to: per structure AVF, rates in FIT with intervals and
// the provenance of every input, and what of it is enumerated (docs/memory_strikes.md).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/provenance.h"
#include "campaigns/plan/memory_population.h"
#include "campaigns/report/accumulated.h"
#include "campaigns/report/bands.h"
#include "campaigns/statistics/rates.h"
#include "campaigns/statistics/statistics.h"

namespace tilestrike::campaigns {

class Report;
struct ReportTable;

/// One trial as this summary sees it.
struct StrikeSeen {
  std::string structure, radiation, stratum;
  std::optional<bool> stored;  // what the struck cell held; nothing where that does not count
  bool is_activated = false;
  RateArray<bool> is;
  bool is_false_due = false;  // a due that is masked or corrected without the stop
  bool is_wrong_on = false;   // wrong, or would be if a detected error did not stop it
  double later_wrong = 0.0;   // share of later inferences; 0 where none reads the cells
  double later_due = 0.0;
};

/// Trials by what the struck cell held: 0, 1, or what does not count.
using ByStored = std::array<std::int64_t, 3>;
/// Relative rates of the strikes on such cells.
using StoredFactors = std::array<double, 3>;

/// Counts of one group's trials.
struct StrikeTally {
  std::int64_t n = 0;
  ByStored struck{}, activated{};
  RateArray<ByStored> hits;
  ByStored false_due{}, wrong_on{}, wrong_events{}, due_events{};
  Shares wrong;  // wrong inferences, with the cell's factor, over the most of the structure
};

/// Rates of one structure, of one kind of radiation, or of all.
struct StrikeRates {
  std::string name;
  std::uint64_t cells = 0;
  std::int64_t trials = 0;
  sim::EventRates fit;  // strikes in 1e9 hours on cells that hold 0 and 1 equally often
  /// Strikes on what the cells do hold, over that: 1 where it does not count.
  Estimate stored{1.0, {1.0, 1.0}};
  std::array<bool, 3> is_known{true, true, true};  // neutron, alpha, thermal: else 0 for want of it
  Estimate activated;
  RateArray<Estimate> avf;  // P(outcome | one strike): shares of strikes()
  Estimate false_due;
  Estimate false_of_due;  // of the detected errors, those without which the answer would be right
  Estimate wrong_on;      // wrong answers if detected errors stopped nothing
  Estimate wrong_event;   // at least one wrong inference, later ones included
  Estimate due_event;
  Estimate wrong_inferences;  // mean number of one strike
  /// What reading codewords while they are upset comes to at most, in FIT, enumerated.
  std::optional<MemoryPopulation::Enumerated> enumerated;

  /// Strikes in 1e9 hours, on what the cells hold.
  double strikes() const { return fit.total() * stored.value; }
  /// Of a rate of one strike, per 1e9 hours.
  Estimate in_fit(const Estimate& rate) const { return rate.times(strikes()); }
};

/// An input of the rates and where it comes from.
struct StrikeInput {
  std::string name, unit;
  Sourced value;
};

/// Where strikes count by what the struck cell holds.
struct StoredValues {
  StoredFactors factors{};
};

struct StrikeSummary {
  bool is_stratified = false;
  AfterDetection after_detection = AfterDetection::kStops;
  double confidence = 0.95;
  std::string node;
  double altitude = 0.0;
  double fit_low = 0.0, fit_high = 0.0;  // band of all strikes, by that of the node's neutron rate
  double later_inferences = 0.0;         // mean number that a strike on resident weights lasts
  double period_seconds = 0.0;           // of an inference
  std::vector<StrikeRates> structures;
  std::vector<StrikeRates> radiations;
  StrikeRates all;
  std::optional<StoredValues> stored_values;
  std::vector<AccumulatedRates> accumulated;  // of several strikes in one codeword
  std::vector<StructureBands> bands;          // of the structures
  /// "scratchpad neutron reach 3": structures, radiations and reaches of which something can be
  /// silent, or detected.
  std::set<std::string> silent_classes, due_classes;
  std::vector<StrikeInput> inputs;
  std::vector<std::string> not_modelled;
  std::vector<std::string> warnings;  // outcomes that a stratum cannot have
};

class StrikeTallies {
 public:
  /// `later_inferences`: that a strike on contents that stay lasts on average.
  StrikeTallies(const MemoryPopulation& population, double later_inferences,
                AfterDetection after_detection);

  void add(const StrikeSeen& seen);
  /// Over all strikes.
  Estimate rate_of(Rate rate, double confidence) const;
  StrikeSummary summary(double confidence) const;

 private:
  template <class IsMeant>
  StrikeRates rates_of(const IsMeant& is_meant, double confidence) const;
  template <class IsMeant, class ChanceOf, class HitsOf>
  Estimate estimate(const IsMeant& is_meant, const ChanceOf& chance_of, const HitsOf& hits,
                    double confidence) const;
  template <class IsMeant>
  Estimate estimate_of(Rate rate, const IsMeant& is_meant, double confidence) const;
  double most_factor() const;
  double lasting(const Structure& structure) const;
  template <class IsMeant>
  Estimate stored_of(const IsMeant& is_meant, double confidence) const;
  template <class IsMeant>
  Estimate false_of_due(const IsMeant& is_meant, double confidence) const;
  template <class IsMeant>
  Estimate wrong_inferences(const IsMeant& is_meant, double confidence) const;
  const StrikeTally& tally_of(const StrikeGroup& group) const;

  const MemoryPopulation* population_;
  double later_inferences_;
  AfterDetection after_detection_;
  StoredFactors factors_{1.0, 1.0, 1.0};
  std::map<std::string, StrikeTally> tallies_;  // by StrikeGroup::key()
};

inline constexpr const char* kLatchWindows =
    "latch windows of flip-flops: every upset is taken over (what follows a flip-flop may miss it)";
/// What particles might strike and these do not: other parts, radiations without a rate.
std::vector<std::string> not_modelled_of(const MemoryPopulation& population);

/// Mean number of later inferences until resident weights are loaded again; 0 where none stay.
double later_inferences(const Scenario& scenario, Cycle cycles);

Report report_of(const StrikeSummary& summary);
/// "inputs:" and a line for each.
void add_inputs(const std::vector<StrikeInput>& inputs, Report& report);

/// A line for each point of a sweep: strikes, silent errors and detected ones in FIT.
struct PointRates {
  std::string label;
  const StrikeSummary* summary = nullptr;
};
ReportTable points_table(const std::vector<PointRates>& points);

}  // namespace tilestrike::campaigns

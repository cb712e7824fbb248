// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What particles that strike memories come to: per structure AVF, rates in FIT with intervals and
// the provenance of every input, and what of it is enumerated (docs/memory_strikes.md).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/provenance.h"
#include "campaigns/memory_population.h"
#include "campaigns/rates.h"
#include "campaigns/statistics.h"

namespace tilestrike::campaigns {

/// A share of n trials, or the mean share over n lasting faults.
struct Rate {
  double value = 0.0;
  Interval interval;
  std::int64_t n = 0;
  /// More trials change nothing: it cannot happen, or only what is enumerated bounds it.
  bool is_settled = false;
};

/// One trial as this summary sees it.
struct StrikeSeen {
  std::string structure, radiation, stratum;
  bool is_activated = false;
  std::array<bool, kRates> is{};  // in the order of rate_names()
  bool is_false_due = false;      // a due that is masked or corrected without the stop
  bool is_wrong_on = false;       // wrong, or would be if a detected error did not stop it
  double later_wrong = 0.0;       // share of later inferences; 0 where none reads the cells
  double later_due = 0.0;
};

/// Counts of one group's trials.
struct StrikeTally {
  std::int64_t n = 0, activated = 0;
  std::array<std::int64_t, kRates> hits{};
  std::int64_t false_due = 0, wrong_on = 0, wrong_events = 0, due_events = 0;
  Shares wrong;  // wrong inferences over the most that a strike can cause
};

/// Rates of one structure, of one kind of radiation, or of all.
struct StrikeRates {
  std::string name;
  std::uint64_t cells = 0;
  std::int64_t trials = 0;
  sim::EventRates fit;  // strikes in 1e9 hours
  Rate activated;
  std::array<Rate, kRates> avf;  // P(outcome | one strike)
  Rate false_due;
  Rate wrong_on;     // wrong answers if detected errors stopped nothing
  Rate wrong_event;  // at least one wrong inference, later ones included
  Rate due_event;
  Rate wrong_inferences;  // mean number of one strike
  /// What reading codewords while they are upset comes to at most, in FIT, enumerated.
  std::optional<MemoryPopulation::Enumerated> enumerated;

  /// Of a rate of one strike, per 1e9 hours.
  Rate in_fit(const Rate& rate) const;
};

/// An input of the rates and where it comes from.
struct StrikeInput {
  std::string name, unit;
  Sourced value;
};

struct StrikeSummary {
  bool is_stratified = false;
  double confidence = 0.95;
  std::string node;
  double altitude = 0.0;
  double fit_low = 0.0, fit_high = 0.0;  // band of all strikes, by that of the node's neutron rate
  double later_inferences = 0.0;         // mean number that a strike on resident weights lasts
  double period_seconds = 0.0;           // of an inference
  std::vector<StrikeRates> structures;
  std::vector<StrikeRates> radiations;
  StrikeRates all;
  std::vector<StrikeInput> inputs;
  std::vector<std::string> not_modelled;
  std::vector<std::string> warnings;  // outcomes that a stratum cannot have
};

class StrikeTallies {
 public:
  StrikeTallies(const MemoryPopulation& population, double later_inferences)
      : population_(&population), later_inferences_(later_inferences) {}

  void add(const StrikeSeen& seen);
  /// By the name of the outcome.
  Rate rate_of(const std::string& name, double confidence) const;
  StrikeSummary summary(double confidence) const;

 private:
  template <class IsMeant>
  StrikeRates rates_of(const IsMeant& is_meant, double confidence) const;
  template <class IsMeant, class ChanceOf, class HitsOf>
  Rate estimate(const IsMeant& is_meant, const ChanceOf& chance_of, const HitsOf& hits,
                double confidence) const;
  template <class IsMeant>
  Rate wrong_inferences(const IsMeant& is_meant, double confidence) const;
  const StrikeTally& tally_of(const StrikeGroup& group) const;

  const MemoryPopulation* population_;
  double later_inferences_;
  std::map<std::string, StrikeTally> tallies_;  // by StrikeGroup::key()
};

/// Mean number of later inferences until resident weights are loaded again; 0 where none stay.
double later_inferences(const Scenario& scenario, Cycle cycles);

std::string text_of(const StrikeSummary& summary);
nlohmann::ordered_json json_of(const StrikeSummary& summary);

/// A line for each point of a sweep: strikes, silent errors and detected ones in FIT.
struct PointRates {
  std::string label;
  const StrikeSummary* summary = nullptr;
};
std::string points_text(const std::vector<PointRates>& points);
nlohmann::ordered_json points_json(const std::vector<PointRates>& points);

}  // namespace tilestrike::campaigns

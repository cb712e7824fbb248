// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What particles that strike memories come to: per structure AVF, rates in FIT with intervals and
// the provenance of every input, and what of it is enumerated (docs/memory_strikes.md).
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "campaigns/plan/strike_inputs.h"
#include "campaigns/report/accumulated.h"
#include "campaigns/report/bands.h"
#include "campaigns/tally/strike_estimator.h"

namespace tilestrike::campaigns {

class Report;
struct ReportTable;

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

/// All that follows from the trials and the population alone; what needs the scenario's clock is
/// left to summarise().
StrikeSummary strike_summary(const StrikeTally& tally, double confidence);

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

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a campaign found: rates with intervals, sample sizes and populations, per register kind and
// per layer. Never a bare percentage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/words/study_facts.h"
#include "campaigns/plan/coverage.h"
#include "campaigns/plan/sampling.h"
#include "campaigns/report/strike_summary.h"
#include "campaigns/results/audit.h"
#include "campaigns/results/results.h"
#include "campaigns/tally/estimator.h"

namespace tilestrike::campaigns {

struct SummaryFacts {
  std::string label;
  const Scenario* scenario = nullptr;
  const Plan* plan = nullptr;
  const bridge::StudyFacts* study = nullptr;
};

struct Summary {
  std::string label;
  std::string title;       // model, accelerator, strike
  std::string population;  // what trials are drawn from, and how
  std::string unit;        // trial, or fault
  double confidence = 0.95;
  bool is_census = false;
  std::int64_t planned = 0;
  std::int64_t counted = 0;        // trials 0 .. counted - 1, which are all done
  std::int64_t kept = 0;           // done beyond those
  std::int64_t activated = 0;      // of the counted ones
  std::vector<std::string> unmet;  // rates that are less precise than `until` asks, at the end
  std::int64_t images = 0;
  bridge::JudgeConfig judge;
  bridge::Metric metric;               // without a name: no labels
  std::optional<double> golden_score;  // of the golden run
  /// The same, each image counted as often as it is struck: by its cycles, where images last
  /// differently long.
  std::optional<double> golden_score_struck;
  std::int64_t answer_numbers = 0;  // of an image
  /// Of all trials; n = 0: no labels, or each trial is one particle.
  ScoreEstimate score;
  Estimate differing;  // the share of an answer's parts that differ; n = 0: it has none
  std::string device;
  double weight = 1.0;           // P(at least one fault), which rates over all trials contain
  double expected_faults = 0.0;  // before a trial is conditioned on at least one
  double mean_faults = 0.0;      // of the counted trials
  bool is_of_events = false;     // what is expected is events, not faults
  bool are_chips = false;        // trial k is one chip at every point of a sweep
  // Of a strike on tensors:
  std::optional<double> per_parameter;  // expected faults over the words that may be struck
  bool is_list = false;                 // these are counted, over the words of the named tensors
  std::optional<TensorCoverage> coverage;
  std::vector<Stratum> strata;  // that the trials are shared between; empty: they are not
  double device_fit = 0.0;      // of DRAM: failures in 1e9 hours that the trials stand for; 0: none
  std::optional<StrikeSummary> strikes;  // of particles, each trial one event
  Group all;
  Headings headings;                  // of its parts and layers
  std::vector<Group> registers;       // its parts; none where a trial strikes several of them
  std::vector<Group> layers;          // by the first layer struck
  std::optional<AuditSummary> audit;  // where trials are audited
  std::vector<StrikeInput> inputs;    // of trials that are no single particles
  std::vector<std::string> not_modelled;
  std::vector<std::string> warnings;
};

/// How the plan's trials are counted, before the first of them.
Tally empty_tally(const SummaryFacts& facts);

/// Of all trials that are done: those that `tally` has not counted yet are added to it.
Summary summarise(const Results& results, std::int64_t scenario, const SummaryFacts& facts,
                  Tally tally);
inline Summary summarise(const Results& results, std::int64_t scenario, const SummaryFacts& facts) {
  return summarise(results, scenario, facts, empty_tally(facts));
}

/// A rate over the trials that are counted until now.
Estimate rate_of(const Tally& tally, const SummaryFacts& facts, Rate rate);

Report report_of(const Summary& summary);
Report report_of(const AuditSummary& audit);
Report report_of(const TensorCoverage& coverage);

/// The points of a sweep of particles: a table at its end, without rows where there is nothing to
/// compare.
ReportTable points_table(const std::vector<Summary>& summaries);

}  // namespace tilestrike::campaigns

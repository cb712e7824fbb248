// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A campaign whose truth is known, repeated with other seeds: how often do its intervals hold?
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge/study/study.h"
#include "campaigns/report/summary.h"
#include "campaigns/results/results.h"
#include "campaigns/statistics/statistics.h"
#include "tests/coverage/remembering_study.h"

namespace tilestrike::coverage {

/// A rate that a summary gives with an interval.
struct NamedRate {
  std::string name;
  std::function<campaigns::Estimate(const campaigns::Summary&)> of;
};

/// Another interval for the mean of a rate over trials, from the rows of a campaign.
struct OtherInterval {
  std::string name;  // "Student's t"
  campaigns::Rate rate = campaigns::Rate::kSdc;
  std::function<campaigns::Interval(const campaigns::Shares&, double confidence)> of;
};

/// How large one campaign is.
struct CampaignSize {
  std::string name;      // "30", "until 20 %"
  std::string sampling;  // YAML: trials, and until
  std::string rate;      // the one that `until` asks for; empty: all of the case
  bool is_in_test = true;
};

struct CoverageCase {
  std::string name;
  std::string scenario;        // YAML without trials, seed and until
  std::string truth;           // YAML: trials of the campaign that gives the truth
  std::string truth_scenario;  // empty: the same scenario
  std::vector<CampaignSize> sizes;
  /// The rates to look at, given the campaign that gives the truth.
  std::function<std::vector<NamedRate>(const campaigns::Summary&)> rates;
  std::vector<OtherInterval> others;
};

/// How often the intervals of one rate held.
struct Coverage {
  std::string case_name, size, rate;
  std::string interval;  // empty: the one of the summary
  double truth = 0.0;
  double truth_half_width = 0.0;  // of its own interval; 0: a census
  double mean_trials = 0.0;       // of a campaign
  std::int64_t campaigns = 0;     // that have a trial of it
  std::int64_t below = 0;         // the whole interval lies below the truth
  std::int64_t above = 0;
  double mean_half_width = 0.0;
  double mean_estimate = 0.0;

  double share() const {
    return 1.0 - static_cast<double>(below + above) / static_cast<double>(campaigns);
  }
};

/// What the issue of coverage asks for.
inline constexpr double kLeastCoverage = 0.93;

class RepeatedCampaigns {
 public:
  /// Runs the campaign that gives the truth, in an existing folder.
  RepeatedCampaigns(CoverageCase repeated, std::string folder);

  /// Seeds 1 to `campaigns`. Rates in the order of the case, then other intervals.
  std::vector<Coverage> run(const CampaignSize& size, std::int64_t campaigns);

  const campaigns::Summary& truth() const { return truth_; }
  const Recollection& recollection() const { return *known_; }

 private:
  using Visit = std::function<void(const campaigns::Summary&, const campaigns::Results&,
                                   std::int64_t scenario)>;
  void run_campaigns(const std::string& text, const Visit& visit);

  CoverageCase case_;
  std::string folder_;
  std::shared_ptr<Recollection> known_;
  campaigns::Summary truth_;
  std::vector<NamedRate> rates_;
  std::vector<double> truths_of_others_;
};

}  // namespace tilestrike::coverage

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/coverage/repeated_campaigns.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/yaml.h"
#include "campaigns/run/runner.h"
#include "campaigns/scenario/campaign.h"

namespace tilestrike::coverage {
namespace {

using campaigns::Estimate;
using campaigns::Interval;
using campaigns::Results;
using campaigns::Shares;
using campaigns::Summary;

constexpr std::int64_t kCampaignsInFile = 50;

/// The shares of one rate over the trials of a scenario.
Shares shares_of(const Results& results, std::int64_t scenario, campaigns::Rate rate) {
  Shares shares;
  using campaigns::TrialRecord;
  const campaigns::Fields fields(&TrialRecord::images_of, &TrialRecord::images);
  results.each_trial(scenario, fields, [&](const TrialRecord& trial) {
    shares.add(static_cast<double>(trial.images_of[rate]) / static_cast<double>(trial.images));
    return true;
  });
  return shares;
}

/// A campaign without a trial of the rate gives none.
void count(double estimate, std::int64_t n, const Interval& interval, Coverage& coverage) {
  if (n == 0) {
    return;
  }
  // Of numbers that differ by the order in which they were added up, neither is wrong.
  const double rounding = 1e-12 * coverage.truth;
  ++coverage.campaigns;
  coverage.below += interval.high < coverage.truth - rounding ? 1 : 0;
  coverage.above += interval.low > coverage.truth + rounding ? 1 : 0;
  coverage.mean_half_width += interval.half_width();
  coverage.mean_estimate += estimate;
}

}  // namespace

RepeatedCampaigns::RepeatedCampaigns(CoverageCase repeated, std::string folder)
    : case_(std::move(repeated)), folder_(std::move(folder)) {
  const std::string& scenario =
      case_.truth_scenario.empty() ? case_.scenario : case_.truth_scenario;
  run_campaigns(scenario + case_.truth,
                [&](const Summary& summary, const Results& results, std::int64_t number) {
                  truth_ = summary;
                  for (const OtherInterval& other : case_.others) {
                    truths_of_others_.push_back(shares_of(results, number, other.rate).mean());
                  }
                });
  TS_CHECK(truth_.counted == truth_.planned, "a campaign that came to its end");
  rates_ = case_.rates(truth_);
}

void RepeatedCampaigns::run_campaigns(const std::string& text, const Visit& visit) {
  const std::string path = folder_ + "/campaigns.sqlite";
  const auto remove = [&] {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(path + suffix);
    }
  };
  remove();
  const campaigns::Campaign campaign =
      campaigns::read_campaign(parse_yaml(text, case_.name), sim::builtin_engines());
  auto results = Results::for_campaign(path, campaign);
  campaigns::Surroundings surroundings;
  surroundings.engines = sim::builtin_engines();
  surroundings.open_study = [&](const bridge::StudyInputs& inputs) {
    if (known_ == nullptr) {
      known_ = std::make_shared<Recollection>(bridge::Study::open(inputs));
    }
    return std::make_unique<RememberingStudy>(known_);
  };
  const campaigns::RunReport report = run_campaign(campaign, *results, surroundings);
  for (std::size_t i = 0; i < report.summaries.size(); ++i) {
    visit(report.summaries[i], *results, static_cast<std::int64_t>(i));
  }
  results.reset();
  remove();
}

std::vector<Coverage> RepeatedCampaigns::run(const CampaignSize& size, std::int64_t campaigns) {
  std::vector<NamedRate> rates = rates_;
  std::vector<OtherInterval> others = case_.others;
  if (!size.rate.empty()) {
    std::erase_if(rates, [&](const NamedRate& rate) { return rate.name != size.rate; });
    others.clear();
  }
  std::vector<Coverage> all;
  Coverage empty;
  empty.case_name = case_.name;
  empty.size = size.name;
  for (const NamedRate& rate : rates) {
    const Estimate truth = rate.of(truth_);
    Coverage& coverage = all.emplace_back(empty);
    coverage.rate = rate.name;
    coverage.truth = truth.value;
    coverage.truth_half_width = truth.interval.half_width();
  }
  for (std::size_t i = 0; i < others.size(); ++i) {
    Coverage& coverage = all.emplace_back(empty);
    coverage.rate = name_of(others[i].rate);
    coverage.interval = others[i].name;
    coverage.truth = truths_of_others_[i];
  }
  for (std::int64_t seed = 1; seed <= campaigns;) {
    std::string seeds;
    const std::int64_t end = std::min(seed + kCampaignsInFile, campaigns + 1);
    for (; seed < end; ++seed) {
      seeds += (seeds.empty() ? "" : ", ") + std::to_string(seed);
    }
    run_campaigns(case_.scenario + size.sampling + "\nsweep: {seed: [" + seeds + "]}\n",
                  [&](const Summary& summary, const Results& results, std::int64_t number) {
                    auto coverage = all.begin();
                    for (const NamedRate& rate : rates) {
                      coverage->mean_trials += static_cast<double>(summary.counted);
                      const Estimate found = rate.of(summary);
                      count(found.value, found.n, found.interval, *coverage++);
                    }
                    for (const OtherInterval& other : others) {
                      const Shares shares = shares_of(results, number, other.rate);
                      coverage->mean_trials += static_cast<double>(summary.counted);
                      count(shares.mean(), shares.n(), other.of(shares, summary.confidence),
                            *coverage++);
                    }
                  });
  }
  for (Coverage& coverage : all) {
    coverage.mean_trials /= static_cast<double>(campaigns);
    const auto counted = static_cast<double>(std::max<std::int64_t>(1, coverage.campaigns));
    coverage.mean_half_width /= counted;
    coverage.mean_estimate /= counted;
  }
  return all;
}

}  // namespace tilestrike::coverage

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/run/strike_trial.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "campaigns/results/judged.h"

namespace tilestrike::campaigns {
namespace {

/// Of a trial that strikes nothing.
bridge::TrialResult nothing_struck(bridge::Study& study, ImageId image) {
  const std::vector<float> golden = study.golden_answer(image);
  bridge::TrialResult result;
  result.judgement.golden_class = result.judgement.faulty_class =
      static_cast<int>(std::max_element(golden.begin(), golden.end()) - golden.begin());
  return result;
}

/// On each image that the trial is judged on.
std::vector<bridge::TrialResult> nothing_struck_on(bridge::Study& study, const DrawnTrial& drawn) {
  std::vector<bridge::TrialResult> results;
  const std::int64_t first = drawn.image ? drawn.image->value : 0;
  const std::int64_t end = drawn.image ? first + 1 : study.facts().images;
  for (ImageId image(first); image.value < end; ++image.value) {
    results.push_back(nothing_struck(study, image));
    results.back().masked_at = drawn.masked_at();
  }
  return results;
}

}  // namespace

std::vector<TrialRecord> strike_and_judge(bridge::Study& study, const Plan& plan,
                                          std::int64_t scenario, std::vector<DrawnTrial> drawn,
                                          const std::string& engine, const Watch& watch) {
  std::vector<bridge::StrikeJob> jobs;  // of those that strike anything
  std::vector<bool> strikes;
  for (DrawnTrial& trial : drawn) {
    bridge::StrikeJob job = std::move(trial).job();
    job.watched = watch.image;
    strikes.push_back(!job.strike.is_empty());
    if (strikes.back()) {
      jobs.push_back(std::move(job));
    }
  }
  std::vector<bridge::JobResult> results = study.strike(jobs, watch.observer);
  std::vector<TrialRecord> records;
  std::size_t done = 0;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    bridge::JobResult result;
    if (!strikes[i]) {
      result.images = nothing_struck_on(study, drawn[i]);
    } else if (done < results.size()) {
      result = std::move(results[done++]);
    } else {
      break;
    }
    Judged judged;
    if (const auto cell = plan.population().weighing_cell(drawn[i])) {
      judged.stored = study.stored(*drawn[i].image, cell->memory, cell->bit, cell->when.from);
    }
    std::vector<OutcomeRecord> outcomes;
    ImageId image = drawn[i].image.value_or(ImageId(0));
    for (bridge::TrialResult& each : result.images) {
      if (!drawn[i].image && plan.keeps_outcomes() && each.judgement.outcome != Outcome::kMasked) {
        outcomes.push_back(outcome_record(scenario, drawn[i].trial, image, each));
      }
      judged.add(std::move(each), study.facts().label(image));
      ++image.value;
    }
    judged.later = std::move(result.later);
    records.push_back(record_of(scenario, drawn[i], study.facts(), plan, judged, engine));
    records.back().outcomes = std::move(outcomes);
  }
  return records;
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/run/strike_trial.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "campaigns/results/judged.h"

namespace tilestrike::campaigns {
namespace {

std::optional<double> golden_score(const bridge::StudyFacts& facts, std::optional<ImageId> image) {
  if (!image) {
    return facts.golden.score;
  }
  return facts.golden_scores.empty() ? std::nullopt
                                     : facts.golden_scores[static_cast<std::size_t>(image->value)];
}

/// What comes of a trial that strikes nothing.
bridge::JobResult nothing_struck(const bridge::StudyFacts& facts, const DrawnTrial& drawn) {
  bridge::JobResult result;
  const std::int64_t first = drawn.image ? drawn.image->value : 0;
  const std::int64_t end = drawn.image ? first + 1 : facts.images;
  for (ImageId image(first); image.value < end; ++image.value) {
    bridge::TrialResult& each = result.images.emplace_back();
    each.judgement.golden_class = each.judgement.faulty_class = facts.golden_class(image);
    each.judgement.share_differing = facts.has_parts ? 0.0 : -1.0;
    each.masked_at = drawn.masked_at();
    each.score = golden_score(facts, image);
  }
  result.score = golden_score(facts, drawn.image);
  return result;
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
      result = nothing_struck(study.facts(), drawn[i]);
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
        outcomes.push_back(outcome_record(scenario, drawn[i].trial, image, each,
                                          golden_score(study.facts(), image)));
      }
      judged.add(std::move(each), study.facts().label(image));
      ++image.value;
    }
    judged.score = result.score;
    judged.golden_score = golden_score(study.facts(), drawn[i].image);
    judged.later = std::move(result.later);
    records.push_back(record_of(scenario, drawn[i], study.facts(), plan, judged, engine));
    records.back().outcomes = std::move(outcomes);
  }
  return records;
}

}  // namespace tilestrike::campaigns

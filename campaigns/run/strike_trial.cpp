// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/run/strike_trial.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "campaigns/results/judged.h"

namespace tilestrike::campaigns {
namespace {

/// Of a trial whose random values are the ones that the bits have.
bridge::TrialResult nothing_struck(bridge::Study& study, ImageId image) {
  const std::vector<float> golden = study.golden_logits(image);
  bridge::TrialResult result;
  result.masked_at = MaskedAt::kUnchanged;
  result.judgement.golden_class = result.judgement.faulty_class =
      static_cast<int>(std::max_element(golden.begin(), golden.end()) - golden.begin());
  return result;
}

/// What the cell that a particle struck held just then.
bool stored_of(const DrawnTrial& drawn, bridge::Study& study, const Plan& plan) {
  const std::size_t memory = *plan.memories()->structures()[drawn.strike->structure].memory;
  const sim::ArrayGeometry geometry(study.memories()[memory].config.array());
  return study.stored(*drawn.image, memory, geometry.bit_at(drawn.strike->struck),
                      drawn.strike->cycle);
}

}  // namespace

std::optional<TrialRecord> strike_and_judge(bridge::Study& study, const Plan& plan,
                                            std::int64_t scenario, TrialId trial,
                                            const std::string& engine,
                                            const std::function<bool()>& is_interrupted,
                                            const Watch& watch) {
  const DrawnTrial drawn = plan.draw(trial);
  std::vector<Row> outcomes;
  Judged judged;
  const auto add = [&](ImageId image, bridge::TrialResult result) {
    if (!drawn.image && plan.keeps_outcomes() && result.judgement.outcome != Outcome::kMasked) {
      outcomes.push_back(outcome_row(scenario, trial, image, result));
    }
    judged.add(std::move(result), study.label(image));
  };
  if (plan.tensors() != nullptr) {
    std::vector<bridge::TrialResult> results;
    std::vector<ImageId> images;
    for (ImageId image(0); image.value < study.images(); ++image.value) {
      if (!drawn.image || image == *drawn.image) {
        images.push_back(image);
      }
    }
    if (plan.strikes_constants()) {
      results = study.strike_constants(drawn.words.faults, watch.observer);
    } else {
      std::vector<bridge::WordStrike> strikes;
      for (const ImageId image : images) {
        strikes.push_back({image, drawn.words.faults});
      }
      results = study.strike_activations(strikes, watch.observer);
    }
    for (std::size_t i = 0; i < images.size(); ++i) {
      add(images[i], std::move(results[i]));
    }
  } else {
    const std::vector<RegisterFault> faults = drawn.acting();
    const std::vector<bridge::CellFault> cells = drawn.acting_cells();
    const auto result_on = [&](ImageId image) {
      const bool is_chosen = drawn.image.has_value() || image == watch.image;
      if (faults.empty() && cells.empty()) {
        bridge::TrialResult result = nothing_struck(study, image);
        if (drawn.strike && drawn.strike->failing > 0) {
          result.masked_at = MaskedAt::kEmpty;
        }
        return result;
      }
      if (!cells.empty()) {
        return study.strike_cells(image, {cells, drawn.scrub_phases},
                                  is_chosen ? watch.observer : nullptr);
      }
      return study.strike(image, faults, is_chosen ? watch.observer : nullptr);
    };
    if (is_in_memory(drawn) && plan.memories()->zero_to_one()) {
      judged.stored = stored_of(drawn, study, plan);
    }
    if (drawn.image) {
      add(*drawn.image, result_on(*drawn.image));
      if (judged.outlives) {
        judged.later = study.later_inferences({cells, drawn.scrub_phases});
      }
    }
    for (ImageId image(0); !drawn.image && image.value < study.images(); ++image.value) {
      if (is_interrupted && is_interrupted()) {
        return std::nullopt;
      }
      add(image, result_on(image));
    }
  }
  TrialRecord record = record_of(scenario, trial, drawn, study, plan, judged, engine);
  record.outcomes = std::move(outcomes);
  return record;
}

std::vector<TrialRecord> strike_and_judge_activations(bridge::Study& study, const Plan& plan,
                                                      std::int64_t scenario,
                                                      std::span<const TrialId> trials) {
  std::vector<DrawnTrial> drawn;
  std::vector<bridge::WordStrike> strikes;
  for (const TrialId trial : trials) {
    drawn.push_back(plan.draw(trial));
    strikes.push_back({*drawn.back().image, drawn.back().words.faults});
  }
  std::vector<bridge::TrialResult> results = study.strike_activations(strikes);
  std::vector<TrialRecord> records;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    Judged judged;
    judged.add(std::move(results[i]), study.label(*drawn[i].image));
    records.push_back(record_of(scenario, trials[i], drawn[i], study, plan, judged, ""));
  }
  return records;
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/trial_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "bridge/accelerator/core_arrays.h"

namespace tilestrike::campaigns {
namespace {

/// Visits what was drawn: words of tensors, cells of memories or registers of the mesh.
template <class Visitor>
auto visit_struck(const DrawnTrial& drawn, const Visitor& visitor) {
  if (!drawn.words.first.empty()) {
    return visitor(drawn.words);
  }
  const DrawnStrike* strike = drawn.in_memory();
  return strike != nullptr ? visitor(*strike) : visitor(drawn.faults);
}

/// Of a struck register of the mesh, or bit of a core.
FaultRecord record_at(const DrawnFault& fault, const bridge::StudyFacts& study) {
  return study.cores ? core_fault_record(fault, *study.cores) : fault_record(fault, study);
}
FaultRecord record_at(const DrawnCell& cell, const bridge::StudyFacts& study) {
  return fault_record(cell, study);
}
FaultRecord record_at(const DrawnBit& bit, const bridge::StudyFacts& study) {
  return fault_record(bit, study);
}

/// The first fault.
struct FirstFault {
  const DrawnTrial& drawn;
  const bridge::StudyFacts& study;

  FaultRecord operator()(const DrawnWords& words) const {
    return fault_record(words.first.front(), study);
  }
  /// A register, where a particle's trial has struck some; else the struck cell.
  FaultRecord operator()(const DrawnStrike& strike) const {
    return drawn.faults.empty() ? first_fault_record(strike, study) : (*this)(drawn.faults);
  }
  FaultRecord operator()(const std::vector<DrawnFault>& faults) const {
    TS_CHECK(!faults.empty(), "a trial that strikes nothing");
    return record_at(faults.front(), study);
  }
};

/// What is kept of one answer.
void set_answer(const bridge::TrialResult& result, AnswerRecord& record) {
  const bridge::Judgement& judgement = result.judgement;
  record.golden_class = known(judgement.golden_class);
  record.faulty_class = known(judgement.faulty_class);
  if (judgement.share_differing >= 0.0) {
    record.share_differing = judgement.share_differing;
  }
  record.first_differing = known(judgement.first_differing);
  if (result.changed_answer > 0) {
    record.changed_answer = result.changed_answer;
  }
  record.logits = result.logits;
  record.differences = text_of(result.differences);
  if (!result.answer_digest.empty()) {
    record.answer_digest = result.answer_digest;
  }
}

/// What came of it, on all images.
void set_outcome(const Judged& judged, TrialRecord& record) {
  const bridge::TrialResult& result = judged.first;
  record.activated = judged.activated > 0;
  record.masked_at = judged.outcome == Outcome::kMasked ? judged.masked_at : MaskedAt::kNowhere;
  record.outcome = judged.outcome;
  record.sdc_1 = judged.any[Rate::kSdc1];
  record.sdc_5 = judged.any[Rate::kSdc5];
  record.sdc_10 = judged.any[Rate::kSdc10];
  record.sdc_20 = judged.any[Rate::kSdc20];
  record.hung = judged.hung;
  record.layer = result.layer;
  record.changed_accumulators = result.changed_accumulators;
  record.changed_outputs = result.changed_outputs;
  record.changed_words = result.changed_words;
  record.relative_l2 = judged.relative_l2;
  record.passes_simulated = judged.passes_simulated;
  set_answer(result, record);
  record.score = judged.score;
  record.golden_score = judged.golden_score;
  record.share_differing = judged.share_differing();
  record.images = judged.images;
  record.images_activated = judged.activated;
  record.images_of = judged.images_of;
  record.images_correct = known(judged.correct);
  record.images_golden_correct = known(judged.golden_correct);
}

template <class Drawn>
void keep_first(const std::vector<Drawn>& drawn, const bridge::StudyFacts& study,
                TrialRecord& record) {
  for (std::size_t i = 0; i < std::min(drawn.size(), kMostFaultRecords); ++i) {
    FaultRecord& fault = record.faults_kept.emplace_back(record_at(drawn[i], study));
    static_cast<TrialKey&>(fault) = record;
    fault.number = static_cast<std::int64_t>(i);
  }
}

/// The part of what was struck, and its faults.
struct PartOfRecord {
  const bridge::StudyFacts& study;
  AfterDetection after_detection;
  const Judged& judged;
  const FaultRecord& first;
  TrialRecord& record;

  void operator()(const DrawnWords& words) const {
    keep(record.tensor, tensor_trial(first, judged), words.count, words.first);
  }
  void operator()(const DrawnStrike& strike) const {
    keep(record.memory, memory_trial(first, strike, judged, after_detection), strike.cells.size(),
         strike.cells);
    if (study.cores) {
      const FaultRecord place = core_place(strike, first);
      CoreTrial& core = record.core.emplace(core_trial(place, judged, after_detection));
      static_cast<TrialKey&>(core) = record;
    }
  }
  void operator()(const std::vector<DrawnFault>& faults) const {
    if (study.cores) {
      keep(record.core, core_trial(first, judged, after_detection), faults.size(), faults);
    } else {
      keep(record.mesh, mesh_trial(first, judged), faults.size(), faults);
    }
  }

 private:
  /// Where in its core a struck cell lies; of a check bit the word.
  FaultRecord core_place(const DrawnStrike& strike, const FaultRecord& first) const {
    if (!strike.memory) {
      return first;
    }
    const sim::CoreBlock& array = study.cores->sites.blocks()[*strike.memory];
    const sim::ArrayGeometry geometry(study.memories[*strike.memory].config.array());
    const bridge::CoreCell cell = bridge::core_cell(array, geometry.bit_at(strike.struck));
    const sim::CoreSite site = bridge::site_beside(array, cell);
    FaultRecord place = first;
    place.core = static_cast<std::int64_t>(cell.core);
    place.word = site.word;
    if (array.lanes > 1 && cell.bit < bridge::codeword_bits(array)) {
      place.lane = study.cores->sites.lane_of(site);
    }
    return place;
  }

  template <class Part, class Drawn>
  void keep(std::optional<Part>& part, Part trial, std::uint64_t faults,
            const std::vector<Drawn>& drawn) const {
    const TrialKey& key = record;
    static_cast<TrialKey&>(part.emplace(std::move(trial))) = key;
    record.faults = static_cast<std::int64_t>(faults);
    keep_first(drawn, study, record);
  }
};

}  // namespace

FaultRecord only_fault(const TrialRecord& record) {
  FaultRecord fault;
  static_cast<TrialKey&>(fault) = record;
  fault.structure = record.structure;
  fault.register_name = record.register_name;
  fault.bit = record.bit;
  fault.fault = record.fault;
  const auto place = [&](const auto& part) {
    fault.row = part.row;
    fault.column = part.column;
    fault.cycle = part.cycle;
    fault.until = part.until;
  };
  if (record.mesh) {
    place(*record.mesh);
    fault.position = record.mesh->position;
  } else if (record.memory) {
    place(*record.memory);
    fault.word = record.memory->word;
    fault.bank = record.memory->bank;
  } else if (record.core) {
    fault.core = record.core->core;
    fault.lane = record.core->lane;
    fault.word = record.core->word;
    fault.cycle = record.core->cycle;
    fault.until = record.core->until;
  } else if (record.tensor) {
    fault.word = record.tensor->word;
  }
  return fault;
}

bool says_its_fault(const TrialRecord& record) {
  return record.faults == 1 && record.faults_kept.size() == 1 &&
         record.faults_kept.front() == only_fault(record);
}

std::optional<std::string> text_of(const std::vector<bridge::AnswerDifference>& differences) {
  std::string text;
  for (const auto& [index, value] : differences) {
    text += fmt::format("{}{}:{:.9g}", text.empty() ? "" : " ", index, value);
  }
  return text.empty() ? std::nullopt : std::optional(text);
}

OutcomeRecord outcome_record(std::int64_t scenario, TrialId trial, ImageId image,
                             const bridge::TrialResult& result,
                             std::optional<double> golden_score) {
  const bridge::Judgement& judgement = result.judgement;
  const RateArray<bool> rates = rates_of(judgement);
  OutcomeRecord record;
  record.scenario = scenario;
  record.trial = static_cast<std::int64_t>(trial.value);
  record.image = image.value;
  record.outcome = judgement.outcome;
  record.sdc_1 = rates[Rate::kSdc1];
  record.sdc_5 = rates[Rate::kSdc5];
  record.sdc_10 = rates[Rate::kSdc10];
  record.sdc_20 = rates[Rate::kSdc20];
  record.layer = result.layer;
  record.changed_accumulators = result.changed_accumulators;
  record.changed_outputs = result.changed_outputs;
  set_answer(result, record);
  record.score = result.score;
  record.golden_score = golden_score;
  return record;
}

TrialRecord record_of(std::int64_t scenario, const DrawnTrial& drawn,
                      const bridge::StudyFacts& study, const Plan& plan, const Judged& judged,
                      const std::string& engine) {
  TrialRecord record;
  record.scenario = scenario;
  record.trial = static_cast<std::int64_t>(drawn.trial.value);
  const Population& population = plan.population();
  record.weight = population.weight_of(drawn, judged.stored);
  record.stratum = population.stratum_name(drawn);
  if (drawn.image) {
    record.image = drawn.image->value;
  }
  if (drawn.strike) {
    record.radiation = drawn.strike->radiation;
    record.events = drawn.strike->events;
  }
  const FaultRecord first = visit_struck(drawn, FirstFault{drawn, study});
  record.structure = first.structure;
  record.register_name = first.register_name;
  record.bit = first.bit;
  record.fault = first.fault;
  if (const std::string joint = population.joint_structure(); !joint.empty()) {
    record.register_name = first.structure;  // its place says in which of them it lies
    record.structure = joint;
  }
  if (drawn.strike && !drawn.strike->memory && study.cores) {
    record.structure = kFlipFlops;  // that a particle has struck, whatever they mean
  }
  record.engine = population.is_on_hardware() ? engine : "";
  set_outcome(judged, record);
  visit_struck(drawn, PartOfRecord{study, plan.after_detection(), judged, first, record});
  return record;
}

std::string structure_of(const DrawnTrial& drawn, const bridge::StudyFacts& study) {
  if (drawn.strike && !drawn.strike->memory && study.cores) {
    return kFlipFlops;
  }
  return first_fault_of(drawn, study).structure;
}

FaultRecord first_fault_of(const DrawnTrial& drawn, const bridge::StudyFacts& study) {
  return visit_struck(drawn, FirstFault{drawn, study});
}

std::vector<std::string> describe(const DrawnTrial& drawn, const bridge::StudyFacts& study) {
  std::vector<std::string> lines = describe_mesh(drawn, study);
  for (const auto& more : {describe_memories(drawn, study), describe_words(drawn.words, study)}) {
    lines.insert(lines.end(), more.begin(), more.end());
  }
  return lines;
}

}  // namespace tilestrike::campaigns

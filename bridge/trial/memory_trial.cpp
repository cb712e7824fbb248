// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/memory_trial.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/set_while.h"
#include "bridge/effects/mesh_effects.h"
#include "bridge/effects/splice.h"
#include "bridge/exposure/layer_reads.h"
#include "bridge/trial/judge.h"

namespace tilestrike::bridge {
namespace {

using Kind = Occupant::Kind;

const std::string kSystemC = "systemc";
const std::string kClosedForm = "closed_form";

/// Where two answers to one question part; empty: nowhere.
std::string first_difference(const MeshStrike& strike, const LayerEffect& one,
                             const LayerEffect& other) {
  for (std::size_t i = 0; i < strike.on_chip.size(); ++i) {
    const auto flags = [&](const LayerEffect& effect) {
      return fmt::format("corrected {}, detected {}", effect.found[i].corrected,
                         effect.found[i].detected);
    };
    if (flags(one) != flags(other)) {
      return fmt::format("codeword {} of memory {}: {}; {}", strike.on_chip[i].word->codeword.value,
                         strike.on_chip[i].word->memory, flags(one), flags(other));
    }
  }
  const auto [first, second] = std::ranges::mismatch(one.deltas, other.deltas);
  const auto text = [](auto at, const std::vector<AccumulatorDelta>& all) {
    return at == all.end() ? "no more differ"
                           : fmt::format("{} is off by {}", at->index, at->delta);
  };
  if (first != one.deltas.end() || second != other.deltas.end()) {
    return fmt::format("accumulators: {}; {}", text(first, one.deltas), text(second, other.deltas));
  }
  return one.is_felt == other.is_felt
             ? ""
             : fmt::format("a wrong value was read: {}; {}", one.is_felt, other.is_felt);
}

}  // namespace

struct MemoryTrial::Progress {
  Progress(const dnn::Network& network, const dnn::Tape& tape, Story* told)
      : golden(tape), story(told), run(network, tape) {}

  const dnn::Tape& golden;
  Story* story;
  dnn::Divergence run;
  StruckContents struck;
  TrialResult result;
  bool changed_output = false;
  at::Tensor answer;  // as it is read

  void tell(std::string_view line) {
    if (story != nullptr) {
      story->lines.emplace_back(line);
    }
  }
  void found(const Findings& findings, std::string_view where) {
    result.corrected_codewords += findings.corrected;
    result.detected_codewords += findings.detected;
    result.activated = result.activated || findings.corrected + findings.detected > 0;
    if (findings.corrected + findings.detected > 0) {
      tell(fmt::format("{}: {} codewords corrected, {} detected and not corrected", where,
                       findings.corrected, findings.detected));
    }
  }
};

MemoryTrial::MemoryTrial(const dnn::Network& network, Mapping& mapping, const std::string& engine,
                         JudgeKind judge)
    : network_(network),
      mapping_(mapping),
      residency_(mapping.schedule()),
      on_due_(mapping.accelerator().on_due),
      reader_(network, mapping, residency_),
      scrubbers_(residency_, reader_),
      contents_(network, mapping, residency_, reader_),
      engine_(engine),
      judge_(judge) {
  if (engine_ != kSystemC && engine_ != kClosedForm) {
    mesh_ = sim::make_engine(engine_);
  }
}

StruckPasses& MemoryTrial::platform() {
  if (platform_ == nullptr) {
    platform_ = std::make_unique<StruckPasses>(residency_, on_due_);
  }
  return *platform_;
}

// What is wrong in the backing memory is loaded wrong: whole operands, of which nothing changes on
// the chip.
LayerEffect MemoryTrial::effect_of(const MeshStrike& strike) {
  LayerEffect effect = engine_ == kClosedForm || strike.on_chip.empty()
                           ? effect_by_formula(residency_, reader_, on_due_, strike)
                           : platform().run(strike, mesh_.get());
  if (audit_ != nullptr) {
    compare_engines(strike, effect);
  }
  return effect;
}

std::vector<CellFault> MemoryTrial::left_for_later(const CellStrike& strike) {
  return scrubbers_.left_for_later(reader_.find(strike, [](std::string_view) {}));
}

TrialAudit MemoryTrial::audit(const dnn::Tape& golden, const CellStrike& strike) {
  TrialAudit audit;
  for (const std::string& name : sim::engine_names()) {
    if (name == engine_) {
      continue;
    }
    audit.engines.push_back(name);
    const bool is_known =
        std::ranges::any_of(others_, [&](const auto& other) { return other->name() == name; });
    if (name != kSystemC && name != kClosedForm && !is_known) {
      others_.push_back(sim::make_engine(name));
    }
  }
  const SetWhile auditing(audit_, &audit);
  run(golden, strike, nullptr);
  return audit;
}

void MemoryTrial::disagree(const std::string& engine, std::size_t layer, const std::string& how) {
  if (audit_->disagreement.empty()) {
    audit_->disagreement = fmt::format("{} and {} part in layer {}: {}", engine_, engine,
                                       network_.layers[layer].name, how);
  }
}

void MemoryTrial::compare_engines(const MeshStrike& strike, const LayerEffect& effect) {
  const std::size_t layer = strike.layer.layer;
  const auto differs = [&](const std::string& engine, const LayerEffect& other) {
    if (const std::string how = first_difference(strike, effect, other); !how.empty()) {
      disagree(engine, layer, how);
    }
  };
  if (engine_ != kClosedForm) {
    differs(kClosedForm, effect_by_formula(residency_, reader_, on_due_, strike));
  }
  // Each pass as the platform has read it, on the other meshes.
  const auto observe = [&](const sim::MeshJob& job, const std::vector<std::int32_t>& results) {
    for (const auto& other : others_) {
      const std::string name(other->name());
      if (!can_audit(*other, job)) {
        std::erase(audit_->engines, name);
        continue;
      }
      if (other->run(job).outputs.front() != results) {
        disagree(name, layer, "the same operands give other results of a pass");
      }
    }
  };
  const LayerEffect simulated = platform().run(strike, nullptr, observe);
  differs(engine_ == kSystemC ? "the platform" : kSystemC, simulated);
}

void MemoryTrial::run_on_mesh(MeshLayer& layer, const LayerRead& loaded, Progress& progress) {
  const bool reads_changed = progress.run.reads_changed(layer.layer);
  const at::Tensor& input = progress.run.value(layer.input).toTensor();
  const bool is_product = layer.weights.value >= 0;
  const at::Tensor right = is_product ? progress.run.value(layer.weights).toTensor() : at::Tensor();
  layer.set_operands(input, right);
  const at::Tensor clean = reads_changed ? layer.kernel->accumulate(input, right)
                                         : progress.golden.accumulators[layer.layer];
  const at::Tensor sums = on_host(clean).contiguous();
  const MeshStrike strike{
      layer,
      loaded,
      progress.struck.on_chip[layer.layer],
      {sums.const_data_ptr<std::int32_t>(), static_cast<std::size_t>(sums.numel())}};
  const LayerEffect effect = effect_of(strike);
  const std::string& name = network_.layers[layer.layer].name;
  if (effect.passes > 0) {
    progress.tell(fmt::format("layer {}: {} passes run on the platform", name, effect.passes));
  }
  for (std::size_t i = 0; i < effect.found.size(); ++i) {
    auto& [word, occupant, refetched] = progress.struck.on_chip[layer.layer][i];
    refetched = effect.found[i].refetched;
    if (occupant.kind == Kind::kSums) {
      progress.found(effect.found[i], fmt::format("accumulators of layer {} are read", name));
    } else {
      progress.found(effect.found[i], text_of_read(layer.layer, *word, effect.found[i]));
    }
  }
  progress.result.passes_simulated += effect.passes;
  progress.result.activated = progress.result.activated || effect.is_felt;
  if (effect.deltas.empty() && !reads_changed) {
    return;
  }
  const at::Tensor faulty = effect.deltas.empty() ? clean : spliced(clean, effect.deltas);
  const std::int64_t changed =
      dnn::count_different(faulty, progress.golden.accumulators[layer.layer]);
  const std::int64_t outputs = progress.run.set(layer.output, layer.kernel->requantise(faulty));
  progress.result.changed_accumulators += changed;
  progress.result.changed_outputs += outputs;
  progress.changed_output = progress.changed_output || outputs > 0;
  if (!effect.deltas.empty()) {
    progress.tell(fmt::format(
        "layer {}: {} accumulators of {} differ from golden; after requantisation {} outputs", name,
        changed, faulty.numel(), outputs));
  }
}

std::string MemoryTrial::text_of_read(std::size_t layer, const StruckWord& word,
                                      const Findings& findings) const {
  return fmt::format("layer {} reads codeword {} of {}{}", network_.layers[layer].name,
                     word.codeword.value, mapping_.accelerator().memory[word.memory].first,
                     findings.refetched.empty() ? "" : ", which is fetched again");
}

void MemoryTrial::run_vector(std::size_t layer, LayerRead found, Progress& progress) {
  const MemorySchedule& memory = residency_.memory();
  for (StruckContents::Content& content : progress.struck.on_chip[layer]) {
    const Findings findings = reader_.read_on_chip(layer, content, found);
    content.refetched = findings.refetched;
    progress.found(findings, text_of_read(layer, *content.word, findings));
  }
  std::vector<at::Tensor> read = found.operands;
  std::vector<bool> is_changed(read.size());
  for (const CopiedElement& copied : found.reads.elements()) {
    at::Tensor& operand = read[copied.operand];
    const auto size = static_cast<int>(operand.element_size());
    const ActivationBlock& block = memory.blocks()[static_cast<std::size_t>(copied.copy)];
    const Cycle cycle =
        memory.vector_read(block, memory.part(block, copied.operand), copied.element);
    const std::uint64_t before = raw_of(found.operands[copied.operand], copied.element);
    const std::uint64_t after = found.reads.value(copied, before, size, cycle);
    if (after == before) {
      continue;
    }
    if (!is_changed[copied.operand]) {
      is_changed[copied.operand] = true;
      operand = operand.clone();
    }
    for (int byte = 0; byte < size; ++byte) {
      static_cast<std::uint8_t*>(operand.mutable_data_ptr())[copied.element * size + byte] =
          static_cast<std::uint8_t>(after >> (8 * byte));
    }
    ++progress.result.changed_words;
  }
  std::vector<std::pair<dnn::ValueId, at::Tensor>> replaced;
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (is_changed[i]) {
      replaced.emplace_back(reader_.operands().value_of(layer, i), read[i]);
    }
  }
  progress.result.activated = progress.result.activated || !replaced.empty();
  if (!replaced.empty()) {
    const std::int64_t outputs = progress.run.run_reading(layer, replaced);
    progress.result.changed_outputs += outputs;
    progress.changed_output = progress.changed_output || outputs > 0;
    progress.tell(fmt::format("layer {} reads {} wrong words; {} of its outputs differ from golden",
                              network_.layers[layer].name, progress.result.changed_words, outputs));
  } else {
    progress.run.run(layer);
  }
}

void MemoryTrial::read_answer(Progress& progress) {
  progress.answer = on_host(progress.run.output()).clone();
  const NetworkWork& work = mapping_.work();
  const int tensor = work.tensor_of[static_cast<std::size_t>(network_.output.value)];
  const Cycle cycle = residency_.memory().answer_read();
  for (const StruckContents::Content& struck : progress.struck.backing) {
    if (tensor < 0 || struck.occupant.index != tensor) {
      continue;
    }
    const dnn::ValueId id = reader_.operands().value_of_tensor(tensor);
    TS_CHECK(id == network_.output, "an answer that is no view");
    const std::int64_t first = struck.occupant.offset;
    const std::int64_t last = residency_.last_byte(tensor, first);
    auto* bytes = static_cast<std::uint8_t*>(progress.answer.mutable_data_ptr());
    sim::BitString data;
    for (std::int64_t byte = first; byte <= last; ++byte) {
      data.set_field(static_cast<int>(8 * (byte - first)), 8, bytes[byte]);
    }
    CodewordInTime word = reader_.in_time(*struck.word);
    word.write(struck.occupant.written, data);
    const sim::CodewordRead read = word.read(cycle);
    Findings findings;
    findings.add(read.status);
    progress.found(findings, "the answer is read");
    const bool is_zero = read.status == sim::EccStatus::kDetected && on_due_ == OnDue::kZero;
    for (std::int64_t byte = first; byte <= last; ++byte) {
      const auto value = static_cast<std::uint8_t>(
          is_zero ? 0 : read.data.field(static_cast<int>(8 * (byte - first)), 8));
      progress.result.activated = progress.result.activated || value != bytes[byte];
      bytes[byte] = value;
    }
  }
}

void MemoryTrial::conclude(Progress& progress) {
  TrialResult& result = progress.result;
  const at::Tensor golden =
      on_host(progress.golden.values[static_cast<std::size_t>(network_.output.value)].toTensor());
  const auto floats = [](const at::Tensor& tensor) {
    return std::span<const float>(tensor.const_data_ptr<float>(),
                                  static_cast<std::size_t>(tensor.numel()));
  };
  result.judgement = judge(floats(golden), floats(progress.answer), false, judge_);
  Outcome& outcome = result.judgement.outcome;
  if (outcome != Outcome::kMasked) {
    result.logits.assign(floats(progress.answer).begin(), floats(progress.answer).end());
  } else if (result.corrected_codewords > 0 && result.detected_codewords == 0) {
    outcome = Outcome::kCorrected;
  }
  result.without_stop = outcome;
  if (result.detected_codewords > 0) {
    outcome = Outcome::kDue;
  }
  if (outcome == Outcome::kMasked) {
    const bool is_stuck = std::ranges::all_of(progress.struck.words, [](const StruckWord& word) {
      return std::ranges::all_of(
          word.faults, [](const CellFault& fault) { return fault.kind != FaultKind::kFlip; });
    });
    const bool holds_nothing = progress.struck.is_empty;
    result.masked_at = holds_nothing && !progress.struck.is_any_used ? MaskedAt::kEmpty
                       : holds_nothing                               ? MaskedAt::kDead
                       : progress.changed_output                     ? MaskedAt::kNetwork
                       : result.changed_accumulators > 0             ? MaskedAt::kRequantisation
                       : result.activated                            ? MaskedAt::kTile
                       : is_stuck                                    ? MaskedAt::kUnchanged
                       : progress.struck.are_only_sums               ? MaskedAt::kOverwritten
                                                                     : MaskedAt::kDead;
  }
  std::string line = fmt::format("outcome: {}", name_of(outcome));
  if (outcome == Outcome::kMasked) {
    line += fmt::format(", at {}", name_of(result.masked_at));
  } else if (outcome == Outcome::kDue) {
    line += fmt::format("; without the stop: {}", name_of(result.without_stop));
  }
  progress.tell(line);
}

void MemoryTrial::scrub(Progress& progress) {
  const Cycle end = residency_.schedule().cycles_per_inference();
  const auto met = [&](const StruckWord& word, const ScrubFindings& scrubbed) {
    Findings findings;
    findings.corrected = scrubbed.is_corrected ? 1 : 0;
    findings.detected = scrubbed.is_detected ? 1 : 0;
    progress.found(
        findings, fmt::format("the scrubber meets codeword {} of {} in cycle {}{}",
                              word.codeword.value, mapping_.accelerator().memory[word.memory].first,
                              scrubbed.at, scrubbed.at >= end ? ", after the inference" : ""));
  };
  scrubbers_.follow(progress.struck, progress.run, progress.golden, met);
}

TrialResult MemoryTrial::run(const dnn::Tape& golden, const CellStrike& strike, Story* story) {
  Progress progress(network_, golden, story);
  progress.struck = reader_.find(strike, [&](std::string_view line) { progress.tell(line); });
  progress.result.outlives = progress.struck.outlives;
  progress.result.layer = progress.struck.first_layer;
  const auto found = [&](const Findings& findings, std::string_view where) {
    progress.found(findings, where);
  };
  for (std::size_t layer = 0; layer < network_.layers.size(); ++layer) {
    if (reader_.reads_struck(progress.struck, layer)) {
      LayerRead loaded = reader_.load(layer, progress.struck, progress.run, progress.golden, found);
      if (MeshLayer* on_mesh = mapping_.mesh_layer(layer)) {
        run_on_mesh(*on_mesh, loaded, progress);
      } else {
        run_vector(layer, std::move(loaded), progress);
      }
    } else if (progress.run.reads_changed(layer)) {
      progress.run.run(layer);
    }
    if (layer >= progress.struck.last_layer && !progress.run.is_alive_after(layer)) {
      break;
    }
  }
  scrub(progress);
  read_answer(progress);
  conclude(progress);
  return std::move(progress.result);
}

}  // namespace tilestrike::bridge

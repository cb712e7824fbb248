// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/memory/memory_trial.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "bridge/judge.h"
#include "bridge/memory/layer_reads.h"
#include "bridge/memory/mesh_effects.h"
#include "bridge/memory/mesh_reads.h"
#include "bridge/splice.h"

namespace tilestrike::bridge {
namespace {

using Kind = Occupant::Kind;

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

MemoryTrial::MemoryTrial(const dnn::Network& network, Mapping& mapping)
    : network_(network),
      mapping_(mapping),
      residency_(mapping.schedule()),
      on_due_(mapping.accelerator().on_due),
      reader_(network, mapping, residency_),
      contents_(network, mapping, residency_, reader_) {}

void MemoryTrial::run_on_mesh(MeshLayer& layer, const LayerRead& read, Progress& progress) {
  const bool reads_changed = progress.run.reads_changed(layer.layer);
  const at::Tensor& input = progress.run.value(layer.input).toTensor();
  const bool is_product = layer.weights.value >= 0;
  const at::Tensor right = is_product ? progress.run.value(layer.weights).toTensor() : at::Tensor();
  layer.set_operands(input, right);
  MeshEffects effects(residency_, layer, read.reads);
  bool is_read_wrong = false;
  const std::vector<sim::OutputDelta> of_passes = effects.of_operands(is_read_wrong);
  progress.result.activated = progress.result.activated || is_read_wrong;
  const sim::Overflow overflow = mapping_.accelerator().mesh.overflow;
  std::vector<AccumulatorDelta> deltas = accumulator_deltas(layer, overflow, of_passes);
  const at::Tensor clean = reads_changed ? layer.kernel->accumulate(input, right)
                                         : progress.golden.accumulators[layer.layer];
  const at::Tensor sums = on_host(clean);
  for (const StruckContents::Content& struck : progress.struck.on_chip[layer.layer]) {
    if (struck.occupant.kind != Kind::kSums) {
      continue;
    }
    CodewordInTime word = reader_.in_time(*struck.word);
    const MeshEffects::Sums found = effects.of_sums(
        struck.occupant, word, of_passes,
        {sums.const_data_ptr<std::int32_t>(), static_cast<std::size_t>(sums.numel())}, on_due_,
        deltas);
    progress.found(found.findings, fmt::format("accumulators of layer {} are read",
                                               network_.layers[layer.layer].name));
    progress.result.activated = progress.result.activated || found.is_changed;
  }
  if (deltas.empty() && !reads_changed) {
    return;
  }
  const at::Tensor faulty = deltas.empty() ? clean : spliced(clean, deltas);
  const std::int64_t changed =
      dnn::count_different(faulty, progress.golden.accumulators[layer.layer]);
  const std::int64_t outputs = progress.run.set(layer.output, layer.kernel->requantise(faulty));
  progress.result.changed_accumulators += changed;
  progress.result.changed_outputs += outputs;
  progress.changed_output = progress.changed_output || outputs > 0;
  if (!deltas.empty()) {
    progress.tell(fmt::format(
        "layer {}: {} accumulators of {} differ from golden; after requantisation {} outputs",
        network_.layers[layer.layer].name, changed, faulty.numel(), outputs));
  }
}

void MemoryTrial::run_vector(std::size_t layer, const LayerRead& found, Progress& progress) {
  const MemorySchedule& memory = residency_.memory();
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
  result.judgement = judge(floats(golden), floats(progress.answer), false);
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

TrialResult MemoryTrial::run(const dnn::Tape& golden, std::span<const CellFault> faults,
                             Story* story) {
  Progress progress(network_, golden, story);
  progress.struck = reader_.find(faults, [&](std::string_view line) { progress.tell(line); });
  progress.result.outlives = progress.struck.outlives;
  progress.result.layer = progress.struck.first_layer;
  const auto found = [&](const Findings& findings, std::string_view where) {
    progress.found(findings, where);
  };
  for (std::size_t layer = 0; layer < network_.layers.size(); ++layer) {
    if (reader_.reads_struck(progress.struck, layer)) {
      const LayerRead read =
          reader_.read(layer, progress.struck, progress.run, progress.golden, found);
      if (MeshLayer* on_mesh = mapping_.mesh_layer(layer)) {
        run_on_mesh(*on_mesh, read, progress);
      } else {
        run_vector(layer, read, progress);
      }
    } else if (progress.run.reads_changed(layer)) {
      progress.run.run(layer);
    }
    if (layer >= progress.struck.last_layer && !progress.run.is_alive_after(layer)) {
      break;
    }
  }
  reader_.scrub(progress.struck, progress.run, progress.golden, found);
  read_answer(progress);
  conclude(progress);
  return std::move(progress.result);
}

}  // namespace tilestrike::bridge

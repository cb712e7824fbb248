// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/memory_trials.h"

#include <algorithm>

#include "base/error.h"
#include "bridge/effects/mesh_effects.h"
#include "bridge/exposure/layer_reads.h"

namespace tilestrike::bridge {

class MemoryPath final : public StrikePath {
 public:
  MemoryPath(MemoryTrials& trials, const CellStrike& strike) : trials_(trials), strike_(strike) {}

  void expose(TrialRun& run) override {
    struck_ = trials_.reader_.find(strike_, [&](std::string_view line) { run.tell("{}", line); });
    run.result.outlives = struck_.outlives;
    run.result.layer = struck_.first_layer;
  }

  bool touches(std::size_t layer, const TrialRun& /*run*/) override {
    return trials_.reader_.reads_struck(struck_, layer);
  }

  LayerChange at_mesh(const BoundLayer& layer, const CleanSums& clean, TrialRun& run) override;
  LayerChange at(std::size_t layer, TrialRun& run) override;
  bool is_over(std::size_t layer) const override { return layer >= struck_.last_layer; }

  void end(TrialRun& run) override {
    scrub(run);
    read_answer(run);
  }

  MaskedAt explain(const TrialRun& run) const override;

 private:
  LayerRead load(std::size_t layer, TrialRun& run) {
    return trials_.reader_.load(layer, struck_, run.values, run.golden,
                                [&](const Findings& findings, std::string_view where) {
                                  run.add(findings, [&] { return where; });
                                });
  }
  const std::string& name_of_memory(std::size_t memory) const {
    return trials_.mapping_.accelerator().memory[memory].first;
  }
  std::string text_of_read(std::size_t layer, const StruckWord& word, const Findings& findings,
                           const TrialRun& run) const {
    return fmt::format("layer {} reads codeword {} of {}{}", run.name_of_layer(layer),
                       word.codeword.value, name_of_memory(word.memory),
                       findings.refetched.empty() ? "" : ", which is fetched again");
  }
  void scrub(TrialRun& run);
  void read_answer(TrialRun& run);

  MemoryTrials& trials_;
  CellStrike strike_;
  StruckContents struck_;
};

LayerChange MemoryPath::at_mesh(const BoundLayer& layer, const CleanSums& clean, TrialRun& run) {
  const std::size_t index = layer.layer();
  const std::string& name = run.name_of_layer(index);
  const LayerRead loaded = load(index, run);
  const at::Tensor sums = on_host(clean.accumulators()).contiguous();
  const MeshStrike strike{
      layer,
      loaded,
      struck_.on_chip[index],
      {sums.const_data_ptr<std::int32_t>(), static_cast<std::size_t>(sums.numel())}};
  LayerEffect effect = trials_.effect_of(strike);
  if (run.observer() != nullptr) {
    run.observer()->on_cells({name, trials_.engine_name_, strike, effect, trials_});
  }
  if (effect.passes > 0) {
    run.tell("layer {}: {} passes run on the platform", name, effect.passes);
  }
  for (std::size_t i = 0; i < effect.operands_found.size(); ++i) {
    StruckContent& content = struck_.on_chip[index].operands[i];
    const Findings& found = effect.operands_found[i];
    content.refetched = found.refetched;
    run.add(found, [&] { return text_of_read(index, *content.word, found, run); });
  }
  for (const Findings& found : effect.sums_found) {
    run.add(found, [&] { return fmt::format("accumulators of layer {} are read", name); });
  }
  run.result.passes_simulated += effect.passes;
  run.result.activated = run.result.activated || effect.is_felt;
  LayerChange change;
  change.deltas = std::move(effect.deltas);
  return change;
}

LayerChange MemoryPath::at(std::size_t layer, TrialRun& run) {
  const MemorySchedule& memory = trials_.residency_.memory();
  LayerRead found = load(layer, run);
  for (StruckContent& content : struck_.on_chip[layer].operands) {
    const Findings findings = trials_.reader_.read_on_chip(content, found);
    content.refetched = findings.refetched;
    run.add(findings, [&] { return text_of_read(layer, *content.word, findings, run); });
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
    ++run.result.changed_words;
  }
  LayerChange change;
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (is_changed[i]) {
      change.operands.emplace_back(trials_.reader_.operands().value_of(layer, i), read[i]);
    }
  }
  run.result.activated = run.result.activated || !change.operands.empty();
  return change;
}

void MemoryPath::read_answer(TrialRun& run) {
  run.answer = run.answer.clone();
  const NetworkWork& work = trials_.mapping_.work();
  const int tensor = work.tensor_of[static_cast<std::size_t>(run.network.output.value)];
  const Cycle cycle = trials_.residency_.memory().answer_read();
  for (const StruckContent& struck : struck_.backing) {
    if (tensor < 0 || struck.occupant.index != tensor) {
      continue;
    }
    const dnn::ValueId id = trials_.reader_.operands().value_of_tensor(tensor);
    TS_CHECK(id == run.network.output, "an answer that is no view");
    const std::int64_t first = struck.occupant.offset;
    const std::int64_t last = trials_.residency_.backing().last_byte(struck.occupant);
    auto* bytes = static_cast<std::uint8_t*>(run.answer.mutable_data_ptr());
    sim::BitString data;
    for (std::int64_t byte = first; byte <= last; ++byte) {
      data.set_field(static_cast<int>(8 * (byte - first)), 8, bytes[byte]);
    }
    CodewordInTime word = trials_.reader_.in_time(*struck.word);
    word.write(struck.occupant.written, data);
    const sim::CodewordRead read = word.read(cycle);
    Findings findings;
    findings.add(read.status);
    run.add(findings, [] { return "the answer is read"; });
    const bool is_zero =
        read.status == sim::EccStatus::kDetected && trials_.on_due_ == OnDue::kZero;
    for (std::int64_t byte = first; byte <= last; ++byte) {
      const auto value = static_cast<std::uint8_t>(
          is_zero ? 0 : read.data.field(static_cast<int>(8 * (byte - first)), 8));
      run.result.activated = run.result.activated || value != bytes[byte];
      bytes[byte] = value;
    }
  }
}

MaskedAt MemoryPath::explain(const TrialRun& run) const {
  const bool is_stuck = std::ranges::all_of(struck_.words, [](const StruckWord& word) {
    return std::ranges::all_of(
        word.faults, [](const CellFault& fault) { return fault.kind != FaultKind::kFlip; });
  });
  return struck_.is_empty() && !struck_.is_any_used ? MaskedAt::kEmpty
         : struck_.is_empty()                       ? MaskedAt::kDead
         : run.changed_output                       ? MaskedAt::kNetwork
         : run.result.changed_accumulators > 0      ? MaskedAt::kRequantisation
         : run.result.activated                     ? MaskedAt::kTile
         : is_stuck                                 ? MaskedAt::kUnchanged
         : struck_.are_only_sums()                  ? MaskedAt::kOverwritten
                                                    : MaskedAt::kDead;
}

void MemoryPath::scrub(TrialRun& run) {
  const Cycle end = trials_.residency_.schedule().cycles_per_inference();
  const auto met = [&](const StruckWord& word, const ScrubFindings& scrubbed) {
    Findings findings;
    findings.corrected = scrubbed.is_corrected ? 1 : 0;
    findings.detected = scrubbed.is_detected ? 1 : 0;
    run.add(findings, [&] {
      return fmt::format("the scrubber meets codeword {} of {} in cycle {}{}", word.codeword.value,
                         name_of_memory(word.memory), scrubbed.at,
                         scrubbed.at >= end ? ", after the inference" : "");
    });
  };
  trials_.scrubbers_.follow(struck_, run.values, met);
}

MemoryTrials::MemoryTrials(const dnn::Network& network, const Mapping& mapping,
                           const sim::EngineEntry& engine, const Judge& judge,
                           dnn::Differential* differential)
    : network_(network),
      mapping_(mapping),
      residency_(mapping.schedule()),
      on_due_(mapping.accelerator().on_due),
      reader_(network, mapping, residency_),
      scrubbers_(residency_, reader_),
      contents_(network, mapping, residency_, reader_),
      engine_name_(engine.name),
      method_(engine.memories),
      guard_(Guard::make(mapping.accelerator().guard)),
      judge_(judge),
      differential_(differential) {
  if (method_ == sim::MemoryMethod::kMeshOnPlatform) {
    mesh_ = engine.make();
  }
}

LayerEffect MemoryTrials::by_formula(const MeshStrike& strike) {
  return effect_by_formula(residency_, reader_, on_due_, strike);
}

LayerEffect MemoryTrials::by_platform(const MeshStrike& strike, sim::MeshEngine* mesh,
                                      const StruckPasses::Observe& observe) {
  if (platform_ == nullptr) {
    platform_ = std::make_unique<StruckPasses>(residency_, on_due_);
  }
  return platform_->run(strike, mesh, observe);
}

// What is wrong in the backing memory is loaded wrong: whole operands, of which nothing changes on
// the chip.
LayerEffect MemoryTrials::effect_of(const MeshStrike& strike) {
  return method_ == sim::MemoryMethod::kFormula || strike.on_chip.is_empty()
             ? by_formula(strike)
             : by_platform(strike, mesh_.get());
}

std::vector<CellFault> MemoryTrials::left_for_later(const CellStrike& strike) {
  return scrubbers_.left_for_later(reader_.find(strike, [](std::string_view) {}));
}

std::unique_ptr<StrikePath> MemoryTrials::path(const CellStrike& strike) {
  return std::make_unique<MemoryPath>(*this, strike);
}

TrialResult MemoryTrials::run(const dnn::Tape& golden, const CellStrike& strike,
                              RunObserver* observer, ImageId image) {
  TrialRun run(network_, mapping_, golden, observer, image, differential_);
  return run_trial(run, *path(strike), guard(), judge_);
}

}  // namespace tilestrike::bridge

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

std::string_view text_of(Kind kind) {
  switch (kind) {
    case Kind::kNothing:
      return "nothing that is read later";
    case Kind::kWeights:
      return "weights";
    case Kind::kActivations:
      return "activations";
    case Kind::kSums:
      return "accumulators";
    case Kind::kTensor:
      return "a backing copy";
  }
  return "?";
}

const std::uint8_t* bytes_of(const at::Tensor& tensor) {
  return static_cast<const std::uint8_t*>(tensor.const_data_ptr());
}

std::uint64_t raw_of(const at::Tensor& tensor, std::int64_t element) {
  std::uint64_t raw = 0;
  const auto size = static_cast<std::int64_t>(tensor.element_size());
  for (std::int64_t byte = 0; byte < size; ++byte) {
    raw |= std::uint64_t{bytes_of(tensor)[element * size + byte]} << (8 * byte);
  }
  return raw;
}

/// Which spans of a codeword were read: those findings count.
class FoundSpans {
 public:
  explicit FoundSpans(const std::vector<ReadSpan>& spans)
      : spans_(spans), is_read_(spans.size(), false) {}
  void read(Cycle cycle) {
    for (std::size_t i = spans_.size(); i-- > 0;) {
      if (spans_[i].since < cycle) {
        is_read_[i] = true;
        return;
      }
    }
  }
  Findings findings() const {
    Findings found;
    for (std::size_t i = 0; i < spans_.size(); ++i) {
      if (is_read_[i]) {
        found.add(spans_[i].status);
      }
    }
    return {std::min<std::int64_t>(found.corrected, 1), std::min<std::int64_t>(found.detected, 1)};
  }

 private:
  const std::vector<ReadSpan>& spans_;
  std::vector<bool> is_read_;
};

/// Sorted by memory and codeword: the faults of each struck codeword.
std::vector<StruckWord> words_of(std::span<const CellFault> faults) {
  std::vector<StruckWord> words;
  for (const CellFault& fault : faults) {
    if (words.empty() || words.back().memory != fault.memory ||
        words.back().codeword != fault.bit.codeword) {
      words.push_back({fault.memory, fault.bit.codeword, {}});
    }
    words.back().faults.push_back(fault);
  }
  return words;
}

}  // namespace

/// A struck codeword and one content of it.
struct MemoryTrial::Progress {
  Progress(const dnn::Network& network, const dnn::Tape& tape, Story* told)
      : golden(tape), story(told), run(network, tape), on_chip(network.layers.size()) {}

  struct Struck {
    const StruckWord* word;
    Occupant occupant;
  };

  const dnn::Tape& golden;
  Story* story;
  dnn::Divergence run;
  std::vector<StruckWord> words;
  std::vector<std::vector<Struck>> on_chip;  // by the layer that reads them
  std::vector<Struck> backing;
  TrialResult result;
  bool is_any_used = false;
  bool are_only_sums = true;
  bool changed_output = false;
  // Of the layer at work:
  LayerReads reads;
  std::vector<at::Tensor> operands;  // in the order in which they are loaded, on the host
  at::Tensor answer;                 // as it is read

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
      operands_(network, mapping) {
  for (const auto& [name, memory] : mapping.accelerator().memory) {
    const sim::ArrayGeometry geometry(memory.array());
    arrays_.push_back(std::make_unique<sim::MemoryArray>(geometry, memory.code()));
    scrubbers_.emplace_back();
    if (memory.scrub_cycles > 0) {
      scrubbers_.back().emplace(memory.scrub_cycles, geometry.codewords());
    }
  }
}

CodewordInTime MemoryTrial::in_time(const StruckWord& word) {
  const auto& scrub = scrubbers_[word.memory];
  return {*arrays_[word.memory], word, scrub ? &*scrub : nullptr,
          residency_.schedule().cycles_per_inference()};
}

// What the layer's copies hold after a fetch of struck codewords of the backing memory.
void MemoryTrial::read_backing(std::size_t layer, Progress& progress) {
  const MemorySchedule& memory = residency_.memory();
  const LayerWork& work = memory.work()[layer];
  const LayerMemory& here = memory.layers()[layer];
  const ScheduledLayer& scheduled = residency_.schedule().layers()[layer];
  const bool is_on_mesh = scheduled.tiling != nullptr;
  for (const Progress::Struck& struck : progress.backing) {
    const auto tensor = static_cast<int>(struck.occupant.index);
    const StoredTensor& stored = residency_.placement().tensors()[static_cast<std::size_t>(tensor)];
    const bool is_read = std::ranges::any_of(
        work.operands, [&](const StoredOperand& operand) { return operand.tensor == tensor; });
    if (!is_read) {
      continue;
    }
    const dnn::ValueId id = operands_.value_of_tensor(tensor);
    const at::Tensor now = id.value < 0
                               ? mapping_.mesh_layer(operands_.layer_of_weights(tensor))->weight
                               : on_host(progress.run.value(id).toTensor());
    const std::int64_t first = struck.occupant.offset;
    const std::int64_t last = residency_.last_byte(tensor, first);
    sim::BitString data;
    for (std::int64_t byte = first; byte <= last; ++byte) {
      data.set_field(static_cast<int>(8 * (byte - first)), 8, bytes_of(now)[byte]);
    }
    CodewordInTime word = in_time(*struck.word);
    std::vector<ReadSpan> spans = word.after_write(struck.occupant.written, data);
    FoundSpans found(spans);
    if (on_due_ == OnDue::kZero) {
      for (ReadSpan& span : spans) {
        span.data = span.status == sim::EccStatus::kDetected ? sim::BitString() : span.data;
      }
    }
    const auto fetch = [&](std::size_t operand, std::int64_t copy, std::int64_t element,
                           std::int64_t byte, Cycle cycle) {
      found.read(cycle);
      const CopiedElement copied{operand, copy, element};
      const auto in_element = static_cast<int>(byte % stored.element_bytes);
      for (std::size_t i = spans.size(); i-- > 0;) {
        if (spans[i].since < cycle) {
          const auto value = static_cast<std::uint8_t>(
              spans[i].data.field(static_cast<int>(8 * (byte - first)), 8));
          if (value != bytes_of(now)[byte]) {
            progress.reads.set(copied, in_element, kBoot, value);
          }
          return;
        }
      }
    };
    for (std::size_t operand = 0; operand < work.operands.size(); ++operand) {
      if (work.operands[operand].tensor != tensor) {
        continue;
      }
      for (std::int64_t byte = first; byte <= last; ++byte) {
        for (const std::int64_t element :
             operands_.elements(layer, operand, byte / stored.element_bytes, progress.golden)) {
          if (is_on_mesh && operand == 1) {
            for_each_tile_of(residency_, layer, element,
                             [&](std::int64_t tile, std::int64_t offset, std::int64_t bytes) {
                               fetch(
                                   operand, tile, element, byte,
                                   memory.fetched(residency_.placement().weights().memory,
                                                  here.weight_loads[static_cast<std::size_t>(tile)],
                                                  offset, bytes));
                             });
            continue;
          }
          for (std::size_t index = here.first_block; index < here.last_block; ++index) {
            const ActivationBlock& block = memory.blocks()[index];
            std::int64_t offset = -1;
            if (is_on_mesh) {
              offset = block.slice.place_of(scheduled.tiling->gemm(), element);
            } else {
              const ChunkPart part = memory.part(block, operand);
              if (part.first <= element && element < part.last) {
                offset = part.offset + (element - part.first) * stored.element_bytes +
                         byte % stored.element_bytes;
              }
            }
            if (offset >= 0) {
              fetch(operand, static_cast<std::int64_t>(index), element, byte,
                    memory.fetched(residency_.placement().activations().memory, block.load, offset,
                                   block.bytes));
            }
          }
        }
      }
    }
    progress.found(found.findings(), fmt::format("{} is fetched for layer {}", stored.name,
                                                 network_.layers[layer].name));
  }
}

// What the layer reads from struck codewords on the chip.
void MemoryTrial::read_on_chip(std::size_t layer, Progress& progress) {
  const MemorySchedule& memory = residency_.memory();
  const ScheduledLayer& scheduled = residency_.schedule().layers()[layer];
  for (const Progress::Struck& struck : progress.on_chip[layer]) {
    const Occupant& occupant = struck.occupant;
    if (occupant.kind == Kind::kSums) {
      continue;
    }
    const std::int64_t word_bytes = residency_.placement().codeword_bytes(struck.word->memory);
    // Which element each byte of the codeword belongs to.
    std::vector<CopyByte> places(static_cast<std::size_t>(word_bytes));
    sim::BitString data;
    bool is_from_struck = false;
    for (std::int64_t i = 0; i < word_bytes; ++i) {
      CopyByte& place = places[static_cast<std::size_t>(i)];
      place = occupant.kind == Kind::kWeights
                  ? weight_byte(residency_, layer, occupant.index, occupant.offset + i)
                  : activation_byte(residency_, layer, occupant.index, occupant.offset + i);
      if (place.element < 0) {
        continue;
      }
      const CopiedElement copied{place.operand, occupant.index, place.element};
      const at::Tensor& operand = progress.operands[place.operand];
      const auto size = static_cast<int>(operand.element_size());
      is_from_struck = is_from_struck || progress.reads.has(copied);
      const std::uint64_t raw =
          progress.reads.value(copied, raw_of(operand, place.element), size, occupant.written + 1);
      data.set_field(static_cast<int>(8 * i), 8, (raw >> (8 * place.byte)) & 0xFF);
    }
    CodewordInTime word = in_time(*struck.word);
    std::vector<ReadSpan> spans = word.after_write(occupant.written, data);
    std::int64_t healed = 0;
    for (ReadSpan& span : spans) {
      if (span.status != sim::EccStatus::kDetected) {
        continue;
      }
      if (on_due_ == OnDue::kZero) {
        span.data = {};
      } else if (on_due_ == OnDue::kRefetch && !is_from_struck) {
        span.data = data;
        span.status = sim::EccStatus::kCorrected;
        ++healed;
      }
    }
    FoundSpans found(spans);
    bool is_read = false;
    for (std::int64_t i = 0; i < word_bytes; ++i) {
      const CopyByte& place = places[static_cast<std::size_t>(i)];
      if (place.element < 0) {
        continue;
      }
      const CopiedElement copied{place.operand, occupant.index, place.element};
      progress.reads.forget(copied, place.byte);
      for (const ReadSpan& span : spans) {
        const auto value = static_cast<std::uint8_t>(span.data.field(static_cast<int>(8 * i), 8));
        progress.reads.set(copied, place.byte, span.since, value);
      }
      const auto read = [&](Cycle cycle) {
        found.read(cycle);
        is_read = true;
      };
      if (occupant.kind == Kind::kWeights) {
        const bool is_in_turn = residency_.placement().weight_place(layer).is_in_turn;
        MeshReads(residency_.schedule(), layer)
            .of_weight(memory.first_pass_of_tile(layer, *scheduled.tiling, occupant.index),
                       is_in_turn, place.row, [&](const MeshRead& at) { read(at.cycle); });
      } else if (scheduled.tiling != nullptr) {
        MeshReads(residency_.schedule(), layer)
            .of_activation(memory.blocks()[static_cast<std::size_t>(occupant.index)], place.element,
                           [&](const MeshRead& at) { read(at.cycle); });
      } else {
        const ActivationBlock& block = memory.blocks()[static_cast<std::size_t>(occupant.index)];
        read(memory.vector_read(block, memory.part(block, place.operand), place.element));
      }
    }
    progress.found(found.findings(),
                   fmt::format("layer {} reads codeword {} of {}{}", network_.layers[layer].name,
                               struck.word->codeword.value,
                               mapping_.accelerator().memory[struck.word->memory].first,
                               healed > 0 ? ", which is fetched again" : ""));
  }
}

void MemoryTrial::run_on_mesh(MeshLayer& layer, Progress& progress) {
  const bool reads_changed = progress.run.reads_changed(layer.layer);
  const at::Tensor& input = progress.run.value(layer.input).toTensor();
  const bool is_product = layer.weights.value >= 0;
  const at::Tensor right = is_product ? progress.run.value(layer.weights).toTensor() : at::Tensor();
  layer.set_operands(input, right);
  MeshEffects effects(residency_, layer, progress.reads);
  bool is_read_wrong = false;
  const std::vector<sim::OutputDelta> of_passes = effects.of_operands(is_read_wrong);
  progress.result.activated = progress.result.activated || is_read_wrong;
  const sim::Overflow overflow = mapping_.accelerator().mesh.overflow;
  std::vector<AccumulatorDelta> deltas = accumulator_deltas(layer, overflow, of_passes);
  const at::Tensor clean = reads_changed ? layer.kernel->accumulate(input, right)
                                         : progress.golden.accumulators[layer.layer];
  const at::Tensor sums = on_host(clean);
  for (const Progress::Struck& struck : progress.on_chip[layer.layer]) {
    if (struck.occupant.kind != Kind::kSums) {
      continue;
    }
    CodewordInTime word = in_time(*struck.word);
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

void MemoryTrial::run_vector(std::size_t layer, Progress& progress) {
  const MemorySchedule& memory = residency_.memory();
  std::vector<at::Tensor> read = progress.operands;
  std::vector<bool> is_changed(read.size());
  for (const CopiedElement& copied : progress.reads.elements()) {
    at::Tensor& operand = read[copied.operand];
    const auto size = static_cast<int>(operand.element_size());
    const ActivationBlock& block = memory.blocks()[static_cast<std::size_t>(copied.copy)];
    const Cycle cycle =
        memory.vector_read(block, memory.part(block, copied.operand), copied.element);
    const std::uint64_t before = raw_of(progress.operands[copied.operand], copied.element);
    const std::uint64_t after = progress.reads.value(copied, before, size, cycle);
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
      replaced.emplace_back(operands_.value_of(layer, i), read[i]);
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
  for (const Progress::Struck& struck : progress.backing) {
    if (tensor < 0 || struck.occupant.index != tensor) {
      continue;
    }
    const dnn::ValueId id = operands_.value_of_tensor(tensor);
    TS_CHECK(id == network_.output, "an answer that is no view");
    const std::int64_t first = struck.occupant.offset;
    const std::int64_t last = residency_.last_byte(tensor, first);
    auto* bytes = static_cast<std::uint8_t*>(progress.answer.mutable_data_ptr());
    sim::BitString data;
    for (std::int64_t byte = first; byte <= last; ++byte) {
      data.set_field(static_cast<int>(8 * (byte - first)), 8, bytes[byte]);
    }
    CodewordInTime word = in_time(*struck.word);
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
    const bool is_stuck = std::ranges::all_of(progress.words, [](const StruckWord& word) {
      return std::ranges::all_of(
          word.faults, [](const CellFault& fault) { return fault.kind != FaultKind::kFlip; });
    });
    const bool holds_nothing =
        progress.backing.empty() &&
        std::ranges::all_of(progress.on_chip, [](const auto& struck) { return struck.empty(); });
    result.masked_at = holds_nothing && !progress.is_any_used ? MaskedAt::kEmpty
                       : holds_nothing                        ? MaskedAt::kDead
                       : progress.changed_output              ? MaskedAt::kNetwork
                       : result.changed_accumulators > 0      ? MaskedAt::kRequantisation
                       : result.activated                     ? MaskedAt::kTile
                       : is_stuck                             ? MaskedAt::kUnchanged
                       : progress.are_only_sums               ? MaskedAt::kOverwritten
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
  progress.words = words_of(faults);
  std::size_t last_layer = 0;
  for (const StruckWord& word : progress.words) {
    const sim::ArrayGeometry& geometry = arrays_[word.memory]->geometry();
    const CellFault& first = word.faults.front();
    CycleWindow window = first.when;
    bool are_flips = true;
    for (const CellFault& fault : word.faults) {
      window.from = std::min(window.from, fault.when.from);
      window.until = std::max(window.until, fault.when.until);
      are_flips = are_flips && fault.kind == FaultKind::kFlip;
    }
    are_flips = are_flips && std::ranges::all_of(word.faults, [&](const CellFault& fault) {
                  return fault.when.from == first.when.from;
                });
    std::vector<Occupant> occupants;
    if (are_flips) {
      occupants.push_back(residency_.at(word.memory, word.codeword, window.from));
    } else {
      occupants = residency_.during(word.memory, word.codeword, window);
    }
    for (const Occupant& occupant : occupants) {
      progress.is_any_used = progress.is_any_used || occupant.is_used;
      progress.tell(fmt::format(
          "{} of {}, {} bits struck at cycle {}, holds {}{}", text_of(geometry.cell_of(first.bit)),
          mapping_.accelerator().memory[word.memory].first, word.faults.size(), window.from,
          text_of(occupant.kind),
          occupant.kind == Kind::kTensor
              ? " of " +
                    residency_.placement().tensors()[static_cast<std::size_t>(occupant.index)].name
          : occupant.kind == Kind::kNothing
              ? ""
              : fmt::format(" of layer {} since cycle {}", network_.layers[occupant.layer].name,
                            occupant.written)));
      if (occupant.kind == Kind::kNothing) {
        continue;
      }
      const bool is_resident = occupant.written == kBoot;
      progress.result.outlives = progress.result.outlives || is_resident;
      progress.are_only_sums = progress.are_only_sums && occupant.kind == Kind::kSums;
      (occupant.kind == Kind::kTensor ? progress.backing : progress.on_chip[occupant.layer])
          .push_back({&word, occupant});
      if (occupant.kind != Kind::kTensor) {
        last_layer = std::max(last_layer, occupant.layer);
        if (progress.result.layer.empty()) {
          progress.result.layer = network_.layers[occupant.layer].name;
        }
      } else {
        last_layer = network_.layers.size() - 1;
      }
    }
  }
  const std::vector<LayerWork>& work = residency_.memory().work();
  for (std::size_t layer = 0; layer < network_.layers.size(); ++layer) {
    const bool reads_backing =
        std::ranges::any_of(progress.backing, [&](const Progress::Struck& struck) {
          return std::ranges::any_of(work[layer].operands, [&](const StoredOperand& operand) {
            return operand.tensor == struck.occupant.index;
          });
        });
    if (reads_backing || !progress.on_chip[layer].empty()) {
      progress.reads = {};
      progress.operands.clear();
      for (std::size_t i = 0; i < work[layer].operands.size(); ++i) {
        const dnn::ValueId id = operands_.value_of(layer, i);
        progress.operands.push_back(
            id.value < 0 ? mapping_.mesh_layer(layer)->weight
                         : operands_.loaded_order(layer, i, progress.run.value(id).toTensor()));
      }
      read_backing(layer, progress);
      read_on_chip(layer, progress);
      if (MeshLayer* on_mesh = mapping_.mesh_layer(layer)) {
        run_on_mesh(*on_mesh, progress);
      } else {
        run_vector(layer, progress);
      }
    } else if (progress.run.reads_changed(layer)) {
      progress.run.run(layer);
    }
    if (layer >= last_layer && !progress.run.is_alive_after(layer)) {
      break;
    }
  }
  for (const StruckWord& word : progress.words) {
    if (!scrubbers_[word.memory]) {
      continue;
    }
    CodewordInTime scrubbed = in_time(word);  // what the scrubber meets where nobody reads
    scrubbed.read(residency_.schedule().cycles_per_inference());
    progress.found(scrubbed.scrubbed(), "the scrubber comes by");
  }
  read_answer(progress);
  conclude(progress);
  return std::move(progress.result);
}

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/layer_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "bridge/exposure/copies.h"
#include "bridge/exposure/mesh_reads.h"

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
    found.corrected = std::min<std::int64_t>(found.corrected, 1);
    found.detected = std::min<std::int64_t>(found.detected, 1);
    return found;
  }

 private:
  const std::vector<ReadSpan>& spans_;
  std::vector<bool> is_read_;
};

}  // namespace

std::uint64_t raw_of(const at::Tensor& tensor, std::int64_t element) {
  std::uint64_t raw = 0;
  const auto size = static_cast<std::int64_t>(tensor.element_size());
  for (std::int64_t byte = 0; byte < size; ++byte) {
    raw |= std::uint64_t{bytes_of(tensor)[element * size + byte]} << (8 * byte);
  }
  return raw;
}

LayerReader::LayerReader(const dnn::Network& network, const Mapping& mapping,
                         const Residency& residency)
    : network_(network),
      mapping_(mapping),
      residency_(residency),
      on_due_(mapping.accelerator().on_due),
      operands_(network, mapping) {
  for (const auto& [name, memory] : mapping.accelerator().memory) {
    arrays_.push_back(
        std::make_unique<sim::MemoryArray>(sim::ArrayGeometry(memory.array()), memory.code()));
  }
}

CodewordInTime LayerReader::in_time(const StruckWord& word) {
  sim::MemoryArray& array = *arrays_[word.memory];
  std::optional<sim::ScrubSchedule> scrub;
  if (word.scrub_phase) {
    scrub.emplace(mapping_.accelerator().memory[word.memory].second.scrub_cycles,
                  array.geometry().codewords(), -*word.scrub_phase);
  }
  return {array, word, scrub};
}

/// Sorted by memory and codeword.
std::vector<StruckWord> LayerReader::words_of(const CellStrike& strike) const {
  const auto& memories = mapping_.accelerator().memory;
  const auto period = [&](std::size_t memory) { return memories[memory].second.scrub_cycles; };
  for (std::size_t i = 0; i < memories.size(); ++i) {
    TS_CHECK(period(i) == 0 || i < strike.scrub_phases.size(), "every scrubber has a phase");
    const std::optional<Cycle> phase =
        i < strike.scrub_phases.size() ? strike.scrub_phases[i] : std::nullopt;
    TS_CHECK(!phase || (*phase >= 0 && *phase < period(i)), "a phase within a scrubber's round");
  }
  std::vector<StruckWord> words;
  for (const CellFault& fault : strike.faults) {
    if (words.empty() || words.back().memory != fault.memory ||
        words.back().codeword != fault.bit.codeword) {
      words.push_back({fault.memory, fault.bit.codeword, {}, std::nullopt});
      if (fault.memory < strike.scrub_phases.size()) {
        words.back().scrub_phase = strike.scrub_phases[fault.memory];
      }
    }
    words.back().faults.push_back(fault);
  }
  return words;
}

std::vector<Occupant> LayerReader::occupants_of(const StruckWord& word) const {
  CycleWindow window = word.faults.front().when;
  bool are_flips_at_once = true;
  for (const CellFault& fault : word.faults) {
    are_flips_at_once = are_flips_at_once && fault.kind == FaultKind::kFlip &&
                        fault.when.from == word.faults.front().when.from;
    window.from = std::min(window.from, fault.when.from);
    window.until = std::max(window.until, fault.when.until);
  }
  if (are_flips_at_once) {
    return {residency_.at(word.memory, word.codeword, window.from)};
  }
  return residency_.during(word.memory, word.codeword, window);
}

StruckContents LayerReader::find(const CellStrike& strike, const Tell& tell) const {
  StruckContents struck;
  struck.words = words_of(strike);
  struck.on_chip.resize(network_.layers.size());
  for (const StruckWord& word : struck.words) {
    const CellFault& first = word.faults.front();
    const std::string place =
        fmt::format("{} of {}, {} bits of codeword {} struck from cycle {} on",
                    text_of(arrays_[word.memory]->geometry().cell_of(first.bit)),
                    mapping_.accelerator().memory[word.memory].first, word.faults.size(),
                    word.codeword.value, first.when.from);
    for (const Occupant& occupant : occupants_of(word)) {
      struck.is_any_used = struck.is_any_used || occupant.is_used;
      if (occupant.kind == Kind::kNothing) {
        tell(fmt::format("{}: holds {}", place, text_of(occupant.kind)));
        continue;
      }
      struck.is_empty = false;
      struck.outlives = struck.outlives || occupant.written == kBoot;
      struck.are_only_sums = struck.are_only_sums && occupant.kind == Kind::kSums;
      if (occupant.kind == Kind::kTensor) {
        const auto tensor = static_cast<std::size_t>(occupant.index);
        tell(fmt::format("{}: holds {} of {}", place, text_of(occupant.kind),
                         residency_.placement().tensors()[tensor].name));
        struck.backing.push_back({&word, occupant, {}});
        struck.last_layer = network_.layers.size() - 1;
        continue;
      }
      const std::string& layer = network_.layers[occupant.layer].name;
      tell(fmt::format(
          "{}: holds {} of layer {} since {}", place, text_of(occupant.kind), layer,
          occupant.written == kBoot ? "boot" : fmt::format("cycle {}", occupant.written)));
      struck.on_chip[occupant.layer].push_back({&word, occupant, {}});
      struck.last_layer = std::max(struck.last_layer, occupant.layer);
    }
  }
  for (std::size_t layer = 0; layer < network_.layers.size() && struck.first_layer.empty();
       ++layer) {
    struck.first_layer = reads_struck(struck, layer) ? network_.layers[layer].name : "";
  }
  return struck;
}

bool LayerReader::reads_struck(const StruckContents& struck, std::size_t layer) const {
  const std::vector<StoredOperand>& operands = residency_.memory().work()[layer].operands;
  return !struck.on_chip[layer].empty() ||
         std::ranges::any_of(struck.backing, [&](const StruckContents::Content& content) {
           return std::ranges::any_of(operands, [&](const StoredOperand& operand) {
             return operand.tensor == content.occupant.index;
           });
         });
}

LayerRead LayerReader::load(std::size_t layer, const StruckContents& struck,
                            const dnn::Divergence& run, const dnn::Tape& golden,
                            const Found& found) {
  LayerRead result;
  for (std::size_t i = 0; i < residency_.memory().work()[layer].operands.size(); ++i) {
    const dnn::ValueId id = operands_.value_of(layer, i);
    result.operands.push_back(id.value < 0
                                  ? mapping_.mesh_layer(layer)->weight
                                  : operands_.loaded_order(layer, i, run.value(id).toTensor()));
  }
  for (const StruckContents::Content& content : struck.backing) {
    fetch(layer, content, run, golden, result, found);
  }
  return result;
}

sim::BitString LayerReader::data_of(const Occupant& occupant, std::size_t memory,
                                    const dnn::Divergence& run, const dnn::Tape& golden) {
  sim::BitString data;
  if (occupant.kind == Kind::kTensor) {
    const auto tensor = static_cast<int>(occupant.index);
    const dnn::ValueId id = operands_.value_of_tensor(tensor);
    const at::Tensor now = id.value < 0
                               ? mapping_.mesh_layer(operands_.layer_of_weights(tensor))->weight
                               : on_host(run.value(id).toTensor());
    const std::int64_t last = residency_.last_byte(tensor, occupant.offset);
    for (std::int64_t byte = occupant.offset; byte <= last; ++byte) {
      data.set_field(static_cast<int>(8 * (byte - occupant.offset)), 8, bytes_of(now)[byte]);
    }
    return data;
  }
  StruckContents nothing;
  nothing.on_chip.resize(network_.layers.size());
  const LayerRead read =
      load(occupant.layer, nothing, run, golden, [](const Findings&, std::string_view) {});
  for (std::int64_t i = 0; i < residency_.placement().codeword_bytes(memory); ++i) {
    const CopyByte place = occupant.kind == Kind::kWeights
                               ? weight_byte(residency_.schedule(), occupant.layer, occupant.index,
                                             occupant.offset + i)
                               : activation_byte(residency_.schedule(), occupant.layer,
                                                 occupant.index, occupant.offset + i);
    if (place.element >= 0) {
      const std::uint64_t raw = raw_of(read.operands[place.operand], place.element);
      data.set_field(static_cast<int>(8 * i), 8, (raw >> (8 * place.byte)) & 0xFF);
    }
  }
  return data;
}

// What the layer's copies hold after a fetch of struck codewords of the backing memory.
void LayerReader::fetch(std::size_t layer, const StruckContents::Content& struck,
                        const dnn::Divergence& run, const dnn::Tape& golden, LayerRead& result,
                        const Found& found) {
  const MemorySchedule& memory = residency_.memory();
  const LayerWork& work = memory.work()[layer];
  const LayerMemory& here = memory.layers()[layer];
  const Schedule& schedule = residency_.schedule();
  const bool is_on_mesh = schedule.layers()[layer].tiling != nullptr;
  const auto tensor = static_cast<int>(struck.occupant.index);
  const StoredTensor& stored = residency_.placement().tensors()[static_cast<std::size_t>(tensor)];
  const bool is_read = std::ranges::any_of(
      work.operands, [&](const StoredOperand& operand) { return operand.tensor == tensor; });
  if (!is_read) {
    return;
  }
  const std::int64_t first = struck.occupant.offset;
  const std::int64_t last = residency_.last_byte(tensor, first);
  const sim::BitString data = data_of(struck.occupant, struck.word->memory, run, golden);
  CodewordInTime word = in_time(*struck.word);
  std::vector<ReadSpan> spans = word.after_write(struck.occupant.written, data);
  FoundSpans read(spans);
  if (on_due_ == OnDue::kZero) {
    for (ReadSpan& span : spans) {
      span.data = span.status == sim::EccStatus::kDetected ? sim::BitString() : span.data;
    }
  }
  const auto fetch = [&](std::size_t operand, std::int64_t copy, std::int64_t element,
                         std::int64_t byte, Cycle cycle) {
    read.read(cycle);
    const CopiedElement copied{operand, copy, element};
    const auto in_element = static_cast<int>(byte % stored.element_bytes);
    for (std::size_t i = spans.size(); i-- > 0;) {
      if (spans[i].since < cycle) {
        const auto bit = static_cast<int>(8 * (byte - first));
        if (spans[i].data.field(bit, 8) != data.field(bit, 8)) {
          result.reads.set(copied, in_element, kBoot,
                           static_cast<std::uint8_t>(spans[i].data.field(bit, 8)));
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
           operands_.elements(layer, operand, byte / stored.element_bytes, golden)) {
        if (is_on_mesh && operand == 1) {
          if (!here.weight_loads.empty()) {  // else they were loaded at boot
            for_each_tile_of(schedule, layer, element,
                             [&](std::int64_t tile, std::int64_t offset, std::int64_t bytes) {
                               fetch(
                                   operand, tile, element, byte,
                                   memory.fetched(residency_.placement().weights().memory,
                                                  here.weight_loads[static_cast<std::size_t>(tile)],
                                                  offset, bytes));
                             });
          }
          continue;
        }
        for_each_block_of(
            schedule, layer, operand, element,
            [&](std::int64_t block, std::int64_t offset, std::int64_t bytes) {
              fetch(operand, block, element, byte,
                    memory.fetched(residency_.placement().activations().memory,
                                   memory.blocks()[static_cast<std::size_t>(block)].load,
                                   offset + byte % stored.element_bytes, bytes));
            });
      }
    }
  }
  found(read.findings(),
        fmt::format("{} is fetched for layer {}", stored.name, network_.layers[layer].name));
}

Findings LayerReader::read_on_chip(std::size_t layer, const StruckContents::Content& struck,
                                   LayerRead& result) {
  const Occupant& occupant = struck.occupant;
  const std::int64_t word_bytes = residency_.placement().codeword_bytes(struck.word->memory);
  // Which element each byte of the codeword belongs to.
  std::vector<CopyByte> places(static_cast<std::size_t>(word_bytes));
  sim::BitString data;
  bool is_from_struck = false;
  for (std::int64_t i = 0; i < word_bytes; ++i) {
    CopyByte& place = places[static_cast<std::size_t>(i)];
    place =
        occupant.kind == Kind::kWeights
            ? weight_byte(residency_.schedule(), layer, occupant.index, occupant.offset + i)
            : activation_byte(residency_.schedule(), layer, occupant.index, occupant.offset + i);
    if (place.element < 0) {
      continue;
    }
    const CopiedElement copied{place.operand, occupant.index, place.element};
    const at::Tensor& operand = result.operands[place.operand];
    const auto size = static_cast<int>(operand.element_size());
    is_from_struck = is_from_struck || result.reads.has(copied);
    const std::uint64_t raw =
        result.reads.value(copied, raw_of(operand, place.element), size, occupant.written + 1);
    data.set_field(static_cast<int>(8 * i), 8, (raw >> (8 * place.byte)) & 0xFF);
  }
  const std::vector<Cycle> reads = reads_of(layer, occupant, places);
  CodewordInTime word = in_time(*struck.word);
  const bool heals = on_due_ == OnDue::kRefetch && !is_from_struck;
  std::vector<ReadSpan> spans =
      word.after_write(occupant.written, data, heals ? std::span(reads) : std::span<const Cycle>());
  if (on_due_ == OnDue::kZero) {
    for (ReadSpan& span : spans) {
      span.data = span.status == sim::EccStatus::kDetected ? sim::BitString() : span.data;
    }
  }
  FoundSpans read_spans(spans);
  for (std::int64_t i = 0; i < word_bytes; ++i) {
    const CopyByte& place = places[static_cast<std::size_t>(i)];
    if (place.element < 0) {
      continue;
    }
    const CopiedElement copied{place.operand, occupant.index, place.element};
    result.reads.forget(copied, place.byte);
    for (const ReadSpan& span : spans) {
      const auto value = static_cast<std::uint8_t>(span.data.field(static_cast<int>(8 * i), 8));
      result.reads.set(copied, place.byte, span.since, value);
    }
  }
  for (const Cycle cycle : reads) {
    read_spans.read(cycle);
  }
  Findings findings = read_spans.findings();
  for (const ReadSpan& span : spans) {
    if (span.refetched) {
      findings.refetched.push_back(*span.refetched);
    }
  }
  return findings;
}

/// When a copy of a codeword is read, in order, each cycle once. `places`: its bytes.
std::vector<Cycle> LayerReader::reads_of(std::size_t layer, const Occupant& occupant,
                                         const std::vector<CopyByte>& places) const {
  const MemorySchedule& memory = residency_.memory();
  std::vector<Cycle> cycles;
  for (const CopyByte& place : places) {
    if (place.element < 0) {
      continue;
    }
    if (residency_.schedule().layers()[layer].tiling != nullptr) {
      MeshReads(residency_.schedule(), layer)
          .of({place.operand, occupant.index, place.element},
              [&](const MeshRead& read) { cycles.push_back(read.cycle); });
    } else {
      const ActivationBlock& block = memory.blocks()[static_cast<std::size_t>(occupant.index)];
      cycles.push_back(memory.vector_read(block, memory.part(block, place.operand), place.element));
    }
  }
  std::ranges::sort(cycles);
  const auto same = std::ranges::unique(cycles);
  cycles.erase(same.begin(), same.end());
  return cycles;
}

}  // namespace tilestrike::bridge

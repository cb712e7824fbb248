// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/layer_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "dnn/differential/divergence.h"

namespace tilestrike::bridge {
namespace {

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

void LayerReader::add(const StruckWord& word, const Occupant& occupant, std::string_view place,
                      const Tell& tell, StruckContents& struck) const {
  struck.is_any_used = struck.is_any_used || occupant.is_used;
  if (occupant.is_nothing()) {
    tell(fmt::format("{}: holds nothing that is read later", place));
    return;
  }
  struck.outlives = struck.outlives || occupant.written == kBoot;
  const std::string_view reader = occupant.has_layer() ? network_.layers[occupant.layer].name : "";
  tell(fmt::format("{}: holds {}", place, occupant.copies->text(occupant, reader)));
  occupant.copies->add_to(struck, {&word, occupant, {}});
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
      add(word, occupant, place, tell, struck);
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
  return !struck.on_chip[layer].is_empty() ||
         std::ranges::any_of(struck.backing, [&](const StruckContent& content) {
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
    result.operands.push_back(values(run).operand(layer, i));
  }
  for (const StruckContent& content : struck.backing) {
    fetch(layer, content, run, golden, result, found);
  }
  return result;
}

void LayerReader::zero_detected(std::vector<ReadSpan>& spans) const {
  if (on_due_ != OnDue::kZero) {
    return;
  }
  for (ReadSpan& span : spans) {
    span.data = span.status == sim::EccStatus::kDetected ? sim::BitString() : span.data;
  }
}

// What the layer's copies hold after a fetch of struck codewords of the backing memory.
void LayerReader::fetch(std::size_t layer, const StruckContent& struck, const dnn::Divergence& run,
                        const dnn::Tape& golden, LayerRead& result, const Found& found) {
  const LayerWork& work = residency_.memory().work()[layer];
  const Occupant& occupant = struck.occupant;
  const StoredTensor& stored =
      residency_.placement().tensors()[static_cast<std::size_t>(occupant.index)];
  const bool is_read = std::ranges::any_of(work.operands, [&](const StoredOperand& operand) {
    return operand.tensor == occupant.index;
  });
  if (!is_read) {
    return;
  }
  const std::int64_t first = occupant.offset;
  const std::int64_t last = residency_.backing().last_byte(occupant);
  const sim::BitString data = occupant.copies->data(occupant, values(run), occupant.written);
  CodewordInTime word = in_time(*struck.word);
  std::vector<ReadSpan> spans = word.after_write(occupant.written, data);
  FoundSpans read(spans);
  zero_detected(spans);
  const auto load = [&](const CopiedElement& copied, std::int64_t byte, Cycle cycle) {
    read.read(cycle);
    const auto span = std::find_if(spans.rbegin(), spans.rend(),
                                   [&](const ReadSpan& one) { return one.since < cycle; });
    const auto bit = static_cast<int>(8 * (byte - first));
    if (span != spans.rend() && span->data.field(bit, 8) != data.field(bit, 8)) {
      result.reads.set(copied, static_cast<int>(byte % stored.element_bytes), kBoot,
                       static_cast<std::uint8_t>(span->data.field(bit, 8)));
    }
  };
  for (std::size_t operand = 0; operand < work.operands.size(); ++operand) {
    if (work.operands[operand].tensor != occupant.index) {
      continue;
    }
    const OperandCopies& copies = residency_.backing().loaded_to(layer, operand);
    for (std::int64_t byte = first; byte <= last; ++byte) {
      for (const std::int64_t element :
           operands_.elements(layer, operand, byte / stored.element_bytes, golden)) {
        copies.for_each_with(layer, operand, element, [&](std::int64_t copy, std::int64_t offset) {
          const auto cycle = copies.fetched(layer, copy, offset + byte % stored.element_bytes);
          if (cycle) {  // else they were loaded at boot
            load({operand, copy, element}, byte, *cycle);
          }
        });
      }
    }
  }
  found(read.findings(),
        fmt::format("{} is fetched for layer {}", stored.name, network_.layers[layer].name));
}

Findings LayerReader::read_on_chip(const StruckContent& struck, LayerRead& result) {
  const Occupant& occupant = struck.occupant;
  const std::int64_t word_bytes = residency_.placement().codeword_bytes(struck.word->memory);
  // Which element each byte of the codeword belongs to.
  std::vector<CopyByte> places(static_cast<std::size_t>(word_bytes));
  sim::BitString data;
  bool is_from_struck = false;
  for (std::int64_t i = 0; i < word_bytes; ++i) {
    CopyByte& place = places[static_cast<std::size_t>(i)];
    place = occupant.copies->byte(occupant, i);
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
  const std::vector<Cycle> reads = occupant.copies->refetching_reads(occupant);
  CodewordInTime word = in_time(*struck.word);
  const bool heals = on_due_ == OnDue::kRefetch && !is_from_struck;
  std::vector<ReadSpan> spans =
      word.after_write(occupant.written, data, heals ? std::span(reads) : std::span<const Cycle>());
  zero_detected(spans);
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

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The slow reference of a memory array.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "sim/memory/memory_array.h"

namespace tilestrike::sim {

// Every codeword as its cells, always decoded; nothing else is known.
class PlainArray {
 public:
  PlainArray(const EccCode& code, std::uint64_t codewords)
      : code_(code), words_(static_cast<std::size_t>(codewords)) {}

  const BitString& cells(CodewordId codeword) const { return words_[codeword.value].cells; }
  void read_bytes(std::uint64_t address, std::span<std::uint8_t> out,
                  std::vector<CodewordFinding>& findings) const {
    std::fill(out.begin(), out.end(), 0);
    for (const auto& [codeword, bits] : parts_of(address, out.size())) {
      const CodewordRead found = read(codeword);
      if (found.status != EccStatus::kClean) {
        findings.push_back({codeword, found.status, found.is_poisoned});
      }
      for (const auto& [bit, place] : bits) {
        out[place / 8] |= static_cast<std::uint8_t>(found.data.test(bit) << (place % 8));
      }
    }
  }
  void write_bytes(std::uint64_t address, std::span<const std::uint8_t> data,
                   std::vector<CodewordFinding>& findings) {
    for (const auto& [codeword, bits] : parts_of(address, data.size())) {
      CodewordRead found = read(codeword);
      if (bits.size() == static_cast<std::size_t>(code_.data_bits())) {
        found = {};
      } else if (found.status != EccStatus::kClean) {
        findings.push_back({codeword, found.status, found.is_poisoned});
      }
      merge_and_write(codeword, found, bits, data);
    }
  }
  std::map<CodewordId, CodewordRead> hold_range(std::uint64_t address, std::size_t bytes) const {
    std::map<CodewordId, CodewordRead> held;
    for (const auto& [codeword, bits] : parts_of(address, bytes)) {
      held[codeword] = read(codeword);
    }
    return held;
  }
  void write_back(std::uint64_t address, std::span<const std::uint8_t> data,
                  const std::map<CodewordId, CodewordRead>& held) {
    for (const auto& [codeword, bits] : parts_of(address, data.size())) {
      merge_and_write(codeword, held.at(codeword), bits, data);
    }
  }
  CodewordRead scrub(CodewordId codeword) {
    const CodewordRead found = read(codeword);
    if (found.status == EccStatus::kCorrected) {
      write(codeword, found);
    }
    return found;
  }
  void flip(CodewordBit bit) {
    BitString now = cells(bit.codeword);
    now.flip(bit.bit);
    store(bit.codeword, now);
  }
  void hold(CodewordBit bit, bool value) {
    Word& word = words_[bit.codeword.value];
    word.stuck[bit.bit] = value;
    store(bit.codeword, word.cells);
  }
  void release(CodewordBit bit) { words_[bit.codeword.value].stuck.erase(bit.bit); }

 private:
  struct Word {
    BitString cells;
    std::map<int, bool> stuck;
    bool is_poisoned = false;
  };
  using Bits = std::vector<std::pair<int, std::uint64_t>>;  // of a codeword, and its place

  std::map<CodewordId, Bits> parts_of(std::uint64_t address, std::size_t bytes) const {
    const auto width = static_cast<std::uint64_t>(code_.data_bits());
    std::map<CodewordId, Bits> parts;
    for (std::uint64_t place = 0; place < bytes * 8; ++place) {
      const std::uint64_t bit = address * 8 + place;
      parts[CodewordId(bit / width)].emplace_back(static_cast<int>(bit % width), place);
    }
    return parts;
  }
  CodewordRead read(CodewordId codeword) const {
    const Word& word = words_[codeword.value];
    const Decoded decoded = code_.decode(word.cells);
    return {decoded.data, decoded.corrected,
            word.is_poisoned ? EccStatus::kDetected : decoded.status, word.is_poisoned};
  }
  void merge_and_write(CodewordId codeword, CodewordRead found, const Bits& bits,
                       std::span<const std::uint8_t> data) {
    for (const auto& [bit, place] : bits) {
      found.data.set_field(bit, 1, (data[place / 8] >> (place % 8)) & 1U);
    }
    write(codeword, found);
  }
  void write(CodewordId codeword, const CodewordRead& read) {
    store(codeword, code_.encode(read.data));
    words_[codeword.value].is_poisoned = read.status == EccStatus::kDetected;
  }
  void store(CodewordId codeword, BitString cells) {
    Word& word = words_[codeword.value];
    for (const auto& [bit, value] : word.stuck) {
      cells.set_field(bit, 1, value ? 1 : 0);
    }
    word.cells = cells;
  }

  const EccCode& code_;
  std::vector<Word> words_;
};

}  // namespace tilestrike::sim

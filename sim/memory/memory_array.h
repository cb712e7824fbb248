// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The state of one memory array: what its cells hold, which cells are stuck, which codewords are
// poisoned (docs/ecc.md, "Writes and reads"). It knows no time: who calls it says in which order
// reads, writes and strikes happen.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/fault.h"
#include "sim/memory/array_geometry.h"
#include "sim/memory/ecc_code.h"

namespace tilestrike::sim {

/// What a read through ECC gives.
struct CodewordRead {
  BitString data;       // after correction; of a DUE as the cells hold it
  BitString corrected;  // the bits of the codeword that the decoder flipped
  EccStatus status = EccStatus::kClean;
  bool is_poisoned = false;  // an earlier DUE that a partial write has met; status is kDetected
};

class MemoryArray {
 public:
  /// An array whose cells are all 0, which is the codeword of 0 in every code. `code` must be that
  /// of the geometry's data and check bits, and outlive the array.
  MemoryArray(const ArrayGeometry& geometry, const EccCode& code);

  const ArrayGeometry& geometry() const { return geometry_; }
  const EccCode& code() const { return *code_; }

  /// The codeword as its cells hold it, check bits included.
  BitString cells(CodewordId codeword) const;
  CodewordRead read(CodewordId codeword) const;

  /// Writes a whole codeword. It ends its upsets and its poison, not what is stuck.
  void write(CodewordId codeword, const BitString& data);
  /// Writes bits [first, first + count) of the data, count from 1 to 64, by reading the codeword,
  /// merging and writing it back. Gives what the read gave.
  CodewordRead write_part(CodewordId codeword, int first, int count, std::uint64_t value);
  /// The second half of a read-modify-write, for callers who do the halves at different times: data
  /// that were changed after `read` are written, whatever the cells hold by now. A corrected word
  /// is written clean; an uncorrectable one stays so, by its poison; wrong data are baked in.
  void write_back(CodewordId codeword, const CodewordRead& read);
  /// One step of a scrubber: a corrected word is written back, any other is left as it is.
  CodewordRead scrub(CodewordId codeword);

  /// Inverts a cell, unless it is stuck; whether it was.
  bool flip(CodewordBit bit);
  bool flip(const Cell& cell) { return flip(geometry_.bit_at(cell)); }
  /// Holds a cell at `value`, through every write, until released. Whether it had another value.
  bool hold(CodewordBit bit, bool value);
  /// The cell keeps its value, and the next write can change it.
  void release(CodewordBit bit);

  /// The array as a store of words of 64 cells: codeword w begins at word w * words_per_codeword().
  int words_per_codeword() const { return words_per_codeword_; }
  /// The record that acts on `bit` of the store: a flip, a stuck cell or a given random value.
  WordFault fault_of(StoreId store, CodewordBit bit, FaultKind kind,
                     bool random_value = false) const;
  /// Lets a record on this store act. Whether any cell has another value now.
  bool apply(const WordFault& fault);

  /// As it was made: all cells 0, nothing stuck, nothing poisoned.
  void clear();

 private:
  static constexpr std::uint64_t kPageCodewords = 256;
  struct Page {
    std::vector<std::uint64_t> words;
    std::bitset<kPageCodewords> poisoned;
  };
  struct Held {
    BitString mask, value;
  };

  bool is_poisoned(CodewordId codeword) const;
  /// The page of a codeword, made at its first use.
  Page& page_of(CodewordId codeword);
  /// Stores cells as a write or strike leaves them: what is stuck stays.
  void store(CodewordId codeword, const BitString& cells);

  ArrayGeometry geometry_;
  const EccCode* code_;
  int words_per_codeword_;
  std::vector<std::unique_ptr<Page>> pages_;  // none: all cells 0
  std::unordered_map<std::uint64_t, Held> held_;
};

}  // namespace tilestrike::sim

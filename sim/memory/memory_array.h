// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The state of one memory array: what its cells hold, which cells are stuck, which codewords are
// poisoned (docs/ecc.md, "Writes and reads"). It knows no time: who calls it says in which order
// reads, writes and strikes happen.
//
// Its data lie as plain bytes. Only of codewords whose cells are no codeword of the code, that are
// stuck somewhere or poisoned are cells kept: all others decode to the bytes that were written.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/fault.h"
#include "sim/ecc/ecc_code.h"
#include "sim/memory/array_geometry.h"

namespace tilestrike::sim {

/// What a read through ECC gives.
struct CodewordRead {
  BitString data;       // after correction; of a DUE as the cells hold it
  BitString corrected;  // the bits of the codeword that the decoder flipped
  EccStatus status = EccStatus::kClean;
  bool is_poisoned = false;  // an earlier DUE that a partial write has met; status is kDetected
};

/// A codeword that a read of bytes has met and in which ECC found an error.
struct CodewordFinding {
  CodewordId codeword;
  EccStatus status = EccStatus::kClean;  // never kClean
  bool is_poisoned = false;
  friend bool operator==(const CodewordFinding&, const CodewordFinding&) = default;
};

/// The first half of a read-modify-write of a range of bytes: what its second half must know.
struct HeldRead {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
  /// Codewords that the range covers in part, or in which ECC found an error.
  std::vector<std::pair<CodewordId, CodewordRead>> codewords;
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

  // The same by bytes: data bit b of codeword w is bit (w * data bits + b) of the array's bytes.
  // Errors are added to `findings`, in the order of codewords. Ranges lie within the capacity.
  std::uint64_t bytes() const { return geometry_.data_cells() / 8; }
  void read_bytes(std::uint64_t address, std::span<std::uint8_t> out,
                  std::vector<CodewordFinding>& findings) const;
  /// Codewords that are covered in part are read, merged and written back at once.
  void write_bytes(std::uint64_t address, std::span<const std::uint8_t> data,
                   std::vector<CodewordFinding>& findings);
  /// A read-modify-write in two halves: what strikes the codewords in between is lost.
  HeldRead read_and_hold(std::uint64_t address, std::span<std::uint8_t> out,
                         std::vector<CodewordFinding>& findings) const;
  void write_back_bytes(const HeldRead& read, std::span<const std::uint8_t> data);

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

  /// Whether a read of the codeword may give anything else than what was last written.
  bool is_marked(CodewordId codeword) const {
    return !marked_.empty() && marked_.contains(first_bit(codeword));
  }

  bool has_marked() const { return !marked_.empty(); }

  /// As it was made: all cells 0, nothing stuck, nothing poisoned.
  void clear();

 private:
  static constexpr int kPageBits = 12;
  static constexpr std::uint64_t kPageBytes = std::uint64_t{1} << kPageBits;
  using Page = std::array<std::uint8_t, kPageBytes>;
  struct Marked {
    BitString cells;
    BitString held, value;  // which cells are stuck, and at what
    bool is_poisoned = false;
  };
  using MarkedWords = std::map<std::uint64_t, Marked>;  // by the codeword's first data bit

  std::uint64_t first_bit(CodewordId codeword) const {
    return codeword.value * static_cast<std::uint64_t>(code_->data_bits());
  }
  CodewordId codeword_of(std::uint64_t bit) const {
    return CodewordId(bit / static_cast<std::uint64_t>(code_->data_bits()));
  }
  /// The marked codewords that a range of bytes meets: from the first on, up to one that begins at
  /// bit (address + bytes) * 8 or behind it.
  template <class Words>
  static auto first_marked(Words& marked, std::uint64_t address, int data_bits);

  void copy_out(std::uint64_t address, std::span<std::uint8_t> out) const;
  void copy_in(std::uint64_t address, std::span<const std::uint8_t> data);
  BitString data_of(CodewordId codeword) const;  // the plain bytes of a codeword
  void set_data(CodewordId codeword, const BitString& data);
  CodewordRead read_marked(const Marked& marked) const;
  /// Data bits of a codeword that a range of bytes covers, and back.
  void overlay(CodewordId codeword, const BitString& data, std::uint64_t address,
               std::span<std::uint8_t> out) const;
  BitString merged(CodewordId codeword, BitString data, std::uint64_t address,
                   std::span<const std::uint8_t> bytes) const;
  bool is_whole(CodewordId codeword, std::uint64_t address, std::uint64_t bytes) const;
  /// Stores cells as a write or strike leaves them: what is stuck stays. The poison is as given.
  void store(CodewordId codeword, const BitString& cells, bool is_poisoned);
  bool is_poisoned(CodewordId codeword) const;

  ArrayGeometry geometry_;
  const EccCode* code_;
  int words_per_codeword_;
  std::vector<std::unique_ptr<Page>> pages_;  // none: all data 0
  MarkedWords marked_;
};

}  // namespace tilestrike::sim

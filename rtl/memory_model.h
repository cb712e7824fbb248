// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The memory in RTL, Verilated: banks of cells with column multiplexing and ECC. Its cells, its
// answers and its poison must equal those of sim::MemoryArray (docs/rtl.md).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rtl/verilated_memory.h"
#include "sim/memory/memory_array.h"

namespace tilestrike::rtl {

/// As ts_memory.sv numbers them.
enum class MemoryOperation : std::uint8_t { kRead, kWrite, kAdd, kScrub };

/// What the first half of an operation has read.
struct MemoryAnswer {
  sim::CodewordId codeword;
  sim::CodewordRead read;
};

class MemoryModel {
 public:
  /// Whether the RTL was Verilated with this geometry, code and overflow of sums.
  static bool is_built(const sim::ArrayConfig& array, sim::EccKind ecc, sim::Overflow overflow);

  /// Cells, registers and poison are zero. Throws Failure where !is_built(). `geometry` and `code`
  /// are of one codeword, and `code` must outlive the model.
  MemoryModel(const sim::ArrayGeometry& geometry, const sim::EccCode& code,
              sim::Overflow overflow = sim::Overflow::kWrap);

  /// The first clock edge of an operation; none is under way. Data bits that `mask` lacks are left
  /// as they are; a read and a scrub take neither, a scrub no codeword. Nothing is read before a
  /// whole codeword is written, and before any write without ECC.
  std::optional<MemoryAnswer> begin(MemoryOperation operation, sim::CodewordId codeword,
                                    const sim::BitString& data = {},
                                    const sim::BitString& mask = {});
  /// The second edge, if the operation has one.
  void finish();
  /// Both.
  std::optional<MemoryAnswer> run(MemoryOperation operation, sim::CodewordId codeword,
                                  const sim::BitString& data = {}, const sim::BitString& mask = {});
  /// Whether a second half is due.
  bool is_busy() const { return *ports_.ready == 0; }

  const sim::ArrayGeometry& geometry() const { return geometry_; }
  bool cell(const sim::Cell& cell) const;
  /// A codeword as its cells hold it, check bits included.
  sim::BitString cells(sim::CodewordId codeword) const;
  bool is_poisoned(sim::CodewordId codeword) const;

  // Strikes, after an edge: what is combinational settles before the next one.
  /// Inverts a cell, unless it is stuck; whether it was.
  bool flip(const sim::Cell& cell);
  /// Holds a cell at `value` over every evaluation, until released. Whether it had another value.
  bool hold(const sim::Cell& cell, bool value);
  /// The cell keeps its value, and the next write can change it.
  void release(const sim::Cell& cell);
  /// Inverts one bit of any storage element, by the name that visit_storage() gives. The word and
  /// the bit are of it.
  void flip_storage(const std::string& name, int word, int bit);

  /// Every storage element that the design lets be struck, by its name below the top module, with
  /// its words and the bits of a word.
  void visit_storage(
      const std::function<void(const std::string&, int words, int bits)>& visit) const;

 private:
  using Storage = VerilatedMemory::Storage;
  void edge();
  bool put(const sim::Cell& cell, bool value);

  const sim::ArrayGeometry geometry_;
  const sim::EccCode& code_;
  std::unique_ptr<VerilatedMemory> model_;
  VerilatedMemory::Ports ports_;
  std::map<std::string, Storage> storage_;  // by name
  std::vector<Storage> banks_;
  Storage poison_;  // none without ECC
  std::map<sim::Cell, bool> held_;
};

}  // namespace tilestrike::rtl

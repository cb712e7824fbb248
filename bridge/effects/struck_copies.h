// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What of a layer on the mesh is struck on the chip: its copies as they are loaded, and which
// passes must be simulated for it (docs/platform.md, "Struck passes").
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "bridge/effects/layer_effect.h"
#include "bridge/exposure/residency.h"

namespace tilestrike::bridge {

class StruckCopies {
 public:
  /// Both must outlive this object.
  StruckCopies(const Residency& residency, const MeshStrike& strike);

  /// A struck codeword of a copy of an operand.
  struct Operand {
    std::int64_t address = 0;          // of the codeword's first byte
    std::vector<std::uint8_t> loaded;  // its bytes
    bool is_from_struck = false;       // the backing copy is wrong, too
  };
  const std::vector<Operand>& operands() const { return operands_; }  // as the strike has them
  const std::vector<int>& passes() const { return passes_; }          // in order
  const std::set<std::int64_t>& blocks() const { return blocks_; }    // whose sums are struck

  /// Whether the codeword that begins `offset` bytes into a copy is one of the contents.
  bool is_struck(const OperandCopies& copies, std::int64_t copy, std::int64_t offset) const {
    return struck_.contains({&copies, copy, offset});
  }
  /// Bytes [offset, offset + out.size()) of a copy as it is loaded; zeros beyond its data.
  void fill(const Copies& copies, std::int64_t copy, std::int64_t offset,
            std::span<std::uint8_t> out) const;
  /// The content that a read in `cycle` of a struck codeword meets, the last one written before: by
  /// its place among the operands, then among the sums.
  std::size_t content_of(std::size_t memory, sim::CodewordId codeword, Cycle cycle) const;

 private:
  void add_operand(const StruckContent& struck, std::set<int>& passes);
  void add_sums(const StruckContent& struck, std::set<int>& passes);
  /// By place as content_of() counts.
  const StruckContent& content(std::size_t place) const {
    const auto& [operands, sums] = strike_.on_chip;
    return place < operands.size() ? operands[place] : sums[place - operands.size()];
  }

  const Residency& residency_;
  const MeshStrike& strike_;
  std::vector<Operand> operands_;
  std::vector<int> passes_;
  std::set<std::int64_t> blocks_;
  std::set<std::tuple<const Copies*, std::int64_t, std::int64_t>> struck_;  // kind, copy, offset
  // By memory and codeword, in order of time.
  std::map<std::pair<std::size_t, std::uint64_t>, std::vector<std::size_t>> of_word_;
};

}  // namespace tilestrike::bridge

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
#include "bridge/exposure/copies.h"
#include "bridge/exposure/residency.h"

namespace tilestrike::bridge {

class StruckCopies {
 public:
  using Kind = Occupant::Kind;

  /// Both must outlive this object.
  StruckCopies(const Residency& residency, const MeshStrike& strike);

  /// One struck content; of sums only the address is set.
  struct Content {
    std::int64_t address = 0;          // of the codeword's first byte
    std::vector<std::uint8_t> loaded;  // its bytes
    bool is_from_struck = false;       // the backing copy is wrong, too
  };
  const std::vector<Content>& contents() const { return contents_; }  // as MeshStrike::on_chip
  const std::vector<int>& passes() const { return passes_; }          // in order
  const std::set<std::int64_t>& blocks() const { return blocks_; }    // whose sums are struck

  /// Whether the codeword that begins `offset` bytes into a copy is one of the contents.
  bool is_struck(Kind kind, std::int64_t copy, std::int64_t offset) const {
    return struck_.contains({kind, copy, offset});
  }
  /// Bytes [offset, offset + out.size()) of a copy as it is loaded; zeros beyond its data.
  void fill(Kind kind, std::int64_t copy, std::int64_t offset, std::span<std::uint8_t> out) const;
  /// Which content a read in `cycle` of a struck codeword meets: the last one written before.
  std::size_t content_of(std::size_t memory, sim::CodewordId codeword, Cycle cycle) const;

 private:
  CopyByte place(Kind kind, std::int64_t copy, std::int64_t offset) const;
  void add_copy(const StruckContents::Content& struck, Content& content, std::set<int>& passes);

  const Residency& residency_;
  const MeshStrike& strike_;
  std::vector<Content> contents_;
  std::vector<int> passes_;
  std::set<std::int64_t> blocks_;
  std::set<std::tuple<Kind, std::int64_t, std::int64_t>> struck_;  // kind, copy, offset
  // By memory and codeword, in order of time.
  std::map<std::pair<std::size_t, std::uint64_t>, std::vector<std::size_t>> of_word_;
};

}  // namespace tilestrike::bridge

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Every flip-flop of a mesh as a site: the bijection between site numbers and (register, place,
// bit), with the totals that rates are built on (docs/mesh.md, "Registers").
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "sim/mesh/mesh_config.h"

namespace tilestrike::sim {

/// Register kinds by their place in the mesh; what they hold depends on the dataflow.
enum class Register {
  kActivation,      // a: horizontal operand
  kVertical,        // b: partial sum (WS) or weight operand (OS)
  kLoad,            // d: vertical load and drain pipe
  kValid,           // v: write enable of c0 and c1
  kPropagate,       // s: which of c0 and c1 is active
  kStationary0,     // c0: weight (WS) or accumulator (OS)
  kStationary1,     // c1
  kSkewActivation,  // in front of column 0: row r has r of them
  kSkewVertical,    // in front of row 0: column c has c of each of the next four
  kSkewLoad,
  kSkewValid,
  kSkewPropagate,
  kOutput,  // below the last row
  kDeskew,  // behind the output register: column c has columns - 1 - c
};
inline constexpr int kRegisterKinds = 14;

/// One flip-flop bit, in words. `row` is -1 where a register belongs to a column only, `column`
/// where to a row only; `position` counts along a skew or deskew chain, 0 elsewhere.
struct MeshSite {
  Register kind = Register::kActivation;
  int row = -1;
  int column = -1;
  int position = 0;
  int bit = 0;
  friend bool operator==(const MeshSite&, const MeshSite&) = default;
};

/// All registers of one kind: `cells` registers of `bits` bits, sites first .. first + size() - 1,
/// cell by cell, least significant bit first.
struct RegisterBlock {
  Register kind;
  std::string name;   // as in scenarios and results: "partial_sum"
  std::string about;  // one line for `tilestrike list registers`
  std::uint64_t first = 0;
  std::uint64_t cells = 0;
  int bits = 0;
  std::uint64_t size() const { return cells * static_cast<std::uint64_t>(bits); }
};

class MeshSites {
 public:
  explicit MeshSites(const MeshConfig& config);

  std::uint64_t total_bits() const { return total_; }
  std::span<const RegisterBlock> blocks() const { return blocks_; }
  const RegisterBlock& block(Register kind) const;
  /// Null where no register has this name.
  const RegisterBlock* block_named(std::string_view name) const;
  MeshSite describe(SiteId site) const;
  /// The inverse of describe(). Requires a site that exists.
  SiteId id_of(const MeshSite& site) const;
  /// The same of a place that somebody names; nothing where this mesh has no such site. An index by
  /// which the register is not found must not be given (below 0, a position 0).
  std::optional<SiteId> find(const MeshSite& place) const;
  /// Each index by which a register of this kind is found, with its values, and "bit (0 to 7)".
  std::vector<std::string> indices(Register kind) const;
  /// "partial_sum[3][5] bit 12", "skew_activation[4] position 2 bit 0".
  std::string text(SiteId site) const;

  /// Clock edges between the edge inputs and this register: at state t it holds wavefront
  /// t - 1 - delay. For kStationary0/1: at state t it is as before wavefront t - 1 - delay.
  int delay(const MeshSite& site) const;

 private:
  MeshConfig config_;
  std::vector<RegisterBlock> blocks_;
  std::array<std::uint64_t, kRegisterKinds> firsts_{};  // of the blocks, close together
  std::uint64_t total_ = 0;

  int chain_length(const MeshSite& place) const;
};

}  // namespace tilestrike::sim

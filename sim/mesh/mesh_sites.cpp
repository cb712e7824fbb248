// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/mesh_sites.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"

namespace tilestrike::sim {
namespace {

enum class Layout { kPe, kRowChain, kColumnChain, kColumn, kDeskewChain };

// Of each kind, in its order: where its registers lie, and what their delay adds up from. Tables,
// not branches: strikes come in no order that a processor could foresee.
struct Placing {
  Layout layout;
  int per_row, per_column, per_position;  // of the delay
  int below_mesh, behind_output;          // 1: the mesh's rows come in front of it; one more
};
constexpr Placing kInPe{Layout::kPe, 1, 1, 0, 0, 0};
constexpr Placing kInColumnChain{Layout::kColumnChain, 0, 0, 1, 0, 0};
constexpr Placing kPlacings[kRegisterKinds] = {
    kInPe,
    kInPe,
    kInPe,
    kInPe,
    kInPe,
    kInPe,
    kInPe,
    {Layout::kRowChain, 0, 0, 1, 0, 0},
    kInColumnChain,
    kInColumnChain,
    kInColumnChain,
    kInColumnChain,
    {Layout::kColumn, 0, 1, 0, 1, 0},
    {Layout::kDeskewChain, 0, 1, 1, 1, 1},
};
static_assert(static_cast<int>(Register::kSkewActivation) == 7 &&
              static_cast<int>(Register::kOutput) == 12);

const Placing& placing_of(Register kind) { return kPlacings[static_cast<std::size_t>(kind)]; }
Layout layout_of(Register kind) { return placing_of(kind).layout; }

// Of each layout, in its order: the indices by which a register is found.
struct Finding {
  bool has_row, has_column;
  const char* chain;  // how long its chain is; null: it is in none
};
constexpr Finding kFindings[] = {{true, true, nullptr},
                                 {true, false, "row"},
                                 {false, true, "column"},
                                 {false, true, nullptr},
                                 {false, true, "columns - 1 - column"}};

const Finding& finding_of(Register kind) {
  return kFindings[static_cast<std::size_t>(layout_of(kind))];
}

// Chains of length 0, 1, 2, ... laid one after another: chain n starts at n (n - 1) / 2.
std::uint64_t triangle(std::uint64_t n) { return n * (n - 1) / 2; }

int chain_of(std::uint64_t cell) {
  int chain = static_cast<int>((1.0F + std::sqrt(1.0F + 8.0F * static_cast<float>(cell))) / 2.0F);
  while (triangle(static_cast<std::uint64_t>(chain)) > cell) {
    --chain;
  }
  while (triangle(static_cast<std::uint64_t>(chain) + 1) <= cell) {
    ++chain;
  }
  return chain;
}

}  // namespace

MeshSites::MeshSites(const MeshConfig& config) : config_(config) {
  const bool ws = config.is_weight_stationary();
  const auto rows = static_cast<std::uint64_t>(config.rows);
  const auto columns = static_cast<std::uint64_t>(config.columns);
  const std::uint64_t pes = rows * columns;
  const int vertical = ws ? 32 : 8;
  const int load = ws ? 8 : 32;
  const int stationary = ws ? 8 : 32;
  const std::string vertical_name = ws ? "partial_sum" : "weight";
  const std::string held = ws ? "weight" : "accumulator";
  const auto add = [&](Register kind, std::string name, std::uint64_t cells, int bits,
                       std::string about) {
    firsts_[blocks_.size()] = total_;
    blocks_.push_back({kind, std::move(name), std::move(about), total_, cells, bits});
    total_ += blocks_.back().size();
  };
  add(Register::kActivation, "activation", pes, 8, "horizontal operand of a PE");
  add(Register::kVertical, vertical_name, pes, vertical,
      ws ? "partial sum entering a PE from above" : "weight operand entering a PE from above");
  add(Register::kLoad, "load", pes, load,
      ws ? "vertical pipe that loads weights" : "vertical pipe that loads and drains accumulators");
  add(Register::kValid, "valid", pes, 1, "write enable of the two stationary registers");
  add(Register::kPropagate, "propagate", pes, 1, "which of the two stationary registers is active");
  add(Register::kStationary0, held + "_0", pes, stationary,
      "stationary " + held + ", active while propagate is 0");
  add(Register::kStationary1, held + "_1", pes, stationary,
      "stationary " + held + ", active while propagate is 1");
  add(Register::kSkewActivation, "skew_activation", triangle(rows), 8,
      "delays the activations of row r by r");
  add(Register::kSkewVertical, "skew_" + vertical_name, triangle(columns), vertical,
      "delays the " + vertical_name + " input of column c by c");
  add(Register::kSkewLoad, "skew_load", triangle(columns), load,
      "delays the load input of column c by c");
  add(Register::kSkewValid, "skew_valid", triangle(columns), 1, "delays valid of column c by c");
  add(Register::kSkewPropagate, "skew_propagate", triangle(columns), 1,
      "delays propagate of column c by c");
  add(Register::kOutput, "output", columns, 32, "result below the last row");
  add(Register::kDeskew, "deskew", triangle(columns), 32,
      "delays the results of column c by columns - 1 - c");
}

const RegisterBlock& MeshSites::block(Register kind) const {
  return blocks_[static_cast<std::size_t>(kind)];
}

const RegisterBlock* MeshSites::block_named(std::string_view name) const {
  const auto found = std::ranges::find(blocks_, name, &RegisterBlock::name);
  return found == blocks_.end() ? nullptr : &*found;
}

MeshSite MeshSites::describe(SiteId site) const {
  TS_CHECK(site.value < total_, "site beyond the mesh");
  // Blocks without cells share their first site with the next: take the last that starts here.
  std::size_t which = 0;
  for (std::size_t next = 1; next < firsts_.size(); ++next) {
    which += site.value >= firsts_[next] ? 1 : 0;
  }
  const RegisterBlock& block = blocks_[which];
  const std::uint64_t offset = site.value - block.first;
  const int shift = std::countr_zero(static_cast<unsigned>(block.bits));  // 1, 8 or 32
  const std::uint64_t cell = offset >> shift;
  MeshSite result;
  result.kind = block.kind;
  result.bit = static_cast<int>(offset & static_cast<std::uint64_t>(block.bits - 1));
  switch (layout_of(block.kind)) {
    case Layout::kPe:
      result.row =
          static_cast<int>(static_cast<unsigned>(cell) / static_cast<unsigned>(config_.columns));
      result.column = static_cast<int>(cell) - result.row * config_.columns;
      break;
    case Layout::kRowChain:
      result.row = chain_of(cell);
      result.position = static_cast<int>(cell - triangle(static_cast<std::uint64_t>(result.row)));
      break;
    case Layout::kColumnChain:
      result.column = chain_of(cell);
      result.position =
          static_cast<int>(cell - triangle(static_cast<std::uint64_t>(result.column)));
      break;
    case Layout::kColumn:
      result.column = static_cast<int>(cell);
      break;
    case Layout::kDeskewChain: {
      const int chain = chain_of(cell);
      result.column = config_.columns - 1 - chain;
      result.position = static_cast<int>(cell - triangle(static_cast<std::uint64_t>(chain)));
      break;
    }
  }
  return result;
}

SiteId MeshSites::id_of(const MeshSite& site) const {
  const RegisterBlock& owner = block(site.kind);
  std::uint64_t cell = 0;
  switch (layout_of(site.kind)) {
    case Layout::kPe:
      cell = static_cast<std::uint64_t>(site.row) * static_cast<std::uint64_t>(config_.columns) +
             static_cast<std::uint64_t>(site.column);
      break;
    case Layout::kColumn:
      cell = static_cast<std::uint64_t>(site.column);
      break;
    case Layout::kRowChain:
    case Layout::kColumnChain:
    case Layout::kDeskewChain:
      cell = triangle(static_cast<std::uint64_t>(chain_length(site))) +
             static_cast<std::uint64_t>(site.position);
      break;
  }
  TS_CHECK(cell < owner.cells && site.bit >= 0 && site.bit < owner.bits, "no such site");
  return SiteId(owner.first + cell * static_cast<std::uint64_t>(owner.bits) +
                static_cast<std::uint64_t>(site.bit));
}

// 1 where there is no chain: the register itself.
int MeshSites::chain_length(const MeshSite& place) const {
  switch (layout_of(place.kind)) {
    case Layout::kPe:
    case Layout::kColumn:
      return 1;
    case Layout::kRowChain:
      return place.row;
    case Layout::kColumnChain:
      return place.column;
    case Layout::kDeskewChain:
      return config_.columns - 1 - place.column;
  }
  return 1;
}

std::optional<SiteId> MeshSites::find(const MeshSite& place) const {
  const Finding& finding = finding_of(place.kind);
  const auto fits = [](int index, bool is_found_by, int end) {
    return is_found_by ? 0 <= index && index < end : index < 0;
  };
  const bool exists = fits(place.row, finding.has_row, config_.rows) &&
                      fits(place.column, finding.has_column, config_.columns) &&
                      fits(place.position, true, chain_length(place)) &&
                      fits(place.bit, true, block(place.kind).bits);
  return exists ? std::optional(id_of(place)) : std::nullopt;
}

std::vector<std::string> MeshSites::indices(Register kind) const {
  const auto below = [](const char* name, int end) {
    return std::string(name) + " (0 to " + std::to_string(end - 1) + ")";
  };
  const Finding& finding = finding_of(kind);
  std::vector<std::string> texts;
  if (finding.has_row) {
    texts.push_back(below("row", config_.rows));
  }
  if (finding.has_column) {
    texts.push_back(below("column", config_.columns));
  }
  if (finding.chain != nullptr) {
    texts.push_back(std::string("position (below ") + finding.chain + ")");
  }
  texts.push_back(below("bit", block(kind).bits));
  return texts;
}

std::string MeshSites::text(SiteId id) const {
  const MeshSite site = describe(id);
  std::string text = block(site.kind).name;
  for (const int index : {site.row, site.column}) {
    text += index >= 0 ? "[" + std::to_string(index) + "]" : "";
  }
  if (finding_of(site.kind).chain != nullptr) {
    text += " position " + std::to_string(site.position);
  }
  return text + " bit " + std::to_string(site.bit);
}

int MeshSites::delay(const MeshSite& site) const {
  const Placing& placing = placing_of(site.kind);
  return placing.per_row * site.row + placing.per_column * site.column +
         placing.per_position * site.position + placing.below_mesh * config_.rows +
         placing.behind_output;
}

}  // namespace tilestrike::sim

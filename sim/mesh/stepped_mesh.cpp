// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/stepped_mesh.h"

#include <algorithm>

#include "sim/mesh/arithmetic.h"

namespace tilestrike::sim {
namespace {

// Chains of length 0, 1, 2, ... lie one after another: where the one of this length starts.
std::size_t chain_start(int length) {
  return static_cast<std::size_t>(length) * static_cast<std::size_t>(length - 1) / 2;
}

}  // namespace

SteppedMesh::SteppedMesh(const MeshConfig& config, const MeshSites& sites)
    : config_(config), sites_(sites) {
  for (const RegisterBlock& block : sites.blocks()) {
    now_.emplace_back(block.cells, 0);
  }
  next_ = now_;
}

void SteppedMesh::set_state(const MeshState& state) {
  for (const auto& [kind, words] : {std::pair(Register::kStationary0, &state.stationary[0]),
                                    std::pair(Register::kStationary1, &state.stationary[1])}) {
    Cells& cells = now_[static_cast<std::size_t>(kind)];
    if (words->empty()) {
      std::fill(cells.begin(), cells.end(), 0);
    } else {
      cells = *words;
    }
  }
}

MeshState SteppedMesh::state() const {
  return {{now(Register::kStationary0), now(Register::kStationary1)}};
}

std::size_t SteppedMesh::pe_cell(int row, int column) const {
  return static_cast<std::size_t>(row) * static_cast<std::size_t>(config_.columns) +
         static_cast<std::size_t>(column);
}

SteppedMesh::Pe SteppedMesh::compute(int row, int column) const {
  const std::size_t cell = pe_cell(row, column);
  const std::int64_t a = now(Register::kActivation)[cell];
  const std::int32_t b = now(Register::kVertical)[cell];
  const bool is_valid = now(Register::kValid)[cell] != 0;
  const int active = now(Register::kPropagate)[cell];
  const int shadow = 1 - active;
  Pe pe{};
  pe.stationary[0] = now(Register::kStationary0)[cell];
  pe.stationary[1] = now(Register::kStationary1)[cell];
  pe.load = pe.stationary[shadow];
  if (config_.is_weight_stationary()) {
    pe.vertical = sum_of(b, a * pe.stationary[active], config_.overflow);
  } else {
    pe.vertical = b;
    if (is_valid) {
      pe.stationary[active] = sum_of(pe.stationary[active], a * b, config_.overflow);
    }
  }
  if (is_valid) {
    pe.stationary[shadow] = now(Register::kLoad)[cell];
  }
  return pe;
}

std::int32_t SteppedMesh::shift_chain(Register kind, int length, std::int32_t entering) {
  for (int position = 0; position < length; ++position) {
    const std::size_t cell = chain_start(length) + static_cast<std::size_t>(position);
    next(kind)[cell] = entering;
    entering = now(kind)[cell];
  }
  return entering;
}

void SteppedMesh::step(const EdgeValues& edge) {
  for (int r = 0; r < config_.rows; ++r) {
    next(Register::kActivation)[pe_cell(r, 0)] =
        shift_chain(Register::kSkewActivation, r, edge.activations[r]);
    for (int c = 1; c < config_.columns; ++c) {
      next(Register::kActivation)[pe_cell(r, c)] = now(Register::kActivation)[pe_cell(r, c - 1)];
    }
  }
  for (int c = 0; c < config_.columns; ++c) {
    const std::size_t top = pe_cell(0, c);
    next(Register::kVertical)[top] = shift_chain(Register::kSkewVertical, c, edge.vertical[c]);
    next(Register::kLoad)[top] = shift_chain(Register::kSkewLoad, c, edge.load[c]);
    next(Register::kValid)[top] = shift_chain(Register::kSkewValid, c, edge.valid);
    next(Register::kPropagate)[top] = shift_chain(Register::kSkewPropagate, c, edge.propagate);
    for (int r = 0; r < config_.rows; ++r) {
      const std::size_t cell = pe_cell(r, c);
      const Pe pe = compute(r, c);
      next(Register::kStationary0)[cell] = pe.stationary[0];
      next(Register::kStationary1)[cell] = pe.stationary[1];
      if (r + 1 < config_.rows) {
        const std::size_t below = pe_cell(r + 1, c);
        next(Register::kVertical)[below] = pe.vertical;
        next(Register::kLoad)[below] = pe.load;
        next(Register::kValid)[below] = now(Register::kValid)[cell];
        next(Register::kPropagate)[below] = now(Register::kPropagate)[cell];
      } else {
        const auto column = static_cast<std::size_t>(c);
        next(Register::kOutput)[column] = config_.is_weight_stationary() ? pe.vertical : pe.load;
        shift_chain(Register::kDeskew, config_.columns - 1 - c, now(Register::kOutput)[column]);
      }
    }
  }
  now_.swap(next_);
}

SteppedMesh::Words SteppedMesh::strike(const RegisterFault& fault) {
  const MeshSite site = sites_.describe(fault.site);
  const RegisterBlock& block = sites_.block(site.kind);
  const std::uint64_t cell =
      (fault.site.value - block.first) / static_cast<std::uint64_t>(block.bits);
  std::int32_t& word = now_[static_cast<std::size_t>(site.kind)][cell];
  const std::int32_t before = word;
  word = struck(word, site.bit, block.bits, fault.kind);
  return {before, word};
}

std::int32_t SteppedMesh::collected(int column) const {
  const int length = config_.columns - 1 - column;
  return length == 0 ? now(Register::kOutput)[static_cast<std::size_t>(column)]
                     : now(Register::kDeskew)[chain_start(length + 1) - 1];
}

}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One trial as it was drawn: what strikes where and when, as it acts and as it was asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/ids.h"
#include "bridge/words/strike_job.h"
#include "sim/memory/array_geometry.h"
#include "sim/strikes/cluster.h"
#include "sim/strikes/rates.h"

namespace tilestrike::campaigns {

/// A struck register of the mesh.
struct DrawnFault {
  RegisterFault fault;  // of kind kRandom as it was asked for
  bool acts = true;     // false: the random value is the one that the bit has
};

/// A struck cell.
struct DrawnCell {
  CellFault fault;   // of kind kRandom as it was asked for
  bool acts = true;  // false: the random value is the one that the cell has
};

/// A strike on memories, or on the mesh by its rate.
struct DrawnStrike {
  std::size_t structure = 0;          // of the first event
  std::optional<std::size_t> memory;  // of the first event; nothing: the mesh
  std::optional<std::size_t> group;
  std::optional<sim::Radiation> radiation;
  Cycle cycle = 0;
  sim::Cell struck;                       // of the first event
  std::vector<sim::ClusterCell> cluster;  // around it, before any cell is cut off
  std::vector<DrawnCell> cells;           // sorted by memory, then bit; no cell twice
  std::int64_t codewords = 0;             // that they belong to
  std::optional<CellFault> first;         // of failures: the struck cell, whether it acts or not
  std::string about;                      // of failures: what has failed
  std::uint64_t failing = 0;              // of failures: cells, also where nothing ever lies
  std::int64_t events = 1;
  double weight = 1.0;
};

/// A struck bit of a tensor, for people; the WordFault that it becomes may hold others on the same
/// word.
struct DrawnBit {
  StoreId store;
  std::uint64_t word = 0;
  int bit = -1;  // -1: all selected bits of the word (a random value)
  FaultKind kind = FaultKind::kFlip;
};

/// A strike on tensors.
struct DrawnWords {
  std::vector<WordFault> faults;       // normalised, each word once
  std::uint64_t count = 0;             // faults drawn
  std::vector<DrawnBit> first;         // the first kMostDrawnBits of them, by store, word and bit
  std::optional<std::size_t> stratum;  // of a divided population
};
inline constexpr std::size_t kMostDrawnBits = 64;

struct DrawnTrial {
  TrialId trial;
  std::optional<ImageId> image;       // nothing: judged on every image in use
  std::vector<DrawnFault> faults;     // on the mesh; else none
  DrawnWords words;                   // on tensors; else none
  std::optional<DrawnStrike> strike;  // on memories; on the mesh, too, where it is drawn by rate
  bridge::ScrubPhases scrub_phases;   // where memories are struck: of each of them

  /// Not null: cells of memories are struck, and perhaps registers, too.
  const DrawnStrike* in_memory() const;
  /// What strikes: without random faults, which have become a flip or nothing.
  bridge::StrikeJob job() const& { return DrawnTrial(*this).job(); }
  /// The same without a copy of its words, of which there may be ten million.
  bridge::StrikeJob job() &&;
  /// Where a trial that strikes nothing is masked: cells failed that never hold anything, or random
  /// values were the ones that the bits have.
  MaskedAt masked_at() const;
};

}  // namespace tilestrike::campaigns

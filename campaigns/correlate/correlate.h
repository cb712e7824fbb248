// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The same mesh faults through several engines: where, if anywhere, they part
// (docs/correlate.md).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "campaigns/correlate/correlation_rows.h"
#include "campaigns/run/runner.h"
#include "sim/compare/correlation.h"

namespace tilestrike::campaigns {

struct CorrelateRequest {
  std::vector<std::string> engines;   // empty: all of this build
  std::optional<std::int64_t> trial;  // this one alone; empty: all
  std::int64_t scenario = 0;          // point of the sweep that `trial` is of
  std::string out;                    // SQLite file; empty: none
  std::string vcd_folder;             // of the first disagreement, or of `trial`; empty: none
};

/// The faults of a cell of the matrix: one engine pair, kind of register and phase.
struct PairCounts {
  std::int64_t agreed = 0, differed = 0, not_covered = 0;
  std::int64_t with_end = 0;     // of those covered: end states compared, too
  std::int64_t with_states = 0;  // all registers compared, too
  std::int64_t compared() const { return agreed + differed; }
  void add(const PairCounts& more);
};

/// Faults of one kind of register, or of one phase of it.
struct FaultCounts {
  std::int64_t strikes = 0;    // that met a run of the mesh
  std::int64_t unchanged = 0;  // the register's bit had the value
  std::int64_t masked = 0;     // changed, but no result of a pass differs from golden
  std::int64_t corrupted = 0;
  std::int64_t agreed = 0;    // by every pair that covers
  std::int64_t differed = 0;  // by at least one
  std::int64_t compared() const { return agreed + differed; }
  void add(const FaultCounts& more);
};

struct EnginePair {
  std::string first, second;
};

/// One scenario of the campaign.
struct PointCorrelation {
  std::int64_t number = 0;  // in the sweep
  std::string label, title, population;
  std::string document;  // expanded, YAML
  double confidence = 0.95;
  bool is_census = false;        // every fault of the population was struck
  std::int64_t planned = 0;      // trials
  std::int64_t struck = 0;       // trials done
  std::int64_t without_run = 0;  // of these: nothing was on the mesh
  std::vector<std::string> engines;
  std::vector<EnginePair> pairs;
  bool compares_states = false;  // two engines step
  std::vector<std::string> notes;
  std::vector<std::string> registers;  // by sim::Register
  /// By register and phase.
  std::vector<std::array<FaultCounts, sim::kPhases>> faults;
  /// By pair, register and phase.
  std::vector<std::vector<std::array<PairCounts, sim::kPhases>>> matrix;
  std::optional<CorrelatedFault> first;  // that a pair differs on, by trial
  std::vector<std::string> waveforms;    // of that one, or of the trial that was asked for

  FaultCounts all() const;
  FaultCounts of_register(std::size_t kind) const;
  PairCounts of_pair(std::size_t pair) const;
  /// Upper bound, one-sided, of the rate of faults on which a pair differs; 0 disagreements of a
  /// census: 0.
  double bound(std::int64_t differed, std::int64_t compared) const;
};

struct CorrelationReport {
  bool is_interrupted = false;
  bool has_rtl = false;  // this build has
  std::vector<PointCorrelation> points;
  bool agrees() const;  // on all faults
  /// Whether there is a scenario of which no fault was compared: that shows nothing.
  bool is_empty() const;
  /// 0: all agree; 1: they do not, or a scenario shows nothing; 130: interrupted.
  int exit_code() const;
};

/// Draws each scenario's trials as a campaign does, and compares the engines on the mesh runs that
/// they strike. Throws Failure for what does not strike registers of the mesh, for engines that do
/// not exist, or less than two of them.
CorrelationReport correlate(const Campaign& campaign, const CorrelateRequest& request,
                            const Surroundings& surroundings);

}  // namespace tilestrike::campaigns

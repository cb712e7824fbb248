// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The same faults of neuromorphic cores through several engines: where, if anywhere, they part
// (docs/correlate.md, "Cores").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "campaigns/correlate/correlate.h"

namespace tilestrike::campaigns {

/// Two engines.
struct CorePairCounts {
  EnginePair engines;
  std::int64_t agreed = 0, differed = 0, not_covered = 0;
  std::int64_t with_states = 0;  // of those covered: all storage after every edge, too
};

/// Faults whose first bit is of one field.
struct CoreFieldCounts {
  std::int64_t strikes = 0;
  std::int64_t dead = 0;       // no live bit was changed
  std::int64_t masked = 0;     // one was, and no spike differs, and no membrane of the answer
  std::int64_t corrupted = 0;  // something differs
  std::int64_t hung = 0;
  std::int64_t differed = 0;  // by at least one pair
};

/// A fault on which two engines differ.
struct CoreDifference {
  std::int64_t trial = 0, image = 0;
  std::string fault;  // "flip of core 1 state bit 2 at cycle 17"
  EnginePair engines;
  std::string answer;  // what differs of the chip; empty: nothing
  std::string state;   // the first storage bit, and its edge; empty: they were not compared
};

/// One scenario of the campaign.
struct CorePoint {
  std::size_t number = 0;  // in the sweep
  std::string label, title, population;
  std::string document;  // expanded
  double confidence = 0.95;
  bool is_census = false;
  std::int64_t planned = 0, struck = 0;
  std::int64_t compared = 0;  // by at least one pair
  std::vector<std::string> engines;
  std::vector<CorePairCounts> pairs;
  std::map<std::string, CoreFieldCounts> fields;
  std::optional<CoreDifference> first;  // by trial
  std::vector<std::string> waveforms;

  std::int64_t differed() const;
  /// Upper bound, one-sided, of the rate of faults on which a pair differs; of a census the rate.
  double bound() const;
};

struct CoreCorrelation {
  bool is_interrupted = false;
  std::vector<CorePoint> points;
  bool agrees() const;
  bool is_empty() const;  // no fault was compared
  int exit_code() const;
};

/// As correlate(), of scenarios that strike bits of cores. Waveforms are of the first core that a
/// trial strikes.
CoreCorrelation correlate_cores(const Campaign& campaign, const CorrelateRequest& request,
                                const Surroundings& surroundings);

Report report_of(const CoreCorrelation& found, const std::string& command);

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What strikes on a memory can come to, enumerated once: points of a sweep, bands and replays share
// what depends on the same law, array and code. Each takes a good part of a second; the latest are
// kept. To be called from any thread.
#pragma once

#include <memory>
#include <vector>

#include "sim/ecc/ecc_code.h"
#include "sim/memory/array_geometry.h"
#include "sim/strikes/accumulation.h"
#include "sim/strikes/strike_strata.h"

namespace tilestrike::campaigns {

/// What the strata of single strikes depend on.
struct StrataKey {
  sim::ClusterLaw law;
  sim::ArrayConfig array;
  sim::EccKind ecc = sim::EccKind::kNone;
  int tap_rows = 0;  // 0: no well taps
  friend bool operator==(const StrataKey&, const StrataKey&) = default;
};

std::shared_ptr<const sim::StrikeStrata> enumerated_strata(const StrataKey& key);

/// What strikes that meet in one codeword depend on.
struct UpsetsKey {
  struct Source {
    sim::ClusterLaw law;
    double per_hour = 0.0;  // events with their struck cell in a given codeword
    friend bool operator==(const Source&, const Source&) = default;
  };
  std::vector<Source> sources;
  sim::CodewordLayout layout;
  sim::EccKind ecc = sim::EccKind::kNone;
  int data_bits = 0;
  friend bool operator==(const UpsetsKey&, const UpsetsKey&) = default;
};

std::shared_ptr<const sim::CodewordUpsets> enumerated_upsets(const UpsetsKey& key);

}  // namespace tilestrike::campaigns

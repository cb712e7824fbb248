// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a code makes of every pattern of flipped bits, counted exhaustively with the codec that the
// simulation uses (docs/ecc.md has the tables).
#pragma once

#include <cstdint>

#include "sim/ecc/ecc_code.h"

namespace tilestrike::sim {

/// What the reader of a codeword with flipped bits gets.
enum class EccFate {
  kCorrected,     // the data as written, and a CE
  kMiscorrected,  // wrong data, and a CE
  kUndetected,    // wrong data as if all were well
  kDetected,      // a DUE
};

/// Requires at least one flipped bit.
EccFate fate_of(const EccCode& code, const BitString& flipped);

struct PatternCounts {
  std::uint64_t patterns = 0;
  std::uint64_t corrected = 0;
  std::uint64_t miscorrected = 0;
  std::uint64_t undetected = 0;
  std::uint64_t detected = 0;
  std::uint64_t detected_clean = 0;  // of the detected: only check bits differ (a false DUE)

  std::uint64_t silent() const { return miscorrected + undetected; }
  void add(const EccCode& code, const BitString& flipped);
  friend bool operator==(const PatternCounts&, const PatternCounts&) = default;
};

/// Over all patterns of `bits` (1 to 4) flipped bits of a codeword.
PatternCounts enumerate_patterns(const EccCode& code, int bits);
/// Over the patterns of `bits` neighbouring bits of a codeword.
PatternCounts enumerate_runs(const EccCode& code, int bits);

struct ClusterCounts {
  std::uint64_t clusters = 0;   // shapes x places
  std::uint64_t corrected = 0;  // clusters all of whose codewords read right
  std::uint64_t detected = 0;   // clusters with a DUE and no silent error
  std::uint64_t silent = 0;     // clusters with a silent error and no DUE
  std::uint64_t both = 0;       // clusters with both, in different codewords
  PatternCounts codewords;      // of every codeword of every cluster
};

/// Over all shapes (each orientation by itself) of `cells` (1 to 10) flipped cells at every place
/// in an endless array whose codewords lie side by side, bit-interleaved at distance `interleave`;
/// rows hold different codewords.
ClusterCounts enumerate_clusters(const EccCode& code, int cells, int interleave = 1);

}  // namespace tilestrike::sim

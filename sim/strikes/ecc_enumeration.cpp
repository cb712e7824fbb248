// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/strikes/ecc_enumeration.h"

#include <map>
#include <tuple>

#include "base/error.h"
#include "sim/strikes/cluster_shapes.h"

namespace tilestrike::sim {
namespace {

// Adds one bit after the other, and keeps the sum of their columns.
void visit_patterns(const EccCode& code, int left, int first, BitString flipped,
                    PatternCounts& counts) {
  for (int bit = first; bit + left <= code.codeword_bits(); ++bit) {
    flipped.flip(bit);
    if (left == 1) {
      counts.add(code, flipped);
    } else {
      visit_patterns(code, left - 1, bit + 1, flipped, counts);
    }
    flipped.flip(bit);
  }
}

}  // namespace

EccFate fate_of(const EccCode& code, const BitString& flipped) {
  const Decoded decoded = code.decode(flipped);
  switch (decoded.status) {
    case EccStatus::kClean:
      return EccFate::kUndetected;
    case EccStatus::kDetected:
      return EccFate::kDetected;
    case EccStatus::kCorrected:
      break;
  }
  return decoded.corrected == flipped ? EccFate::kCorrected : EccFate::kMiscorrected;
}

void PatternCounts::add(const EccCode& code, const BitString& flipped) {
  ++patterns;
  switch (fate_of(code, flipped)) {
    case EccFate::kCorrected:
      ++corrected;
      break;
    case EccFate::kMiscorrected:
      ++miscorrected;
      break;
    case EccFate::kUndetected:
      ++undetected;
      break;
    case EccFate::kDetected:
      ++detected;
      detected_clean += (flipped & BitString::ones(code.data_bits())).any() ? 0 : 1;
      break;
  }
}

PatternCounts enumerate_patterns(const EccCode& code, int bits) {
  TS_CHECK(bits >= 1 && bits <= 4, "patterns of 1 to 4 bits");
  PatternCounts counts;
  visit_patterns(code, bits, 0, {}, counts);
  return counts;
}

PatternCounts enumerate_runs(const EccCode& code, int bits) {
  PatternCounts counts;
  for (int first = 0; first + bits <= code.codeword_bits(); ++first) {
    BitString run;
    for (int bit = first; bit < first + bits; ++bit) {
      run.set(bit);
    }
    counts.add(code, run);
  }
  return counts;
}

ClusterCounts enumerate_clusters(const EccCode& code, int cells, int interleave) {
  const int period = code.codeword_bits() * interleave;
  const auto shapes = enumerate_shapes(0.5, cells);
  ClusterCounts counts;
  for (const ClusterShape& shape : shapes.back()) {
    for (int place = 0; place < period; ++place) {
      std::map<std::tuple<int, int, int>, BitString> codewords;  // row, group, offset within it
      for (const auto& [row, column] : shape.used()) {
        const int within = (place + column) % period;
        codewords[{row, (place + column) / period, within % interleave}].flip(within / interleave);
      }
      bool is_detected = false;
      bool is_silent = false;
      for (const auto& [codeword, flipped] : codewords) {
        counts.codewords.add(code, flipped);
        const EccFate fate = fate_of(code, flipped);
        is_detected |= fate == EccFate::kDetected;
        is_silent |= fate == EccFate::kMiscorrected || fate == EccFate::kUndetected;
      }
      ++counts.clusters;
      counts.corrected += !is_detected && !is_silent ? 1 : 0;
      counts.detected += is_detected && !is_silent ? 1 : 0;
      counts.silent += is_silent && !is_detected ? 1 : 0;
      counts.both += is_silent && is_detected ? 1 : 0;
    }
  }
  return counts;
}

}  // namespace tilestrike::sim

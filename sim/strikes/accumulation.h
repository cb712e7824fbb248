// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Events that meet in one codeword before it is written or scrubbed: each alone would be read
// right, together they are not (docs/accumulation.md). Exact patterns of single events, exact
// pairs, and the rates that follow for contents that stay for some time.
#pragma once

#include <cstddef>
#include <vector>

#include "sim/ecc/bit_string.h"
#include "sim/ecc/ecc_code.h"
#include "sim/strikes/cluster_shapes.h"

namespace tilestrike::sim {

/// What one event leaves in the codewords that it hits.
struct EventPatterns {
  struct Pattern {
    BitString flipped;       // bits of the codeword, not none
    double codewords = 0.0;  // expected number, per event, with exactly these bits flipped
  };
  std::vector<Pattern> patterns;  // each once, in the order of BitString::words
  double not_enumerated = 0.0;    // P(more than kMostEnumeratedCells cells): in none above
  /// Expected number of codewords that such an event hits, at most: one for each cell. Per event.
  double codewords_not_enumerated = 0.0;

  /// Expected number of codewords hit per event.
  double codewords() const;
};

/// Exact over all shapes, struck cells and places of an array without edges; well taps cut
/// clusters. Averaged over the rows between two taps.
EventPatterns patterns_of_event(const ClusterLaw& law, const CodewordLayout& layout);

/// Events of one kind on a memory.
struct EventSource {
  EventPatterns event;
  double per_hour = 0.0;  // events with their struck cell in a given codeword
};
/// Of events at so many FIT per Mbit, EventSource::per_hour.
double events_per_codeword_hour(double fit_per_mbit, int codeword_bits);

/// What reading a codeword comes to after several independent events.
struct ReadShares {
  double due = 0.0;      // share that is detected
  double silent = 0.0;   // share that is silently wrong; the rest is right
  double covered = 1.0;  // share of all that was enumerated; the two above are of these
};

/// What events do to one codeword of a memory, alone and together.
struct CodewordUpsets {
  // Events per hour, by what a read of the codeword would come to after it alone.
  double right_per_hour = 0.0;  // with flipped bits that do no harm yet
  double detected_per_hour = 0.0;
  double silent_per_hour = 0.0;
  double not_enumerated_per_hour = 0.0;  // of codewords_not_enumerated, at most

  ReadShares right_pairs;       // of two events that are each right alone
  ReadShares right_triples;     // of three
  ReadShares mixed_pairs;       // of one that is right and one that is detected
  ReadShares detected_pairs;    // of two that are each detected
  ReadShares detected_triples;  // of three

  /// The same where so many times the events upset what is stored.
  CodewordUpsets scaled(double factor) const;
};

/// `code` decides by its own decoder. All pairs are enumerated up to kMostPairPatterns patterns of
/// a kind, triples up to kMostTriplePatterns, the most frequent first.
inline constexpr std::size_t kMostPairPatterns = 4096;
inline constexpr std::size_t kMostTriplePatterns = 256;
CodewordUpsets upsets_of(const EccCode& code, const std::vector<EventSource>& sources);

/// How long a codeword's content stays, and what happens to it meanwhile, in hours.
struct Exposure {
  double residence_hours = 0.0;  // from one write to the next
  double scrub_hours = 0.0;      // period of the scrubber, of any phase; 0: none
  double read_hours = 0.0;       // from one read to the next; 0: one, at the end of the residence
  /// A codeword with a detected error is used, or read as zeros, and stays as it is; else it is
  /// gone once it was read.
  bool stays_when_detected = false;
};

/// Codewords that go wrong in 1e9 hours, by events none of which would have been read silently
/// wrong alone.
struct AccumulationRates {
  // By events that are each right alone, between two cleanings.
  double due = 0.0;
  double silent = 0.0;
  // Instead of a detected error, which the rates of single events count as one.
  double silent_after_right = 0.0;    // the codeword held an upset that was right alone
  double silent_between_reads = 0.0;  // another event came before the detected one was read
  /// What `due` and `silent` may be off by, at most: four events or more between two cleanings, the
  /// pairs and triples that were not enumerated, and pairs with clusters that were not.
  double left_out = 0.0;
};

/// Requires a residence above 0 and no negative time. Right for any rates from 0 up, however small
/// (docs/accumulation.md, "Rates").
AccumulationRates accumulate(const CodewordUpsets& upsets, double codewords,
                             const Exposure& exposure);

}  // namespace tilestrike::sim

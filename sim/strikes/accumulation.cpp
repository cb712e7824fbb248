// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/strikes/accumulation.h"

#include <algorithm>
#include <array>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <cstdlib>
#include <map>
#include <span>

#include "base/error.h"
#include "sim/strikes/rates.h"
#include "sim/strikes/row_effects.h"

namespace tilestrike::sim {
namespace {

struct ByWords {
  bool operator()(const BitString& a, const BitString& b) const { return a.words < b.words; }
};
using PatternSums = std::map<BitString, double, ByWords>;

using MaskWeights = std::array<double, std::size_t{1} << kMostEnumeratedCells>;

/// Expected number of rows per event in which the upset cells form a mask (with bit 0 set).
MaskWeights mask_weights(const std::vector<double>& sizes, double word_line_share, int tap_rows) {
  auto most = std::min(sizes.size(), std::size_t{kMostEnumeratedCells});
  while (most > 1 && sizes[most - 1] == 0.0) {
    --most;
  }
  const auto shapes = enumerate_shapes(word_line_share, static_cast<int>(most));
  MaskWeights weights{};
  for (std::size_t n = 0; n < most; ++n) {
    for (const ClusterShape& shape : shapes[n]) {
      const ShapeRows rows(shape);
      for (int row = 0; row < rows.rows; ++row) {
        double kept = 0.0;  // P(no tap lies between this row and the struck cell's)
        for (int struck = 0; struck < rows.rows; ++struck) {
          const double apart = std::abs(row - struck);
          kept += rows.struck[static_cast<std::size_t>(struck)] *
                  (tap_rows == 0 ? 1.0 : std::max(0.0, 1.0 - apart / tap_rows));
        }
        weights[rows.masks[static_cast<std::size_t>(row)]] += sizes[n] * kept;
      }
    }
  }
  return weights;
}

/// The bits of a row's first codeword that a mask of columns upsets which begins in column `place`.
BitString bits_under(unsigned mask, int place, const CodewordLayout& layout) {
  BitString flipped;
  for (; mask != 0; mask >>= 1, ++place) {
    if ((mask & 1) != 0 && place >= 0 && place % layout.interleave == 0 &&
        place / layout.interleave < layout.codeword_bits) {
      flipped.set(place / layout.interleave);
    }
  }
  return flipped;
}

ReadResult read_of(const EccCode& code, const BitString& flipped) {
  const ErrorEffect effect = code.decode_error(flipped);
  if (effect.status == EccStatus::kDetected) {
    return ReadResult::kDetected;
  }
  return effect.data_error.any() ? ReadResult::kSilent : ReadResult::kRight;
}

struct PatternShare {
  BitString flipped;
  double share = 0.0;  // of its kind; of the most frequent ones together below 1
};

/// The patterns of one kind, the most frequent first.
class PatternKind {
 public:
  void add(const BitString& flipped, double per_hour) {
    all_.push_back({flipped, per_hour});
    per_hour_ += per_hour;
  }
  void sort() {
    std::stable_sort(all_.begin(), all_.end(), [](const PatternShare& a, const PatternShare& b) {
      return a.share > b.share;
    });
    for (PatternShare& each : all_) {
      each.share /= per_hour_;
    }
  }
  double per_hour() const { return per_hour_; }
  std::span<const PatternShare> most_frequent(std::size_t count) const {
    return {all_.data(), std::min(all_.size(), count)};
  }
  /// Share of the events of this kind that these are.
  double covered(std::size_t count) const {
    if (count >= all_.size()) {
      return 1.0;
    }
    double sum = 0.0;
    for (const PatternShare& each : most_frequent(count)) {
      sum += each.share;
    }
    return sum;
  }

 private:
  std::vector<PatternShare> all_;
  double per_hour_ = 0.0;
};

void add_read(const EccCode& code, const BitString& flipped, double share, ReadShares& sums) {
  const ReadResult result = read_of(code, flipped);
  sums.due += result == ReadResult::kDetected ? share : 0.0;
  sums.silent += result == ReadResult::kSilent ? share : 0.0;
}

ReadShares of_covered(ReadShares sums, double covered) {
  return {sums.due / covered, sums.silent / covered, covered};
}

ReadShares share_pairs(const EccCode& code, const PatternKind& first, const PatternKind& second) {
  const auto one = first.most_frequent(kMostPairPatterns);
  const auto other = second.most_frequent(kMostPairPatterns);
  ReadShares sums;
  for (const PatternShare& a : one) {
    for (const PatternShare& b : other) {
      add_read(code, a.flipped ^ b.flipped, a.share * b.share, sums);
    }
  }
  return of_covered(sums, first.covered(kMostPairPatterns) * second.covered(kMostPairPatterns));
}

/// The same for a kind with itself: two equal patterns cancel.
ReadShares share_pairs(const EccCode& code, const PatternKind& kind) {
  const auto used = kind.most_frequent(kMostPairPatterns);
  ReadShares sums;
  for (std::size_t i = 0; i < used.size(); ++i) {
    for (std::size_t j = i + 1; j < used.size(); ++j) {
      add_read(code, used[i].flipped ^ used[j].flipped, 2.0 * used[i].share * used[j].share, sums);
    }
  }
  return of_covered(sums, std::pow(kind.covered(kMostPairPatterns), 2));
}

/// `alone`: what a pattern of the kind alone is read as; two equal ones leave the third alone.
ReadShares share_triples(const EccCode& code, const PatternKind& kind, ReadResult alone) {
  const auto used = kind.most_frequent(kMostTriplePatterns);
  ReadShares sums;
  double distinct = 0.0;
  for (std::size_t i = 0; i < used.size(); ++i) {
    for (std::size_t j = i + 1; j < used.size(); ++j) {
      const BitString pair = used[i].flipped ^ used[j].flipped;
      const double share = 6.0 * used[i].share * used[j].share;
      for (std::size_t k = j + 1; k < used.size(); ++k) {
        add_read(code, pair ^ used[k].flipped, share * used[k].share, sums);
        distinct += share * used[k].share;
      }
    }
  }
  const double covered = std::pow(kind.covered(kMostTriplePatterns), 3);
  if (alone == ReadResult::kDetected && !used.empty()) {
    sums.due += std::max(0.0, covered - distinct);
  }
  return of_covered(sums, covered);
}

// Of a Poisson number of events with mean x between two cleanings, and the integral over x from 0
// on (of P(a, x): x P(a, x) - a P(a + 1, x)). P(a, x), the regularised lower incomplete gamma
// function, is the chance of at least a events, without cancellation for small x.
struct Chance {
  double now = 0.0;
  double integral = 0.0;

  friend Chance operator+(Chance a, Chance b) { return {a.now + b.now, a.integral + b.integral}; }
  friend Chance operator*(double factor, Chance a) { return {factor * a.now, factor * a.integral}; }
};

double at_least(int events, double x) { return x > 0.0 ? boost::math::gamma_p(events, x) : 0.0; }

Chance of_at_least(int events, double x) {
  const double chance = at_least(events, x);
  return {chance, x * chance - events * at_least(events + 1, x)};
}

Chance of_two(double x) { return {0.5 * x * x * std::exp(-x), at_least(3, x)}; }

/// Expected number of events, themselves of the same mean x, that find one before them.
Chance of_one_before(double x) {
  const Chance first = of_at_least(1, x);
  return {first.integral, 0.5 * x * x * first.now - x * at_least(2, x) + at_least(3, x)};
}

/// Sum of chance(rate x length) over the intervals into which a scrubber of any phase divides a
/// residence, expected. The first and the last interval have all lengths up to `shorter`, equally
/// often.
template <class ChanceOf>
double per_scrubbed_residence(double rate, double residence, double scrub,
                              const ChanceOf& chance_of) {
  if (rate <= 0.0) {
    return 0.0;
  }
  if (scrub == 0.0) {
    return chance_of(rate * residence).now;
  }
  const double shorter = std::min(residence, scrub);
  const Chance chance = chance_of(rate * shorter);
  return std::abs(residence - scrub) / scrub * chance.now + 2.0 / scrub * chance.integral / rate;
}

/// The same where the intervals begin with the write; the last is what is left of the residence.
template <class ChanceOf>
double per_read_residence(double rate, double residence, double read, const ChanceOf& chance_of) {
  if (rate <= 0.0) {
    return 0.0;
  }
  if (read == 0.0 || read >= residence) {
    return chance_of(rate * residence).now;
  }
  const double whole = std::floor(residence / read);
  const double rest = std::max(0.0, residence - whole * read);
  return whole * chance_of(rate * read).now + chance_of(rate * rest).now;
}

/// Share of codewords with two or three events (and more, as three) that are read wrong.
Chance of_wrong(double pairs, double triples, double x) {
  return pairs * of_two(x) + triples * of_at_least(3, x);
}

}  // namespace

double EventPatterns::codewords() const {
  double sum = 0.0;
  for (const Pattern& pattern : patterns) {
    sum += pattern.codewords;
  }
  return sum;
}

EventPatterns patterns_of_event(const ClusterLaw& law, const CodewordLayout& layout) {
  TS_CHECK(layout.codeword_bits >= 1 && layout.codeword_bits <= BitString::kCapacity &&
               layout.interleave >= 1 && layout.tap_rows >= 0,
           "a layout of codewords");
  const std::vector<double> sizes = size_probabilities(law);
  const MaskWeights weights = mask_weights(sizes, law.word_line_share, layout.tap_rows);
  // All codewords of a row are alike: one of them, with a share of 1 / codeword_bits of the cells,
  // and a mask at every place that reaches it.
  PatternSums sums;
  for (unsigned mask = 1; mask < weights.size(); ++mask) {
    if (weights[mask] == 0.0) {
      continue;
    }
    for (int place = 1 - kMostEnumeratedCells; place < layout.codeword_bits * layout.interleave;
         ++place) {
      const BitString flipped = bits_under(mask, place, layout);
      if (flipped.any()) {
        sums[flipped] += weights[mask] / layout.codeword_bits;
      }
    }
  }
  EventPatterns event;
  for (const auto& [flipped, codewords] : sums) {
    event.patterns.push_back({flipped, codewords});
  }
  for (std::size_t n = kMostEnumeratedCells; n < sizes.size(); ++n) {
    event.not_enumerated += sizes[n];
    event.codewords_not_enumerated += sizes[n] * static_cast<double>(n + 1);
  }
  return event;
}

double events_per_codeword_hour(double fit_per_mbit, int codeword_bits) {
  return fit_of(fit_per_mbit, static_cast<std::uint64_t>(codeword_bits)) / kHoursPerFit;
}

CodewordUpsets CodewordUpsets::scaled(double factor) const {
  CodewordUpsets upsets = *this;
  upsets.right_per_hour *= factor;
  upsets.detected_per_hour *= factor;
  upsets.silent_per_hour *= factor;
  upsets.not_enumerated_per_hour *= factor;
  return upsets;
}

CodewordUpsets upsets_of(const EccCode& code, const std::vector<EventSource>& sources) {
  PatternSums per_hour;
  CodewordUpsets upsets;
  for (const EventSource& source : sources) {
    TS_CHECK(source.per_hour >= 0.0, "a rate of events");
    if (source.per_hour == 0.0) {
      continue;
    }
    upsets.not_enumerated_per_hour += source.per_hour * source.event.codewords_not_enumerated;
    for (const EventPatterns::Pattern& pattern : source.event.patterns) {
      per_hour[pattern.flipped] += source.per_hour * pattern.codewords;
    }
  }
  PatternKind right, detected;
  const BitString outside = ~BitString::ones(code.codeword_bits());
  for (const auto& [flipped, rate] : per_hour) {
    TS_CHECK(!(flipped & outside).any(), "patterns of codewords that are as wide as the code's");
    switch (read_of(code, flipped)) {
      case ReadResult::kRight:
        right.add(flipped, rate);
        break;
      case ReadResult::kDetected:
        detected.add(flipped, rate);
        break;
      case ReadResult::kSilent:
        upsets.silent_per_hour += rate;
        break;
    }
  }
  right.sort();
  detected.sort();
  upsets.right_per_hour = right.per_hour();
  upsets.detected_per_hour = detected.per_hour();
  upsets.right_pairs = share_pairs(code, right);
  upsets.right_triples = share_triples(code, right, ReadResult::kRight);
  upsets.mixed_pairs = share_pairs(code, right, detected);
  upsets.detected_pairs = share_pairs(code, detected);
  upsets.detected_triples = share_triples(code, detected, ReadResult::kDetected);
  return upsets;
}

AccumulationRates accumulate(const CodewordUpsets& upsets, double codewords,
                             const Exposure& exposure) {
  const double residence = exposure.residence_hours;
  const double scrub = exposure.scrub_hours;
  TS_CHECK(std::isfinite(residence) && residence > 0.0 && scrub >= 0.0 &&
               exposure.read_hours >= 0.0 && codewords >= 0.0,
           "a residence and times that are not negative");
  const double right = upsets.right_per_hour;
  const double detected = upsets.detected_per_hour;
  // Sums over residences are FIT once they are of so many.
  const double fit = codewords / residence * kHoursPerFit;
  const auto between_cleanings = [&](const auto& chance_of) {
    return fit * per_scrubbed_residence(right, residence, scrub, chance_of);
  };
  // The scrubber reports a detected error as a read does. Of two that look, the one that looks more
  // often is taken alone.
  const bool scrub_looks = scrub > 0.0 &&
                           (exposure.read_hours == 0.0 || scrub < exposure.read_hours) &&
                           scrub < residence;
  const auto between_looks = [&](double rate, const auto& chance_of) {
    return fit * (exposure.stays_when_detected ? per_read_residence(rate, residence, 0.0, chance_of)
                  : scrub_looks
                      ? per_scrubbed_residence(rate, residence, scrub, chance_of)
                      : per_read_residence(rate, residence, exposure.read_hours, chance_of));
  };

  AccumulationRates rates;
  rates.due = between_cleanings(
      [&](double x) { return of_wrong(upsets.right_pairs.due, upsets.right_triples.due, x); });
  rates.silent = between_cleanings([&](double x) {
    return of_wrong(upsets.right_pairs.silent, upsets.right_triples.silent, x);
  });
  rates.left_out = between_cleanings([&](double x) {
    return of_at_least(4, x) + (1.0 - upsets.right_triples.covered) * of_at_least(3, x) +
           (1.0 - upsets.right_pairs.covered) * of_two(x);
  });
  if (const double larger = upsets.not_enumerated_per_hour; larger > 0.0) {
    // Of any two events, less those of two that are both enumerated.
    const auto any_two = [](double x) { return of_at_least(2, x); };
    rates.left_out += fit * (per_scrubbed_residence(right + larger, residence, scrub, any_two) -
                             per_scrubbed_residence(right, residence, scrub, any_two));
  }
  rates.silent_between_reads = between_looks(detected, [&](double x) {
    return of_wrong(upsets.detected_pairs.silent, upsets.detected_triples.silent, x);
  });
  if (right > 0.0) {
    const double mixed = detected / right * upsets.mixed_pairs.silent;
    rates.silent_after_right = mixed * between_cleanings(of_one_before);
    rates.silent_between_reads += mixed * between_looks(right, of_one_before);
  }
  return rates;
}

}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The bits of tensors that a strike is drawn from, and how many of them a trial strikes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/tensor_store.h"
#include "campaigns/plan/allocation.h"
#include "campaigns/scenario/strike.h"

namespace tilestrike::campaigns {

/// One drawn fault, for people; the WordFault that it becomes may hold others on the same word.
struct DrawnBit {
  StoreId store;
  std::uint64_t word = 0;
  int bit = -1;  // -1: all selected bits of the word (a random value)
  FaultKind kind = FaultKind::kFlip;
};

struct DrawnWords {
  std::vector<WordFault> faults;       // normalised, each word once
  std::uint64_t count = 0;             // faults drawn
  std::vector<DrawnBit> first;         // the first kMostDrawnBits of them, by store, word and bit
  std::optional<std::size_t> stratum;  // of a divided population
};
inline constexpr std::size_t kMostDrawnBits = 64;

/// Bits that do alike to the number that they belong to: "sign", "top exponent bit", "exponent",
/// "mantissa" of floating point; "bit 7", "bit 6", "bit 5" and "low bits" of int8, and so on for
/// other integers and fixed point.
struct BitStratum {
  std::string name;
  std::uint64_t bits = 0;  // of the population
  double weight = 0.0;     // its share of the population, exact
  double share = 0.0;      // its share of the trials
};
/// The name of the stratum of one bit.
std::string bit_stratum_of(const NumberFormat& format, int bit);

class TensorPopulation {
 public:
  /// Throws Failure: a glob that matches nothing, a field that a format does not have, more faults
  /// than there are bits.
  TensorPopulation(const StrikeConfig& strike, const std::vector<TensorStore>& stores);

  std::uint64_t words() const { return words_; }
  std::uint64_t bits() const { return bits_; }
  std::size_t stores() const { return parts_.size(); }
  std::vector<StoreId> selected() const;
  /// What one fault is drawn from: bits, or words where a fault takes a whole word.
  std::uint64_t members() const { return takes_words_ ? words_ : bits_; }
  /// Expected faults of a trial, before it is conditioned on at least one.
  double expected() const { return expected_; }
  /// The probability of at least one fault: what a trial, which has one, stands for. 1 for a count.
  double weight() const { return weight_; }
  std::string text() const;

  /// Where a trial is one faulty bit: what its trials are shared between, so that the few bits that
  /// matter are met often. Half of the trials go by size, half evenly. Empty: not divided.
  const std::vector<BitStratum>& strata() const { return strata_; }
  /// The shares of the strata among the struck bits of these stores, in the order of strata().
  std::vector<double> stratum_weights(const std::vector<StoreId>& stores) const;
  /// What a trial counts among all: weight(), and the weight over the share of its stratum.
  double weight_of(const DrawnWords& drawn) const;

  /// The faults of a trial: a function of seed and trial alone.
  DrawnWords draw(std::uint64_t seed, TrialId trial) const;
  /// Member `index` of a census, struck by `kind`.
  DrawnWords member(std::uint64_t index, FaultKind kind) const;
  /// The faults that a list names. Throws Failure: no such tensor, word or bit.
  DrawnWords listed(const ListedTrial& trial, const std::vector<FaultKind>& kinds,
                    std::uint64_t seed, TrialId number) const;

 private:
  struct Part {
    StoreId store;
    std::uint64_t first_bit = 0, first_word = 0;  // before this store
    std::uint64_t words = 0;
    std::uint64_t mask = 0;
    std::vector<int> bits;                 // of `mask`
    std::vector<std::vector<int>> strata;  // of these, by strata_
  };
  void divide();
  DrawnWords draw_divided(std::uint64_t seed, TrialId trial) const;
  const Part& part_of_bit(std::uint64_t index) const;
  std::uint64_t count_of(RandomStream& stream) const;
  void add(const DrawnBit& bit, std::uint64_t mask, std::uint64_t random, DrawnWords& drawn) const;

  const std::vector<TensorStore>* all_;
  StrikeConfig strike_;
  std::vector<Part> parts_;
  std::uint64_t words_ = 0, bits_ = 0;
  bool takes_words_ = false;
  double probability_ = 0.0;  // of a rate, per member
  double expected_ = 0.0, weight_ = 1.0;
  std::vector<BitStratum> strata_;
  Allocation allocation_;  // of the trials to them
};

}  // namespace tilestrike::campaigns

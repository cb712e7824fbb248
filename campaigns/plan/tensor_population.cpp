// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/tensor_population.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/random.h"
#include "base/text.h"
#include "campaigns/plan/binomial.h"

namespace tilestrike::campaigns {
namespace {

constexpr std::uint64_t kMostFaults = 100'000'000;  // of one trial: some gigabytes of records

bool is_random(FaultKind kind) { return kind == FaultKind::kRandom; }

std::uint64_t bit_mask(int bit) { return std::uint64_t{1} << bit; }

}  // namespace

std::string bit_stratum_of(const NumberFormat& format, int bit) {
  if (!format.is_float()) {
    constexpr int kAlone = 3;  // the others are worth less than a sixteenth of the range
    return bit < format.bits - kAlone ? "low bits" : fmt::format("bit {}", bit);
  }
  const int exponent = bit - format.fraction_bits;
  return exponent < 0                           ? "mantissa"
         : exponent == format.exponent_bits     ? "sign"
         : exponent + 1 == format.exponent_bits ? "top exponent bit"
                                                : "exponent";
}

TensorPopulation::TensorPopulation(const StrikeConfig& strike,
                                   const std::vector<TensorStore>& stores)
    : all_(&stores), strike_(strike) {
  if (strike.process == Process::kList) {
    return;
  }
  const TensorSelection& selection = strike.where.tensors;
  for (const std::uint32_t id : selected_stores(selection, stores)) {
    const TensorStore& store = stores[id];
    Part part;
    part.store = StoreId(id);
    part.first_bit = bits_;
    part.first_word = words_;
    part.words = static_cast<std::uint64_t>(store.words);
    part.mask = selected_bits(selection, store.format, store.name);
    for (int bit = 0; bit < store.format.bits; ++bit) {
      if ((part.mask & bit_mask(bit)) != 0) {
        part.bits.push_back(bit);
      }
    }
    words_ += part.words;
    bits_ += part.words * part.bits.size();
    parts_.push_back(std::move(part));
  }
  takes_words_ = strike.per_parameter > 0.0 ||
                 std::any_of(strike.faults.begin(), strike.faults.end(), is_random);
  if (strike.per_bit > 0.0 || strike.per_parameter > 0.0) {
    probability_ = std::max(strike.per_bit, strike.per_parameter);
    if (takes_words_ && strike.per_bit > 0.0) {
      fail(ErrorCode::kInvalidInput, "strike.per_bit: a random value takes a whole word",
           "scenario", "write 'per_parameter', or another kind of fault");
    }
    expected_ = static_cast<double>(members()) * probability_;
    weight_ = chance_of_any(members(), probability_);
    if (expected_ > static_cast<double>(kMostFaults)) {
      fail(ErrorCode::kInvalidInput,
           fmt::format("strike: {:.3g} faults a trial are expected", expected_), "scenario",
           fmt::format("at most {}; lower the rate or narrow 'where'", kMostFaults));
    }
    return;
  }
  expected_ = static_cast<double>(strike.count);
  if (static_cast<std::uint64_t>(strike.count) > members()) {
    fail(ErrorCode::kInvalidInput,
         fmt::format("strike.count: {} faults at different {}, of {}", strike.count,
                     takes_words_ ? "words" : "bits", members()),
         "scenario", "lower 'count' or widen 'where'");
  }
  const bool is_one_bit = strike.count == 1 && !takes_words_;
  if (is_one_bit && strike.particle.strata != StrataChoice::kOff) {
    divide();
  }
}

void TensorPopulation::divide() {
  for (Part& part : parts_) {
    for (const int bit : part.bits) {
      const std::string name = bit_stratum_of((*all_)[part.store.value].format, bit);
      auto found = std::ranges::find(strata_, name, &BitStratum::name);
      if (found == strata_.end()) {
        found = strata_.insert(strata_.end(), {name});
      }
      found->bits += part.words;
      part.strata.resize(strata_.size());
      part.strata[static_cast<std::size_t>(found - strata_.begin())].push_back(bit);
    }
  }
  if (strata_.size() < 2) {
    strata_.clear();
    return;
  }
  std::vector<double> shares;
  for (BitStratum& stratum : strata_) {
    stratum.weight = static_cast<double>(stratum.bits) / static_cast<double>(bits_);
    shares.push_back(0.5 * stratum.weight + 0.5 / static_cast<double>(strata_.size()));
  }
  allocation_ = Allocation(std::move(shares));
  for (std::size_t i = 0; i < strata_.size(); ++i) {
    strata_[i].share = allocation_.share(i);
  }
  for (Part& part : parts_) {
    part.strata.resize(strata_.size());
  }
}

std::vector<double> TensorPopulation::stratum_weights(const std::vector<StoreId>& stores) const {
  std::vector<double> weights(strata_.size());
  double all = 0.0;
  for (const Part& part : parts_) {
    if (std::ranges::find(stores, part.store) == stores.end()) {
      continue;
    }
    for (std::size_t i = 0; i < strata_.size(); ++i) {
      const double bits = static_cast<double>(part.words * part.strata[i].size());
      weights[i] += bits;
      all += bits;
    }
  }
  for (double& weight : weights) {
    weight = all > 0.0 ? weight / all : 0.0;
  }
  return weights;
}

double TensorPopulation::weight_of(const DrawnWords& drawn) const {
  return drawn.stratum ? weight_ * strata_[*drawn.stratum].weight / strata_[*drawn.stratum].share
                       : weight_;
}

std::vector<StoreId> TensorPopulation::selected() const {
  std::vector<StoreId> stores;
  for (const Part& part : parts_) {
    stores.push_back(part.store);
  }
  return stores;
}

std::string TensorPopulation::text() const {
  return fmt::format("{} bits of {} words in {} tensors", bits_, words_, parts_.size());
}

const TensorPopulation::Part& TensorPopulation::part_of_bit(std::uint64_t index) const {
  return *(std::ranges::upper_bound(parts_, index, {}, &Part::first_bit) - 1);
}

std::uint64_t TensorPopulation::count_of(RandomStream& stream) const {
  return probability_ > 0.0 ? binomial_at_least_one(members(), probability_, stream.unit())
                            : static_cast<std::uint64_t>(strike_.count);
}

void TensorPopulation::add(const DrawnBit& bit, std::uint64_t mask, std::uint64_t random,
                           DrawnWords& drawn) const {
  WordFault fault;
  fault.store = bit.store;
  fault.word = bit.word;
  switch (bit.kind) {
    case FaultKind::kFlip:
      fault.flip = mask;
      break;
    case FaultKind::kStuckAt0:
      fault.keep = ~mask;
      break;
    case FaultKind::kStuckAt1:
      fault.keep = ~mask;
      fault.flip = mask;
      break;
    case FaultKind::kRandom:
      fault.keep = ~mask;
      fault.flip = random & mask;
      break;
  }
  if (!drawn.faults.empty() && drawn.faults.back().store == fault.store &&
      drawn.faults.back().word == fault.word) {
    drawn.faults.back() = compose(drawn.faults.back(), fault);
  } else {
    drawn.faults.push_back(fault);
  }
  if (drawn.first.size() < kMostDrawnBits) {
    drawn.first.push_back(bit);
  }
  ++drawn.count;
}

DrawnWords TensorPopulation::draw_divided(std::uint64_t seed, TrialId trial) const {
  RandomStream site_stream(seed, trial.value, Purpose::kSite);
  RandomStream kind_stream(seed, trial.value, Purpose::kKind);
  const std::size_t stratum = allocation_.stratum_of(trial);
  std::uint64_t index = site_stream.below(strata_[stratum].bits);
  DrawnWords drawn;
  drawn.stratum = stratum;
  for (const Part& part : parts_) {
    const std::vector<int>& bits = part.strata[stratum];
    if (index >= part.words * bits.size()) {
      index -= part.words * bits.size();
      continue;
    }
    DrawnBit bit;
    bit.store = part.store;
    bit.word = index / bits.size();
    bit.bit = bits[index % bits.size()];
    bit.kind = strike_.faults[kind_stream.below(strike_.faults.size())];
    add(bit, bit_mask(bit.bit), 0, drawn);
    break;
  }
  return drawn;
}

DrawnWords TensorPopulation::draw(std::uint64_t seed, TrialId trial) const {
  if (!strata_.empty()) {
    return draw_divided(seed, trial);
  }
  RandomStream count_stream(seed, trial.value, Purpose::kCount);
  RandomStream site_stream(seed, trial.value, Purpose::kSite);
  RandomStream bit_stream(seed, trial.value, Purpose::kBit);
  RandomStream kind_stream(seed, trial.value, Purpose::kKind);
  std::vector<std::uint64_t> members_drawn =
      draw_without_replacement(site_stream, members(), count_of(count_stream));
  // In order of store, word and bit: so is the list of faults.
  std::sort(members_drawn.begin(), members_drawn.end());
  DrawnWords drawn;
  drawn.faults.reserve(members_drawn.size());
  auto part = parts_.begin();
  const auto end_of = [&](const Part& one) {
    return takes_words_ ? one.first_word + one.words : one.first_bit + one.words * one.bits.size();
  };
  for (const std::uint64_t member : members_drawn) {
    while (member >= end_of(*part)) {
      ++part;
    }
    DrawnBit bit;
    bit.store = part->store;
    bit.kind =
        strike_.faults[strike_.faults.size() == 1 ? 0 : kind_stream.below(strike_.faults.size())];
    std::uint64_t mask = part->mask;
    std::uint64_t random = 0;
    if (takes_words_) {
      bit.word = member - part->first_word;
      if (is_random(bit.kind)) {
        random = bit_stream.next();
      } else {
        bit.bit = part->bits[bit_stream.below(part->bits.size())];
        mask = bit_mask(bit.bit);
      }
    } else {
      const std::uint64_t offset = member - part->first_bit;
      bit.word = offset / part->bits.size();
      bit.bit = part->bits[offset % part->bits.size()];
      mask = bit_mask(bit.bit);
    }
    add(bit, mask, random, drawn);
  }
  return drawn;
}

DrawnWords TensorPopulation::member(std::uint64_t index, FaultKind kind) const {
  const Part& part = part_of_bit(index);
  DrawnBit bit;
  bit.store = part.store;
  bit.word = (index - part.first_bit) / part.bits.size();
  bit.bit = part.bits[(index - part.first_bit) % part.bits.size()];
  bit.kind = kind;
  DrawnWords drawn;
  add(bit, bit_mask(bit.bit), 0, drawn);
  return drawn;
}

DrawnWords TensorPopulation::listed(const ListedTrial& trial, const std::vector<FaultKind>& kinds,
                                    std::uint64_t seed, TrialId number) const {
  RandomStream kind_stream(seed, number.value, Purpose::kKind);
  RandomStream bit_stream(seed, number.value, Purpose::kBit);
  struct One {
    DrawnBit bit;
    std::uint64_t mask, random;
  };
  std::vector<One> ones;
  for (const ListedFault& fault : trial) {
    const auto found = std::find_if(all_->begin(), all_->end(), [&](const TensorStore& store) {
      return store.name == fault.tensor;
    });
    const std::string place = fault.place.text();
    if (found == all_->end()) {
      std::vector<std::string> names;
      for (const TensorStore& store : *all_) {
        names.push_back(store.name);
      }
      fail(ErrorCode::kNotFound,
           "strike.faults.tensor: the network stores no tensor '" + fault.tensor + "'", place,
           suggestion(fault.tensor, names));
    }
    if (fault.word < 0 || fault.word >= found->words) {
      fail(ErrorCode::kInvalidInput,
           fmt::format("strike.faults.word: {} has no word {}", fault.tensor, fault.word), place,
           fmt::format("words are 0 to {}", found->words - 1));
    }
    if (fault.bit >= found->format.bits) {
      fail(ErrorCode::kInvalidInput,
           fmt::format("strike.faults.bit: {} is stored in {} and has no bit {}", fault.tensor,
                       found->format.name(), fault.bit),
           place, fmt::format("bits are 0 to {}", found->format.bits - 1));
    }
    One one;
    one.bit.store = StoreId(static_cast<std::uint32_t>(found - all_->begin()));
    one.bit.word = static_cast<std::uint64_t>(fault.word);
    one.bit.kind = fault.kind.value_or(kinds[kind_stream.below(kinds.size())]);
    one.bit.bit = fault.bit;
    one.mask = fault.bit < 0 ? found->format.all_bits() : bit_mask(fault.bit);
    one.random = bit_stream.next();
    ones.push_back(one);
  }
  std::stable_sort(ones.begin(), ones.end(), [](const One& x, const One& y) {
    return std::tie(x.bit.store, x.bit.word) < std::tie(y.bit.store, y.bit.word);
  });
  DrawnWords drawn;
  for (const One& one : ones) {
    add(one.bit, one.mask, one.random, drawn);
  }
  return drawn;
}

}  // namespace tilestrike::campaigns

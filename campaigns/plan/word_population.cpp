// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/word_population.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "campaigns/plan/binomial.h"

namespace tilestrike::campaigns {
namespace {

constexpr std::uint64_t kMostFaults = 100'000'000;  // of one trial: some gigabytes of records

bool is_random(FaultKind kind) { return kind == FaultKind::kRandom; }

std::uint64_t bit_mask(int bit) { return std::uint64_t{1} << bit; }

}  // namespace

WordPopulation::WordPopulation(const StrikeConfig& strike, const std::vector<TensorStore>& stores)
    : TensorPopulation(
          strike, stores,
          {strike.where.tensors.strikes_constants(), strike.where.tensors.strikes_activations()}) {
  const TensorSelection& selection = strike.where.tensors;
  for (const std::uint32_t id : selected_stores(selection, stores)) {
    const TensorStore& store = stores[id];
    Part part;
    part.store = StoreId(id);
    const WordRange range = selected_words(selection, store);
    part.first_of_store = range.first;
    part.words = range.count;
    part.mask = selected_bits(selection, store.format, store.name);
    for (int bit = 0; bit < store.format.bits; ++bit) {
      if ((part.mask & bit_mask(bit)) != 0) {
        part.bits.push_back(bit);
      }
    }
    add_store(std::move(part));
  }
  takes_words_ = strike.per_parameter > 0.0 || std::ranges::any_of(strike.faults, is_random);
  if (strike.per_bit > 0.0 || strike.per_parameter > 0.0) {
    probability_ = std::max(strike.per_bit, strike.per_parameter);
    if (takes_words_ && strike.per_bit > 0.0) {
      fail(ErrorCode::kInvalidInput, "strike.per_bit: a random value takes a whole word",
           "scenario", "write 'per_parameter', or another kind of fault");
    }
    expect(static_cast<double>(members()) * probability_, chance_of_any(members(), probability_));
    if (expected() > static_cast<double>(kMostFaults)) {
      fail(ErrorCode::kInvalidInput,
           fmt::format("strike: {:.3g} faults a trial are expected", expected()), "scenario",
           fmt::format("at most {}; lower the rate or narrow 'where'", kMostFaults));
    }
    return;
  }
  expect(static_cast<double>(strike.count), 1.0);
  if (static_cast<std::uint64_t>(strike.count) > members()) {
    fail(ErrorCode::kInvalidInput,
         fmt::format("strike.count: {} faults at different {}, of {}", strike.count,
                     takes_words_ ? "words" : "bits", members()),
         "scenario", "lower 'count' or widen 'where'");
  }
  const bool is_one_bit = strike.count == 1 && !takes_words_;
  if (is_one_bit && strike.particle.strata != StrataChoice::kOff) {
    divide_bits();
  }
}

std::string WordPopulation::text() const {
  return fmt::format("{} bits of {} words in {} tensors", bits(), words(), struck().size());
}

const TensorPopulation::Part& WordPopulation::part_of_bit(std::uint64_t index) const {
  return *(std::ranges::upper_bound(struck(), index, {}, &Part::first_bit) - 1);
}

std::uint64_t WordPopulation::count_of(RandomStream& stream) const {
  return probability_ > 0.0 ? binomial_at_least_one(members(), probability_, stream.unit())
                            : static_cast<std::uint64_t>(strike().count);
}

void WordPopulation::draw_in(std::size_t stratum, const TrialStreams& streams,
                             DrawnWords& drawn) const {
  RandomStream site_stream = streams.of(Purpose::kSite);
  RandomStream kind_stream = streams.of(Purpose::kKind);
  std::uint64_t index = site_stream.below(strata()[stratum].bits);
  drawn.stratum = stratum;
  for (const Part& part : struck()) {
    const std::vector<int>& bits = part.strata[stratum];
    if (index >= part.words * bits.size()) {
      index -= part.words * bits.size();
      continue;
    }
    DrawnBit bit;
    bit.store = part.store;
    bit.word = part.first_of_store + index / bits.size();
    bit.bit = bits[index % bits.size()];
    bit.kind = kinds()[kind_stream.below(kinds().size())];
    add(bit, bit_mask(bit.bit), 0, drawn);
    break;
  }
}

void WordPopulation::draw_anywhere(const TrialStreams& streams, DrawnWords& drawn) const {
  RandomStream count_stream = streams.of(Purpose::kCount);
  RandomStream site_stream = streams.of(Purpose::kSite);
  RandomStream bit_stream = streams.of(Purpose::kBit);
  RandomStream kind_stream = streams.of(Purpose::kKind);
  std::vector<std::uint64_t> members_drawn =
      draw_without_replacement(site_stream, members(), count_of(count_stream));
  // In order of store, word and bit: so is the list of faults.
  std::sort(members_drawn.begin(), members_drawn.end());
  drawn.faults.reserve(members_drawn.size());
  auto part = struck().begin();
  const auto end_of = [&](const Part& one) {
    return takes_words_ ? one.first_word + one.words : one.first_bit + one.words * one.bits.size();
  };
  for (const std::uint64_t member : members_drawn) {
    while (member >= end_of(*part)) {
      ++part;
    }
    DrawnBit bit;
    bit.store = part->store;
    bit.kind = kinds()[kinds().size() == 1 ? 0 : kind_stream.below(kinds().size())];
    std::uint64_t mask = part->mask;
    std::uint64_t random = 0;
    if (takes_words_) {
      bit.word = part->first_of_store + member - part->first_word;
      if (is_random(bit.kind)) {
        random = bit_stream.next();
      } else {
        bit.bit = part->bits[bit_stream.below(part->bits.size())];
        mask = bit_mask(bit.bit);
      }
    } else {
      const std::uint64_t offset = member - part->first_bit;
      bit.word = part->first_of_store + offset / part->bits.size();
      bit.bit = part->bits[offset % part->bits.size()];
      mask = bit_mask(bit.bit);
    }
    add(bit, mask, random, drawn);
  }
}

DrawnTrial WordPopulation::draw(const TrialStreams& streams,
                                std::optional<std::size_t> stratum) const {
  DrawnTrial drawn;
  if (stratum) {
    draw_in(*stratum, streams, drawn.words);
  } else {
    draw_anywhere(streams, drawn.words);
  }
  return drawn;
}

DrawnTrial WordPopulation::member(std::uint64_t index, FaultKind kind, CycleWindow) const {
  const Part& part = part_of_bit(index);
  DrawnBit bit;
  bit.store = part.store;
  bit.word = part.first_of_store + (index - part.first_bit) / part.bits.size();
  bit.bit = part.bits[(index - part.first_bit) % part.bits.size()];
  bit.kind = kind;
  DrawnTrial drawn;
  add(bit, bit_mask(bit.bit), 0, drawn.words);
  return drawn;
}

}  // namespace tilestrike::campaigns

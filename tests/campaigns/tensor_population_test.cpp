// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the faults of a trial on tensors drawn as the scenario says: how many, where, none twice?
#include "campaigns/plan/word_population.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <set>

#include "campaigns/plan/binomial.h"
#include "campaigns/plan/listed_population.h"
#include "campaigns/scenario/scenario.h"
#include "tests/campaigns/campaign_files.h"

namespace tilestrike::campaigns {
namespace {

constexpr std::uint64_t kSeed = 5;

std::vector<TensorStore> small_network() {
  const NumberFormat int4 = NumberFormat::integer(4);
  return {{"conv1.weight", "conv1", TensorRole::kWeight, int4, 6, "6"},
          {"conv1.bias", "conv1", TensorRole::kBias, kFloat32, 2, "2"},
          {"conv2.weight", "conv2", TensorRole::kWeight, NumberFormat::integer(8), 5, "5"},
          {"fc", "fc", TensorRole::kActivation, kFloat32, 10, "10"}};
}

StrikeConfig strike_on(TensorRole role, std::vector<std::string> globs) {
  StrikeConfig strike;
  strike.where.tensors.globs[static_cast<std::size_t>(role)] = std::move(globs);
  return strike;
}

StrikeConfig on_weights() { return strike_on(TensorRole::kWeight, {"*"}); }

DrawnWords words_of(const Population& population, std::uint64_t trial, std::uint64_t seed = kSeed) {
  const auto stratum = population.allocation().stratum_of(TrialId(trial));
  return population.draw({seed, TrialId(trial)}, stratum).words;
}

std::uint64_t flipped_bits(const DrawnWords& drawn) {
  std::uint64_t bits = 0;
  for (const WordFault& fault : drawn.faults) {
    bits += static_cast<std::uint64_t>(std::popcount(fault.flip));
  }
  return bits;
}

std::string refusal_of(const StrikeConfig& strike, const std::vector<TensorStore>& stores) {
  return errors_of([&] { const WordPopulation population(strike, stores); });
}

TEST(TensorPopulationTest, CountsBitsAndWordsOfWhatIsMeant) {
  const auto stores = small_network();
  const WordPopulation population(on_weights(), stores);
  EXPECT_EQ(population.words(), 11U);
  EXPECT_EQ(population.bits(), 6U * 4 + 5 * 8);
  EXPECT_EQ(population.selected().size(), 2U);
  EXPECT_EQ(population.weight(), 1.0);
  const WordPopulation one(strike_on(TensorRole::kWeight, {"conv2"}), stores);
  EXPECT_EQ(one.bits(), 40U);
}

TEST(TensorPopulationTest, AGlobMayNameAnyLayerThatSharesAStore) {
  std::vector<TensorStore> stores = small_network();
  stores[2].layers = {"conv2", "conv2_1", "conv2_2"};
  const WordPopulation shared(strike_on(TensorRole::kWeight, {"conv2_2"}), stores);
  EXPECT_EQ(shared.bits(), 40U);
  EXPECT_EQ(WordPopulation(strike_on(TensorRole::kWeight, {"conv2*"}), stores).bits(), 40U);
}

TEST(TensorPopulationTest, BuffersHaveAKeyOfTheirOwn) {
  std::vector<TensorStore> stores = small_network();
  stores[0].role = TensorRole::kBuffer;
  EXPECT_EQ(WordPopulation(strike_on(TensorRole::kBuffer, {"*"}), stores).bits(), 24U);
  EXPECT_EQ(WordPopulation(on_weights(), stores).bits(), 40U);
  const auto keys = tensor_keys();
  EXPECT_EQ(keys[static_cast<std::size_t>(TensorRole::kBuffer)], "buffers");
  EXPECT_EQ(keys[static_cast<std::size_t>(TensorRole::kActivation)], "activations");
}

TEST(TensorPopulationTest, ATickKeepsToItsWords) {
  std::vector<TensorStore> stores = small_network();
  TensorStore membranes{
      "lif.membranes", "lif", TensorRole::kMembrane, NumberFormat::integer(16), 24, "6x4", 6};
  stores.push_back(membranes);
  stores.back().name = "lif2.membranes";
  stores.push_back(membranes);
  StrikeConfig strike = strike_on(TensorRole::kMembrane, {"*"});
  EXPECT_EQ(WordPopulation(strike, stores).words(), 48U);
  EXPECT_TRUE(strike.where.tensors.strikes_activations());
  EXPECT_FALSE(strike.where.tensors.strikes_constants());
  strike.where.tensors.tick = 2;
  for (const StrataChoice strata : {StrataChoice::kOff, StrataChoice::kAuto}) {
    for (const std::int64_t count : {1, 3}) {
      strike.particle.strata = strata;
      strike.count = count;
      const WordPopulation population(strike, stores);
      EXPECT_EQ(population.words(), 8U);
      EXPECT_EQ(population.bits(), 8U * 16);
      std::map<std::pair<std::uint32_t, std::uint64_t>, int> seen;
      for (std::uint64_t trial = 0; trial < 500; ++trial) {
        for (const WordFault& fault : words_of(population, trial).faults) {
          ++seen[{fault.store.value, fault.word}];
        }
      }
      EXPECT_EQ(seen.size(), 8U);
      for (const auto& [word, times] : seen) {
        EXPECT_EQ(word.second / 4, 2U);
      }
    }
  }
  strike.where.tensors.tick = 6;
  EXPECT_EQ(refusal_of(strike, stores),
            "scenario: strike.where.tick: lif2.membranes has no tick 6; its ticks are 0 to 5; "
            "write one of them, or 'uniform'");
  StrikeConfig on_fc = strike_on(TensorRole::kActivation, {"fc"});
  on_fc.where.tensors.tick = 0;
  EXPECT_EQ(refusal_of(on_fc, stores),
            "scenario: strike.where.tick: fc has no ticks; leave 'tick' out, or strike spikes and "
            "membranes of a spiking network");
}

TEST(TensorPopulationTest, AFlipIsNeverDrawnTwice) {
  // A flip drawn twice would undo itself: fewer bits than faults would be flipped.
  const auto stores = small_network();
  StrikeConfig strike = on_weights();
  for (const std::int64_t count : {2, 20, 50, 63, 64}) {
    strike.count = count;
    const WordPopulation population(strike, stores);
    for (std::uint64_t trial = 0; trial < 300; ++trial) {
      const DrawnWords drawn = words_of(population, trial);
      ASSERT_EQ(drawn.count, static_cast<std::uint64_t>(count));
      ASSERT_EQ(flipped_bits(drawn), static_cast<std::uint64_t>(count)) << trial;
      for (std::size_t i = 0; i < drawn.faults.size(); ++i) {
        const WordFault& fault = drawn.faults[i];
        const TensorStore& store = stores[fault.store.value];
        ASSERT_LT(fault.word, static_cast<std::uint64_t>(store.words));
        ASSERT_EQ(fault.flip & ~store.format.all_bits(), 0U);
        ASSERT_EQ(store.role, TensorRole::kWeight);
        if (i > 0) {
          const WordFault& before = drawn.faults[i - 1];
          ASSERT_LT(std::tuple(before.store, before.word), std::tuple(fault.store, fault.word));
        }
      }
    }
  }
}

TEST(TensorPopulationTest, EveryBitIsEquallyLikely) {
  const auto stores = small_network();
  StrikeConfig strike = on_weights();
  strike.particle.strata = StrataChoice::kOff;
  const WordPopulation population(strike, stores);
  std::map<std::tuple<std::uint32_t, std::uint64_t, int>, int> seen;
  constexpr int kTrials = 64'000;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    const DrawnWords drawn = words_of(population, trial);
    const DrawnBit& bit = drawn.first.front();
    ++seen[{bit.store.value, bit.word, bit.bit}];
  }
  ASSERT_EQ(seen.size(), 64U);
  for (const auto& [bit, times] : seen) {
    EXPECT_NEAR(times, kTrials / 64, 160) << "five standard deviations";
  }
}

TEST(TensorPopulationTest, StrataHaveExactWeightsAndEvenMembers) {
  std::vector<TensorStore> stores = small_network();
  stores[0].format = kFloat32;  // with an int8 tensor beside it
  const WordPopulation population(on_weights(), stores);
  const double bits = 6.0 * 32 + 5 * 8;
  std::map<std::string, double> weights;
  double sum = 0.0, shares = 0.0;
  for (const Stratum& stratum : population.strata()) {
    weights[stratum.name] = stratum.weight;
    sum += stratum.weight;
    shares += stratum.share;
  }
  EXPECT_NEAR(sum, 1.0, 1e-15);
  EXPECT_NEAR(shares, 1.0, 1e-15);
  const std::map<std::string, double> expected = {
      {"sign", 6 / bits},  {"top exponent bit", 6 / bits}, {"exponent", 6 * 7 / bits},
      {"bit 7", 5 / bits}, {"mantissa", 6 * 23 / bits},    {"bit 6", 5 / bits},
      {"bit 5", 5 / bits}, {"low bits", 5 * 5 / bits}};
  ASSERT_EQ(weights.size(), expected.size());
  for (const auto& [name, weight] : expected) {
    EXPECT_NEAR(weights.at(name), weight, 1e-15) << name;
  }
  EXPECT_NEAR(population.stratum_weights({StoreId(2)})[0], 0.0, 1e-15);

  constexpr int kTrials = 40'000;
  std::map<std::tuple<std::uint32_t, std::uint64_t, int>, int> seen;
  double weighed = 0.0;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    const DrawnWords drawn = words_of(population, trial);
    const DrawnBit& bit = drawn.first.front();
    const Stratum& stratum = population.strata()[*drawn.stratum];
    ASSERT_EQ(bit_stratum_of(stores[bit.store.value].format, bit.bit), stratum.name);
    ++seen[{bit.store.value, bit.word, bit.bit}];
    weighed += population.weight_of(drawn);
  }
  EXPECT_NEAR(weighed / kTrials, 1.0, 1e-3) << "weights make up for the shares";
  ASSERT_EQ(seen.size(), static_cast<std::size_t>(bits)) << "every bit is met";
  for (const auto& [bit, times] : seen) {
    const std::string name = bit_stratum_of(stores[std::get<0>(bit)].format, std::get<2>(bit));
    const auto& stratum = *std::ranges::find(population.strata(), name, &Stratum::name);
    const double mean = kTrials * stratum.share / static_cast<double>(stratum.bits);
    EXPECT_NEAR(times, mean, 5 * std::sqrt(mean)) << name;
  }
}

TEST(TensorPopulationTest, OnlySingleBitsAreDivided) {
  const auto stores = small_network();
  StrikeConfig strike = on_weights();
  EXPECT_FALSE(WordPopulation(strike, stores).strata().empty());
  strike.count = 2;
  EXPECT_TRUE(WordPopulation(strike, stores).strata().empty());
  strike.count = 1;
  strike.faults = {FaultKind::kRandom};
  EXPECT_TRUE(WordPopulation(strike, stores).strata().empty());
  strike = on_weights();
  strike.per_parameter = 1e-3;
  EXPECT_TRUE(WordPopulation(strike, stores).strata().empty());
}

TEST(TensorPopulationTest, ATrialIsTheSameInAnyOrderOfDrawing) {
  const auto stores = small_network();
  StrikeConfig strike = on_weights();
  strike.per_bit = 0.1;
  strike.faults = {FaultKind::kFlip, FaultKind::kStuckAt0, FaultKind::kStuckAt1};
  const WordPopulation population(strike, stores);
  std::vector<std::vector<WordFault>> forward;
  for (std::uint64_t trial = 0; trial < 50; ++trial) {
    forward.push_back(words_of(population, trial).faults);
  }
  const WordPopulation other(strike, stores);
  for (std::uint64_t trial = 50; trial-- > 0;) {
    EXPECT_EQ(words_of(other, trial).faults, forward[trial]);
  }
  EXPECT_NE(words_of(population, 0, kSeed + 1).faults, forward[0]);
}

TEST(TensorPopulationTest, WordsAreDistinctWhereFaultsTakeWords) {
  const auto stores = small_network();
  StrikeConfig strike = on_weights();
  strike.faults = {FaultKind::kRandom};
  strike.count = 11;
  const WordPopulation population(strike, stores);
  EXPECT_EQ(population.members(), 11U);
  for (std::uint64_t trial = 0; trial < 50; ++trial) {
    const DrawnWords drawn = words_of(population, trial);
    ASSERT_EQ(drawn.faults.size(), 11U);
    for (const WordFault& fault : drawn.faults) {
      const std::uint64_t all = stores[fault.store.value].format.all_bits();
      ASSERT_EQ(fault.keep & all, 0U) << "a random value replaces the whole word";
      ASSERT_EQ(fault.flip & ~all, 0U);
    }
  }
}

TEST(TensorPopulationTest, PerParameterIsOneBitOfEachStruckWord) {
  const auto stores = small_network();
  StrikeConfig strike = on_weights();
  strike.per_parameter = 0.5;
  const WordPopulation population(strike, stores);
  EXPECT_DOUBLE_EQ(population.expected(), 5.5);
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    for (const WordFault& fault : words_of(population, trial).faults) {
      ASSERT_EQ(std::popcount(fault.flip), 1);
    }
  }
}

TEST(TensorPopulationTest, StuckBitsOfOneWordComeTogether) {
  const auto stores = small_network();
  StrikeConfig strike = strike_on(TensorRole::kWeight, {"conv2.weight"});
  strike.count = 40;
  strike.faults = {FaultKind::kStuckAt1};
  const DrawnWords ones = words_of(WordPopulation(strike, stores), 0);
  ASSERT_EQ(ones.faults.size(), 5U);
  for (const WordFault& fault : ones.faults) {
    EXPECT_EQ(fault.applied_to(0x5A), 0xFFU);
  }
  strike.faults = {FaultKind::kStuckAt0};
  for (const WordFault& fault : words_of(WordPopulation(strike, stores), 0).faults) {
    EXPECT_EQ(fault.applied_to(0x5A), 0U);
  }
}

TEST(TensorPopulationTest, ACensusVisitsEveryBitOnce) {
  const auto stores = small_network();
  StrikeConfig strike = on_weights();
  strike.where.tensors.bits = {"sign", "0-1"};
  const WordPopulation population(strike, stores);
  ASSERT_EQ(population.members(), 33U);
  std::set<std::tuple<std::uint32_t, std::uint64_t, std::uint64_t>> seen;
  for (std::uint64_t i = 0; i < population.members(); ++i) {
    const DrawnWords drawn = population.member(i, FaultKind::kFlip, {}).words;
    ASSERT_EQ(drawn.faults.size(), 1U);
    const WordFault& fault = drawn.faults.front();
    const std::uint64_t sign = stores[fault.store.value].format.field("sign").value();
    EXPECT_TRUE(fault.flip == sign || fault.flip == 1 || fault.flip == 2) << fault.flip;
    seen.emplace(fault.store.value, fault.word, fault.flip);
  }
  EXPECT_EQ(seen.size(), 33U);
}

TEST(TensorPopulationTest, APatternThatMatchesNoLayerIsAnErrorWithTheNearestNames) {
  const auto stores = small_network();
  const std::string text = refusal_of(strike_on(TensorRole::kWeight, {"conv1", "cnov2*"}), stores);
  EXPECT_NE(text.find("strike.where.weights: nothing matches 'cnov2*'"), std::string::npos) << text;
  EXPECT_NE(text.find("conv2.weight"), std::string::npos) << text;
  EXPECT_EQ(text.find("fc"), std::string::npos) << "no name of another role: " << text;
}

TEST(TensorPopulationTest, ARateAboveOneIsAnError) {
  for (const std::string key : {"per_bit", "per_parameter"}) {
    for (const std::string rate : {"1.5", "-0.1", "0", "nan"}) {
      const std::string yaml = "model: lenet5\naccelerator: none\nformat: fp32\nstrike: {" + key +
                               ": " + rate + ", where: {weights: \"*\"}}";
      const std::string text = errors_of([&] { campaign_of(yaml); });
      EXPECT_NE(text.find("strike." + key), std::string::npos) << rate << ": " << text;
    }
    const std::string most = "model: lenet5\naccelerator: none\nformat: fp32\nstrike: {" + key +
                             ": 1, where: {weights: \"*\"}}";
    EXPECT_EQ(errors_of([&] { campaign_of(most); }), "");
  }
}

TEST(TensorPopulationTest, APopulationSmallerThanTheCountIsAnError) {
  const auto stores = small_network();
  StrikeConfig strike = on_weights();
  strike.count = 65;
  std::string text = refusal_of(strike, stores);
  EXPECT_NE(text.find("strike.count: 65 faults at different bits, of 64"), std::string::npos)
      << text;
  strike.count = 12;
  strike.faults = {FaultKind::kRandom};
  text = refusal_of(strike, stores);
  EXPECT_NE(text.find("12 faults at different words, of 11"), std::string::npos) << text;
}

TEST(TensorPopulationTest, BitsBeyondTheWidthAndFieldsOfOtherFormatsAreErrors) {
  const auto stores = small_network();
  StrikeConfig strike = on_weights();
  strike.where.tensors.bits = {"0-4"};
  EXPECT_NE(refusal_of(strike, stores).find("beyond the 4 bits of int4"), std::string::npos);
  strike.where.tensors.bits = {"mantissa"};
  EXPECT_NE(refusal_of(strike, stores).find("no field 'mantissa'"), std::string::npos);
  strike = strike_on(TensorRole::kBias, {"*"});
  strike.where.tensors.bits = {"exponent", "31"};
  EXPECT_EQ(WordPopulation(strike, stores).bits(), 2U * 9);
}

TEST(TensorPopulationTest, ListedFaultsNameTensorWordAndBit) {
  bridge::StudyFacts study{sim::MeshConfig{}};
  study.images = 1;
  study.stores = small_network();
  const auto listed = [&](const std::string& tensor, std::int64_t word, int bit) {
    ListedFault fault;
    fault.tensor = tensor;
    fault.word = word;
    fault.bit = bit;
    return fault;
  };
  const auto words_struck_by = [&](const ListedTrial& trial) {
    StrikeConfig strike;
    strike.process = Process::kList;
    strike.list = {trial};
    return words_of(ListedWords(strike, study), 0);
  };
  const auto drawn = words_struck_by(
      {listed("conv2.weight", 4, 7), listed("conv1.weight", 0, 1), listed("conv2.weight", 4, 0)});
  ASSERT_EQ(drawn.faults.size(), 2U);
  EXPECT_EQ(drawn.faults[0].store, StoreId(0));
  EXPECT_EQ(drawn.faults[0].flip, 2U);
  EXPECT_EQ(drawn.faults[1].word, 4U);
  EXPECT_EQ(drawn.faults[1].flip, 0x81U) << "several bits of one word are one record";
  const auto refused = [&](const ListedFault& fault) {
    return errors_of([&] { words_struck_by({fault}); });
  };
  EXPECT_NE(refused(listed("conv3.weight", 0, 0)).find("no tensor 'conv3.weight'"),
            std::string::npos);
  EXPECT_NE(refused(listed("conv1.weight", 6, 0)).find("words are 0 to 5"), std::string::npos);
  EXPECT_NE(refused(listed("conv1.weight", 0, 4)).find("bits are 0 to 3"), std::string::npos);
}

/// P(K = k | K >= 1), from logarithms of factorials.
double conditional(std::uint64_t n, double p, std::uint64_t k) {
  const auto real_n = static_cast<double>(n), real_k = static_cast<double>(k);
  const double log_of = std::lgamma(real_n + 1) - std::lgamma(real_k + 1) -
                        std::lgamma(real_n - real_k + 1) + real_k * std::log(p) +
                        (real_n - real_k) * std::log1p(-p);
  return std::exp(log_of) / chance_of_any(n, p);
}

TEST(BinomialTest, CountsHaveTheirDistributionGivenAtLeastOne) {
  struct Case {
    std::uint64_t n;
    double p;
  };
  for (const Case& one : {Case{64, 0.01}, Case{1000, 0.002}, Case{64, 0.4}, Case{10, 0.9},
                          Case{1000, 0.05}, Case{100'000, 5e-4}, Case{3, 1e-10}}) {
    RandomStream random(kSeed, one.n, Purpose::kTest);
    std::map<std::uint64_t, int> seen;
    constexpr int kDraws = 20'000;
    for (int i = 0; i < kDraws; ++i) {
      ++seen[binomial_at_least_one(one.n, one.p, random.unit())];
    }
    EXPECT_EQ(seen.count(0), 0U);
    for (std::uint64_t k = 1; k <= std::min<std::uint64_t>(one.n, 120); ++k) {
      const double expected = kDraws * conditional(one.n, one.p, k);
      EXPECT_NEAR(seen[k], expected, 5 * std::sqrt(expected) + 3)
          << "n " << one.n << ", p " << one.p << ", k " << k;
    }
  }
}

TEST(BinomialTest, TheQuantileStepsWhereTheSumDoes) {
  for (const double p : {0.01, 0.3}) {
    double sum = 0.0;
    for (std::uint64_t k = 1; k <= 8; ++k) {
      const double next = sum + conditional(20, p, k);
      EXPECT_EQ(binomial_at_least_one(20, p, sum + 0.01 * (next - sum)), k);
      EXPECT_EQ(binomial_at_least_one(20, p, sum + 0.99 * (next - sum)), k);
      sum = next;
    }
  }
}

TEST(BinomialTest, ARateFarBelowOneFaultStrikesExactlyOne) {
  // n p = 1e-9: two faults have half of that probability, whatever is drawn here.
  constexpr std::uint64_t kBits = 1'000'000;
  RandomStream random(kSeed, 1, Purpose::kTest);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(binomial_at_least_one(kBits, 1e-15, random.unit()), 1U);
  }
  EXPECT_NEAR(chance_of_any(kBits, 1e-15), 1e-9, 1e-18) << "not rounded to 0";
  EXPECT_EQ(chance_of_any(7, 1.0), 1.0);
  EXPECT_EQ(binomial_at_least_one(7, 1.0, 0.3), 7U);
  EXPECT_DOUBLE_EQ(chance_of_any(2, 0.5), 0.75);
}

TEST(BinomialTest, TheWeightOfATrialIsTheChanceOfAnyFault) {
  const auto stores = small_network();
  StrikeConfig strike = on_weights();
  strike.per_bit = 1e-3;
  EXPECT_NEAR(WordPopulation(strike, stores).weight(), 1 - std::pow(1 - 1e-3, 64), 1e-12);
}

}  // namespace
}  // namespace tilestrike::campaigns

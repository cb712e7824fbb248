// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a core whose synapses and parameters have ECC see what the code makes of struck cells, when
// it reads them and not before? What is to be seen is computed here, by the code alone, and given
// to the stepped core without ECC as flips of bits.
#include <gtest/gtest.h>

#include <map>

#include "sim/ecc/ecc_code.h"
#include "tests/sim/core_engine_jobs.h"

namespace tilestrike::sim {
namespace {

class CoreEccTest : public CoreEngineTest {
 protected:
  // The same core with and without codes.
  struct Pair {
    Pair(const CoreTaste& taste, CoreArrayEcc ecc, RandomStream& random)
        : plain(small_core(), taste, random),
          run(with(ecc), plain.run.contents(), plain.run.feed()),
          sites(run.config()),
          golden(run) {}
    static CoreConfig with(CoreArrayEcc ecc) {
      CoreConfig config = small_core();
      config.ecc = ecc;
      return config;
    }
    Case plain;
    CoreRun run;
    CoreSites sites;
    CoreGolden golden;
  };

  static CellFault flip(CoreStorage array, std::uint64_t codeword, int bit, Cycle cycle) {
    return {static_cast<std::size_t>(array),
            {CodewordId(codeword), bit},
            FaultKind::kFlip,
            {cycle, cycle + 1}};
  }

  // Cycles at which the fault-free core reads a codeword.
  static std::vector<Cycle> reads_of(const CoreRun& run, CoreStorage array,
                                     std::uint64_t codeword) {
    const auto groups = static_cast<std::uint64_t>(run.config().groups());
    std::vector<Cycle> reads;
    for (std::int32_t number = 0; number < run.ticks(); ++number) {
      const GoldenTick& tick = run.tick(number);
      if (!run.works_in(number)) {
        continue;
      }
      if (array == CoreStorage::kParameters) {
        reads.push_back(tick.start + tick.updates[codeword / 12]);
      }
      for (std::size_t k = 0; array == CoreStorage::kSynapses && k < tick.pending.size(); ++k) {
        if (static_cast<std::uint64_t>(tick.pending[k]) == codeword / groups) {
          reads.push_back(tick.start +
                          run.sum_edge(k, static_cast<std::int32_t>(codeword % groups)));
        }
      }
    }
    return reads;
  }

  // Flips of cells of one codeword, in time order.
  void expect_decoded(const Pair& pair, CoreStorage array, std::span<const CellFault> cells) {
    const CoreArrayEcc& ecc = pair.run.config().ecc;
    const EccCode& code = EccCode::make(
        array == CoreStorage::kSynapses ? ecc.synapses : ecc.parameters, kCodewordBits);
    const std::uint64_t codeword = cells[0].bit.codeword.value;
    const std::size_t limbs = pair.sites.block(array).limbs;
    // What a read sees from each strike on.
    BitString flipped, seen;
    std::vector<RegisterFault> faults;
    std::map<Cycle, EccStatus> status;
    for (const CellFault& cell : cells) {
      flipped.flip(cell.bit.bit);
      const ErrorEffect effect = code.decode_error(flipped);
      const BitString change = effect.data_error ^ seen;
      for (int bit = 0; bit < kCodewordBits; ++bit) {
        if (change.test(bit)) {
          const CoreSite site{array, static_cast<std::uint32_t>(codeword / limbs),
                              static_cast<int>(codeword % limbs) * kCodewordBits + bit};
          faults.push_back(
              core_fault(pair.plain.sites.id_of(site).value, FaultKind::kFlip, cell.when.from, 0));
        }
      }
      seen = effect.data_error;
      status[cell.when.from] = effect.status;
    }
    CoreEccReport found;
    for (const Cycle read : reads_of(pair.run, array, codeword)) {
      const auto last = status.lower_bound(read);
      if (last == status.begin()) {
        continue;
      }
      found.corrected += std::prev(last)->second == EccStatus::kCorrected ? 1 : 0;
      if (std::prev(last)->second == EccStatus::kDetected && found.detected++ == 0) {
        found.array = array;
        found.codeword = CodewordId(codeword);
        found.tick = pair.run.moment_of(read).tick;
      }
    }
    const CoreJob asked{.golden = &pair.golden, .cells = cells};
    EXPECT_TRUE(systemc_->covers(asked));
    EXPECT_FALSE(stepped_->covers(asked));
    EXPECT_FALSE(closed_form_->covers(asked));
    const CoreResult result = systemc_->run(asked);
    const CoreResult expected = stepped_->run({&pair.plain.golden, faults});
    ASSERT_EQ(result.changes, expected.changes);
    ASSERT_EQ(result.readout, expected.readout);
    ASSERT_EQ(result.ecc, found) << result.ecc.corrected << " " << result.ecc.detected << " of "
                                 << found.corrected << " " << found.detected;
    ++compared_;
    changed_ += !result.changes.empty() || result.readout != pair.run.readout() ? 1 : 0;
    corrected_ += found.corrected > 0 ? 1 : 0;
    detected_ += found.detected > 0 ? 1 : 0;
  }

  int corrected_ = 0, detected_ = 0;
};

TEST_F(CoreEccTest, SecdedCorrectsEveryCellAndDetectsEveryPair) {
  CoreTaste taste;
  taste.pending = 1.0;
  const Pair pair(taste, {EccKind::kSecded, EccKind::kSecded}, random_);
  const Cycle before = pair.run.cycle_of({0, 1});
  for (const CoreStorage array : {CoreStorage::kSynapses, CoreStorage::kParameters}) {
    for (int first = 0; first < 72; ++first) {
      const CellFault one = flip(array, 5, first, before);
      ASSERT_NO_FATAL_FAILURE(expect_decoded(pair, array, {&one, 1})) << first;
      for (int second = 0; second < first; ++second) {
        const CellFault two[] = {one, flip(array, 5, second, before)};
        ASSERT_NO_FATAL_FAILURE(expect_decoded(pair, array, two)) << first << " " << second;
      }
    }
  }
  EXPECT_EQ(compared_, 2 * (72 + 72 * 71 / 2));
  EXPECT_EQ(corrected_, 2 * 72);
  EXPECT_EQ(detected_, 2 * 72 * 71 / 2);
}

TEST_F(CoreEccTest, EveryCodeAtAnyTime) {
  const std::span<const EccKindInfo> kinds = ecc_kinds();
  for (int trial = 0; trial < 40; ++trial) {
    const EccKind kind = kinds[static_cast<std::size_t>(trial) % kinds.size()].kind;
    CoreTaste taste = taste_of(trial);
    taste.has_loop = false;
    const Pair pair(taste, {kind, trial % 3 == 0 ? EccKind::kNone : kind}, random_);
    for (int i = 0; i < 60; ++i) {
      const CoreStorage array = i % 2 == 0 ? CoreStorage::kSynapses : CoreStorage::kParameters;
      const std::uint64_t codeword = random_.below(pair.sites.block(array).all_limbs());
      const EccKind here =
          i % 2 == 0 ? pair.run.config().ecc.synapses : pair.run.config().ecc.parameters;
      const auto bits =
          static_cast<std::uint64_t>(EccCode::make(here, kCodewordBits).codeword_bits());
      std::vector<CellFault> cells;
      auto cycle = static_cast<Cycle>(random_.below(static_cast<std::uint64_t>(pair.run.cycles())));
      for (std::uint64_t j = 0; j <= random_.below(4); ++j) {
        cycle += static_cast<Cycle>(random_.below(2) * random_.below(60));
        cells.push_back(flip(array, codeword, static_cast<int>(random_.below(bits)), 1 + cycle));
      }
      ASSERT_NO_FATAL_FAILURE(expect_decoded(pair, array, cells)) << trial << " " << i;
    }
  }
  std::printf("%d strikes compared, %d with an effect, %d corrected, %d detected\n", compared_,
              changed_, corrected_, detected_);
  EXPECT_GT(changed_, 100);
  EXPECT_GT(corrected_, 300);
  EXPECT_GT(detected_, 300);
}

TEST_F(CoreEccTest, AStuckCellHoldsAndCodesMeetBitsOfRegisterFaults) {
  CoreTaste taste;
  taste.pending = 1.0;
  const Pair pair(taste, {EccKind::kSecded, EccKind::kNone}, random_);
  const CoreSite site{CoreStorage::kSynapses, 5, 7};
  const Cycle cycle = pair.run.cycle_of({0, 1});
  const RegisterFault fault = core_fault(pair.sites.id_of(site).value, FaultKind::kFlip, cycle, 0);
  const CoreJob by_site{&pair.golden, {&fault, 1}};
  EXPECT_FALSE(stepped_->covers(by_site));
  EXPECT_FALSE(closed_form_->covers(by_site));
  const CoreResult result = systemc_->run(by_site);
  EXPECT_TRUE(result.changes.empty());
  EXPECT_EQ(result.ecc.corrected, 4);  // once in each tick
  EXPECT_TRUE(result.activated);
  EXPECT_NE(result.before, result.after);
  // A parameter has no code here.
  const CoreSite threshold{CoreStorage::kParameters, 0, 7};
  const RegisterFault other =
      core_fault(pair.sites.id_of(threshold).value, FaultKind::kFlip, cycle, 0);
  EXPECT_TRUE(stepped_->covers({&pair.golden, {&other, 1}}));
  // One of the two stuck values is that of the check cell.
  std::int64_t corrected = 0;
  for (const FaultKind kind : {FaultKind::kStuckAt0, FaultKind::kStuckAt1}) {
    CellFault cell = flip(CoreStorage::kSynapses, 5, 70, cycle);
    cell.kind = kind;
    cell.when.until = cycle + 5;  // it stays as it was set: nothing writes it
    const CoreResult stuck = systemc_->run({.golden = &pair.golden, .cells = {&cell, 1}});
    EXPECT_TRUE(stuck.changes.empty());
    corrected += stuck.ecc.corrected;
  }
  EXPECT_EQ(corrected, 4);
}

TEST_F(CoreEccTest, NoStrikeLeavesAnythingBehind) {
  CoreTaste taste;
  taste.pending = 1.0;
  const Pair pair(taste, {EccKind::kSecded, EccKind::kSecded}, random_);
  const CellFault two[] = {flip(CoreStorage::kParameters, 3, 1, 20),
                           flip(CoreStorage::kParameters, 3, 70, 20)};
  EXPECT_GT(systemc_->run({.golden = &pair.golden, .cells = two}).ecc.detected, 0);
  const CoreResult clean = systemc_->run({.golden = &pair.golden, .wants_whole = true});
  EXPECT_EQ(clean.ecc, CoreEccReport{});
  EXPECT_TRUE(clean.changes.empty());
  EXPECT_EQ(clean.readout, pair.run.readout());
}

// What core_fields() relies on: whatever code it reads can be built.
TEST_F(CoreEccTest, EveryCodeHasCodewordsOf64DataBits) {
  for (const EccKindInfo& info : ecc_kinds()) {
    EXPECT_TRUE(EccCode::has_width(info.kind, kCodewordBits)) << info.name;
  }
}

}  // namespace
}  // namespace tilestrike::sim

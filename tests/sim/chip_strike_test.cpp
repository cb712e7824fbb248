// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a struck chip that is computed core by core, where something differs, answer as all cores do
// that go edge by edge together?
#include <gtest/gtest.h>

#include <map>

#include "sim/chip/chip_lockstep.h"
#include "sim/chip/struck_chip.h"
#include "sim/core/core_memory.h"
#include "sim/core/stepped_core.h"
#include "tests/sim/chip_jobs.h"
#include "tests/whole_proofs.h"

namespace tilestrike::sim {
namespace {

std::unique_ptr<CoreMachine> stepped(const CoreSites& sites) {
  return std::make_unique<SteppedCore>(sites);
}

class ChipStrikeTest : public testing::Test {
 protected:
  struct Case {
    Case(const ChipTaste& taste, RandomStream& random)
        : maker(taste, random), made(maker.make()), run(made.chip, maker.spikes()) {}
    // The same chip and image with another length of ticks.
    Case(const Case& other, Cycle fixed_tick)
        : maker(other.maker), made(maker.make(fixed_tick)), run(made.chip, other.run.spikes()) {}
    ChipMaker maker;
    MadeChip made;
    ChipRun run;
  };

  FaultKind any_kind(int choice) {
    return choice == 0   ? FaultKind::kFlip
           : choice == 1 ? FaultKind::kStuckAt0
                         : FaultKind::kStuckAt1;
  }

  // Of all fields alike; of each fourth the routes, so that events go astray.
  RegisterFault any_fault(const Case& job, std::int32_t core, int kind) {
    const CoreSites& sites = job.made.chip->core_sites();
    const CoreField* field = &sites.fields()[random_.below(sites.fields().size())];
    std::uint64_t number = random_.below(sites.bits_of(*field));
    if (random_.below(4) == 0) {
      const char* const names[] = {"destination_core", "destination_core", "destination_axon",
                                   "route_count",      "queue_core",       "queue_write"};
      field = sites.field_named(names[random_.below(6)]);
      number = random_.below(sites.bits_of(*field));
      if (field->name == "destination_core") {
        number = number / 8 * 8 + random_.below(3);
      }
    }
    const auto cycles = static_cast<std::uint64_t>(job.run.cycles());
    const auto from =
        random_.below(5) == 0 ? kSinceBoot : static_cast<Cycle>(random_.below(cycles + 3));
    const Cycle until = random_.below(4) == 0 ? CycleWindow{}.until
                                              : from + 1 + static_cast<Cycle>(random_.below(150));
    return {
        job.made.chip->id_of(core, sites.site_of(*field, number)), any_kind(kind), {from, until}};
  }

  std::int32_t any_core(const Case& job) {
    return static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(job.run.cores())));
  }

  std::string described(const Case& job, const ChipJob& asked) {
    std::string text =
        std::to_string(job.run.cores()) + " cores, " + std::to_string(job.run.ticks()) + " ticks; ";
    for (const RegisterFault& fault : asked.faults) {
      text += std::string(name_of(fault.kind)) + " of " + job.made.chip->text(fault.site) +
              " from " + std::to_string(fault.when.from) + " until " +
              std::to_string(fault.when.until) + "; ";
    }
    return text;
  }

  void expect_equal(const Case& job, const ChipJob& asked, StruckChip& struck) {
    const ChipResult expected = chip_lockstep(job.run, asked, &stepped);
    const ChipResult result = struck.strike(job.run, asked);
    ASSERT_EQ(result.hung, expected.hung) << described(job, asked);
    ASSERT_EQ(result.errors, expected.errors) << described(job, asked);
    ASSERT_EQ(result.cores, expected.cores) << described(job, asked);
    ASSERT_EQ(result.readout, expected.readout) << described(job, asked);
    ASSERT_EQ(result.outputs, expected.outputs) << described(job, asked);
    ASSERT_EQ(result.before, expected.before) << described(job, asked);
    ASSERT_EQ(result.after, expected.after) << described(job, asked);
    ASSERT_EQ(result.activated, expected.activated) << described(job, asked);
    ASSERT_EQ(result.ecc, expected.ecc) << described(job, asked);
    ASSERT_EQ(result.ecc_core, expected.ecc_core) << described(job, asked);
    ASSERT_EQ(result.changed_struck, expected.changed_struck) << described(job, asked);
    ASSERT_EQ(result.changed_spikes, expected.changed_spikes) << described(job, asked);
    ASSERT_EQ(result.first_tick, expected.first_tick) << described(job, asked);
    ASSERT_EQ(result.misrouted, expected.misrouted) << described(job, asked);
    count(job, result);
  }

  void count(const Case& job, const ChipResult& result) {
    ++compared_;
    hung_ += result.hung ? 1 : 0;
    lockstep_ += result.was_lockstep ? 1 : 0;
    if (result.was_lockstep) {
      return;
    }
    changed_ += result.changed_spikes > 0 ? 1 : 0;
    answers_ += !result.hung && !has_golden_answer(job.run, result) ? 1 : 0;
    if (result.misrouted == 0) {
      return;
    }
    bool to_earlier = false, to_itself = false;
    for (const ChipCoreResult& core : result.cores) {
      for (const CoreOutputChange& change : core.changes) {
        if (change.event.core < job.run.cores() &&
            job.made.chip->sender_of(core.core, change.tick, change.event) < 0) {
          const auto layer = [&](std::int32_t of) {
            return job.made.layer_of[static_cast<std::size_t>(of)];
          };
          to_earlier = to_earlier || layer(change.event.core) < layer(core.core);
          to_itself = to_itself || change.event.core == core.core;
        }
      }
    }
    ++misrouted_;
    to_earlier_ += to_earlier ? 1 : 0;
    to_itself_ += to_itself ? 1 : 0;
  }

  void print() const {
    std::printf(
        "%d strikes compared, %d in lockstep, %d hung; of the others %d with changed spikes, %d "
        "with another answer, %d misrouted, %d to an earlier layer, %d to the core itself\n",
        compared_, lockstep_, hung_, changed_, answers_, misrouted_, to_earlier_, to_itself_);
  }

  RandomStream random_{84, 0, Purpose::kTest};
  StruckChip systemc_;
  StruckChip closed_form_{make_core_engine("closed_form")};
  int compared_ = 0, lockstep_ = 0, hung_ = 0, changed_ = 0, answers_ = 0;
  int misrouted_ = 0, to_earlier_ = 0, to_itself_ = 0;
};

TEST_F(ChipStrikeTest, EqualsTheLockstep) {
  for (int trial = 0; trial < proof_size(6000, 420); ++trial) {
    const Case job(chip_taste_of(trial), random_);
    for (int i = 0; i < 60; ++i) {
      const int kind = i % 2 == 0 ? 0 : static_cast<int>(random_.below(3));
      std::vector<RegisterFault> faults{any_fault(job, any_core(job), kind)};
      if (i % 6 == 5) {  // a second one, of the same core or another
        faults.push_back(any_fault(job, any_core(job), static_cast<int>(random_.below(3))));
      }
      ASSERT_NO_FATAL_FAILURE(expect_equal(job, {faults, {}}, i % 3 == 0 ? systemc_ : closed_form_))
          << trial;
    }
  }
  print();
  EXPECT_GT(changed_, 2000);
  EXPECT_GT(misrouted_, 200);
  EXPECT_GT(to_earlier_, 50);
  EXPECT_GT(to_itself_, 50);
  EXPECT_GT(answers_, 0);
  EXPECT_LT(lockstep_, compared_ / 10);
}

// Two or three cores that send to each other all the time: what comes back meets faults that still
// act, old entries of the queue, ticks that have grown.
TEST_F(ChipStrikeTest, EqualsTheLockstepWhereFeedsMeetFaults) {
  const char* const fields[] = {"ring",       "ring",  "ring",  "pending", "queue_write",
                                "queue_read", "state", "watch", "tick",    "queue_slot"};
  for (int trial = 0; trial < proof_size(6000, 120); ++trial) {
    ChipTaste taste = chip_taste_of(trial);
    taste.layers = 2;
    taste.loops = 1;
    taste.is_open = true;
    taste.has_spikes = false;
    taste.has_long_delay = trial % 3 == 0;
    taste.local_ticks = 5 + trial % 3;
    const Case job(taste, random_);
    const CoreSites& sites = job.made.chip->core_sites();
    for (int i = 0; i < 60; ++i) {
      const std::int32_t core = any_core(job);
      std::vector<RegisterFault> faults;
      for (int fault = 0; fault < 1 + i % 2; ++fault) {
        faults.push_back(any_fault(job, core, static_cast<int>(random_.below(3))));
        if (random_.below(3) > 0) {
          const CoreField& field = *sites.field_named(fields[random_.below(std::size(fields))]);
          faults.back().site =
              job.made.chip->id_of(core, sites.site_of(field, random_.below(sites.bits_of(field))));
        }
      }
      ASSERT_NO_FATAL_FAILURE(expect_equal(job, {faults, {}}, systemc_)) << trial;
    }
  }
  print();
  EXPECT_GT(changed_, 300);
  EXPECT_GT(lockstep_, 100);
}

// Old entries of a queue that leave while other cores latch the slot that they are for: the edge
// decides in which tick they are read.
TEST_F(ChipStrikeTest, EqualsTheLockstepWhereEventsAreEarly) {
  int early = 0;
  for (int trial = 0; trial < proof_size(2000, 100); ++trial) {
    ChipTaste taste = chip_taste_of(trial);
    taste.core = "core_1024x16";  // 16 words of a slot
    taste.layers = 2 + trial % 2;
    taste.loops = 2;
    taste.is_open = true;
    taste.longest_delay = 1;
    taste.input_rate = 0.9;
    const Case job(taste, random_);
    for (int i = 0; i < 12; ++i) {
      const auto tick = 1 + static_cast<std::int32_t>(
                                random_.below(static_cast<std::uint64_t>(job.run.ticks() - 1)));
      const Cycle cycle = job.run.cycle_of({tick, 1}) - 1 - static_cast<Cycle>(random_.below(2));
      const std::int32_t core = any_core(job);
      std::vector<RegisterFault> faults;
      const auto add = [&](CoreStorage storage, std::uint32_t word, int bit) {
        faults.push_back(
            {job.made.chip->id_of(core, {storage, word, bit}), FaultKind::kFlip, {cycle, 0}});
      };
      add(CoreStorage::kQueueWrite, 0, static_cast<int>(random_.below(5)));
      for (std::uint32_t entry = 0; entry < 16; ++entry) {  // an entry was sent before as it was
        add(CoreStorage::kQueue, entry, kCoreBits + static_cast<int>(random_.below(kAxonBits)));
      }
      ASSERT_NO_FATAL_FAILURE(expect_equal(job, {faults, {}}, systemc_)) << trial;
      const ChipResult result = systemc_.strike(job.run, {faults, {}});
      for (const ChipCoreResult& core : result.cores) {
        early += !result.was_lockstep && std::ranges::any_of(core.changes, [](const auto& change) {
          return change.early > 0;
        });
      }
    }
  }
  print();
  EXPECT_GT(early, 100);
}

TEST_F(ChipStrikeTest, EqualsTheLockstepWithFixedTicks) {
  int overruns = 0;
  for (int trial = 0; trial < proof_size(1000, 60); ++trial) {
    const Case free(chip_taste_of(trial), random_);
    Cycle longest = 0;
    for (std::int32_t tick = 0; tick < free.run.ticks(); ++tick) {
      longest = std::max(longest, free.run.length(tick));
    }
    const Case job(free, longest);
    for (int i = 0; i < 40; ++i) {
      const RegisterFault fault = any_fault(job, any_core(job), i % 3);
      ASSERT_NO_FATAL_FAILURE(expect_equal(job, {{&fault, 1}, {}}, systemc_)) << trial;
      overruns += (systemc_.strike(job.run, {{&fault, 1}, {}}).errors & kErrorOverrun) != 0 ? 1 : 0;
    }
  }
  print();
  EXPECT_GT(changed_, 200);
  EXPECT_GT(overruns, 20);
  EXPECT_LT(lockstep_, compared_ / 5);
}

TEST_F(ChipStrikeTest, EqualsTheLockstepWithEcc) {
  int corrected = 0, detected = 0;
  for (int trial = 0; trial < proof_size(1000, 60); ++trial) {
    ChipTaste taste = chip_taste_of(trial);
    taste.ecc = trial % 2 == 0 ? EccKind::kSecded : EccKind::kParity;
    const Case job(taste, random_);
    const int bits = kCodewordBits + EccCode::make(taste.ecc, kCodewordBits).check_bits();
    for (int i = 0; i < 40; ++i) {
      const auto memory = static_cast<std::size_t>(any_core(job)) * kCoreMemories;
      const bool is_parameter = random_.below(2) == 0;
      const std::uint64_t words = is_parameter ? 24 : 2 * 16;
      const CodewordId codeword(random_.below(words));
      const auto from =
          static_cast<Cycle>(random_.below(static_cast<std::uint64_t>(job.run.cycles()) / 2));
      std::vector<CellFault> cells;
      for (int cell = 0; cell <= i % 2; ++cell) {
        cells.push_back(
            {memory + (is_parameter ? 1 : 0),
             {codeword, static_cast<int>(random_.below(static_cast<std::uint64_t>(bits)))},
             any_kind(i % 3),
             {from, CycleWindow{}.until}});
      }
      ASSERT_NO_FATAL_FAILURE(expect_equal(job, {{}, cells}, systemc_)) << trial;
      const ChipResult result = systemc_.strike(job.run, {{}, cells});
      corrected += result.ecc.corrected > 0 ? 1 : 0;
      detected += result.ecc.detected > 0 ? 1 : 0;
    }
  }
  print();
  EXPECT_GT(corrected, 200);
  EXPECT_GT(detected, 200);
  EXPECT_GT(changed_, 50);
  EXPECT_EQ(lockstep_, 0);
}

TEST_F(ChipStrikeTest, EqualsTheLockstepInAShippedSize) {
  for (int trial = 0; trial < proof_size(12, 2); ++trial) {
    ChipTaste taste = chip_taste_of(trial + 2);
    taste.core = "core_256x256";
    taste.local_ticks = 4;
    const Case job(taste, random_);
    for (int i = 0; i < proof_size(60, 20); ++i) {
      const RegisterFault fault = any_fault(job, any_core(job), i % 2 == 0 ? 0 : i % 3);
      ASSERT_NO_FATAL_FAILURE(
          expect_equal(job, {{&fault, 1}, {}}, i % 4 < 2 ? systemc_ : closed_form_));
    }
  }
  print();
  EXPECT_GT(changed_, 0);
}

// What the host counts in the lockstep, golden and struck, without anything of what results are
// made of.
TEST_F(ChipStrikeTest, OutputsAreWhatTheHostCounts) {
  using Counts = std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t>;
  int changed = 0;
  for (int trial = 1; trial < 200; trial += 2) {
    const Case job(chip_taste_of(trial), random_);
    std::vector<Cycle> lengths;
    for (std::int32_t tick = -1; tick < job.run.ticks(); ++tick) {
      lengths.push_back(job.run.length(tick));
    }
    for (int i = 0; i < 20; ++i) {
      const RegisterFault fault = any_fault(job, any_core(job), 0);
      const ChipJob asked{{&fault, 1}, {}};
      const ChipResult result = systemc_.strike(job.run, asked);
      const LockstepRun all =
          run_lockstep(*job.made.chip, job.run.spikes(), lengths, asked, &stepped);
      Counts expected, counts;
      for (const auto& core : all.departures) {
        for (const CoreDeparture& departure : core) {
          if (departure.event.core == kHostCore && departure.tick >= 0 &&
              departure.tick < job.run.ticks() && departure.event.axon < job.made.chip->outputs()) {
            ++expected[{departure.tick, departure.event.axon}];
          }
        }
      }
      const std::vector<std::vector<ChipOutput>> golden = job.run.outputs();
      for (std::size_t tick = 0; tick < golden.size(); ++tick) {
        for (const ChipOutput& output : golden[tick]) {
          counts[{static_cast<std::int32_t>(tick), output.output}] = output.events;
        }
      }
      for (const ChipOutputChange& change : result.outputs) {
        ASSERT_EQ((counts[{change.tick, change.output}]), change.golden);
        counts[{change.tick, change.output}] = change.faulty;
        ++changed;
      }
      std::erase_if(counts, [](const auto& entry) { return entry.second == 0; });
      ASSERT_TRUE(result.hung || counts == expected) << described(job, asked);
    }
  }
  EXPECT_GT(changed, 200);
}

// A chain of two cores: input 0 to neuron 0 of core 0, that to neuron 0 of core 1, whose membrane
// is read. All figures by hand.
class ChainTest : public ChipStrikeTest {
 protected:
  ChainTest() {
    ChipContents contents;
    contents.ticks = 3;
    contents.inputs = {{{0, 3}}};
    contents.readout = {{1, 2}};
    for (std::int32_t core = 0; core < 2; ++core) {
      CoreContents& one = contents.cores.emplace_back();
      one.synapses.resize(16 * 16);
      one.synapses[core == 0 ? 3 * 16 : 5 * 16] = 10;
      one.neurons.resize(16, {.is_enabled = false});
      one.neurons[0] = {.threshold = 10, .is_enabled = core == 0};
      one.first_tick = core;
      one.ticks = 2;
    }
    contents.cores[0].routes = {{0, 1}};
    contents.cores[0].destinations = {{true, 1, 5, 1}};
    chip_ = std::make_shared<const BootedChip>(ChipConfig{core_named("core_16x16")}, contents);
    run_ = std::make_unique<ChipRun>(chip_, InputSpikes{{0}, {0}});
  }
  ChipResult strike(std::int32_t core, const CoreSite& site, Cycle cycle,
                    FaultKind kind = FaultKind::kFlip) {
    fault_ = {chip_->id_of(core, site), kind, {cycle, CycleWindow{}.until}};
    return systemc_.strike(*run_, {{&fault_, 1}, {}});
  }
  std::vector<std::string> story(const ChipResult& result) const {
    return story_of(*run_, {{&fault_, 1}, {}}, result);
  }
  std::shared_ptr<const BootedChip> chip_;
  std::unique_ptr<ChipRun> run_;
  RegisterFault fault_;
};

TEST_F(ChainTest, AnswersAreAsByHand) {
  // One word to latch, an axon of 1 + 2 * 2, two groups of 2, a spike of 1 + 1, the last cycle; and
  // the barrier.
  EXPECT_EQ(run_->length(0), 1 + 5 + 4 + 2 + 1 + 1);
  EXPECT_EQ(run_->readout(), (std::vector<std::int32_t>{20, 0}));
  const ChipResult dead = strike(0, {CoreStorage::kParameters, 1, 0}, kSinceBoot);
  EXPECT_EQ(dead.before ^ dead.after, 1U);
  EXPECT_EQ(dead.changed_spikes, 0);
  EXPECT_EQ(story(dead).back(), "The answer is golden.");
  // A threshold of 10 becomes 26: no spike in tick 0; in tick 1 the membrane is 20.
  const ChipResult silent = strike(0, {CoreStorage::kParameters, 0, 4}, kSinceBoot);
  EXPECT_EQ(silent.readout, (std::vector<std::int32_t>{0, 0}));
  EXPECT_EQ(silent.changed_struck, 2);
  EXPECT_EQ(silent.changed_spikes, 2);
  EXPECT_EQ(silent.first_tick, 0);
  EXPECT_EQ(silent.before, 10U);
  EXPECT_EQ(silent.after, 26U);
  EXPECT_EQ(silent.misrouted, 0);
  EXPECT_EQ(story(silent),
            (std::vector<std::string>{
                "A flip of core 0 parameters[0] lane 0 threshold bit 4 from edge 1 of the lead-in "
                "on.",
                "The first field that changed was 10 and became 26.",
                "Core 0, struck, sends 0 events more and 2 fewer, first in tick 0 of 3.",
                "Core 1, fed otherwise, sends as golden.", "The answer differs from golden."}));
}

// An event that was to go to core 1 goes back to core 0.
TEST_F(ChainTest, AnEventGoesBackToItsCore) {
  // To its axon 5, which has no synapses.
  ChipResult result = strike(0, {CoreStorage::kDestinations, 0, 1}, kSinceBoot);
  EXPECT_EQ(result.misrouted, 2);
  EXPECT_EQ(result.changed_struck, 2);
  EXPECT_EQ(result.readout, (std::vector<std::int32_t>{0, 0}));
  EXPECT_FALSE(result.was_lockstep);
  // To its axon 3, which has one: it fires again, in a tick in which the host sends nothing.
  const ChipRun once(chip_, InputSpikes{{0}, {}});
  ASSERT_EQ(once.readout(), (std::vector<std::int32_t>{10, 0}));
  std::vector<RegisterFault> faults;
  for (const int bit : {1, 10, 11}) {  // of the core; two of the axon: 5 becomes 3
    faults.push_back({chip_->id_of(0, {CoreStorage::kDestinations, 0, bit}),
                      FaultKind::kFlip,
                      {kSinceBoot, CycleWindow{}.until}});
  }
  result = systemc_.strike(once, {faults, {}});
  EXPECT_EQ(result.misrouted, 2);
  EXPECT_EQ(result.changed_struck, 1) << "the other one is of no golden route";
  EXPECT_EQ(result.readout, (std::vector<std::int32_t>{0, 0}));
  ASSERT_FALSE(result.cores.empty());
  ASSERT_FALSE(result.cores.front().changes.empty());
  const CoreOutputChange& last = result.cores.front().changes.back();
  EXPECT_EQ(last.tick, 1);
  EXPECT_EQ(last.event, (CoreEvent{0, 3, 2}));
  EXPECT_EQ(last.faulty, 1);
  // To core 3, which is not there.
  result = strike(0, {CoreStorage::kDestinations, 0, 2}, kSinceBoot);
  EXPECT_EQ(result.misrouted, 2);
  EXPECT_EQ(result.cores.size(), 2U);
  EXPECT_EQ(result.readout, (std::vector<std::int32_t>{0, 0}));
}

TEST_F(ChainTest, AFaultOfNoCoreIsNamed) {
  const RegisterFault fault{SiteId(chip_->total_bits()), FaultKind::kFlip, {1, 0}};
  try {
    systemc_.strike(*run_, {{&fault, 1}, {}});
    FAIL() << "a core";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.errors().front().text(), "chip: a fault of core 2; the chip has 2 cores");
  }
}

}  // namespace
}  // namespace tilestrike::sim

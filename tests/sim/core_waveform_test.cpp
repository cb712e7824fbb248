// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is the waveform of a struck core a well-formed value change dump, does it hold what the core
// holds, and does it end where nothing differs?
#include "sim/core/core_waveform.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "sim/core/core_drive.h"
#include "sim/core/stepped_core.h"
#include "tests/sim/core_jobs.h"
#include "tests/sim/value_change_dump.h"

namespace tilestrike::sim {
namespace {

class CoreWaveformTest : public testing::Test {
 protected:
  ~CoreWaveformTest() override { std::filesystem::remove_all(folder_); }

  static CoreTaste taste() {
    CoreTaste taste;
    taste.ticks = 6;
    return taste;
  }

  ValueChangeDump dump_of(const CoreRun& run, const RegisterFault& fault) {
    SteppedCore golden(run.core().sites()), faulty(run.core().sites());
    const std::string path = folder_ + "/deep/er/core.vcd";
    write_core_waveform(path, "stepped", run, {&fault, 1}, golden, faulty);
    return ValueChangeDump(path);
  }

  RegisterFault flip_at(const CoreRun& run, const CoreSite& site, const CoreMoment& moment) {
    const Cycle cycle = run.cycle_of(moment);
    return {run.core().sites().id_of(site), FaultKind::kFlip, {cycle, cycle + 1}};
  }

  const std::string folder_ = std::filesystem::temp_directory_path() /
                              ("tilestrike-core-waveform-" + std::to_string(::getpid()));
  RandomStream random_{91, 0, Purpose::kTest};
  const CoreRun run_ = random_run(core_named("core_16x16"), taste(), random_);
  const CoreSites& sites_ = run_.core().sites();
};

/// The digits of a word, without leading zeros.
std::string digits_of(const CoreState& state, const CoreBlock& block, std::size_t word) {
  std::string digits;
  for (int bit = block.bits - 1; bit >= 0; --bit) {
    const bool is_set = read_bits(state.word(block.storage, word), bit, 1) != 0;
    if (is_set || !digits.empty() || bit == 0) {
      digits += is_set ? '1' : '0';
    }
  }
  return digits;
}

std::string name_of_word(const CoreBlock& block, std::size_t word) {
  const bool has_number = block.is_array() || block.words > 1;
  return block.name + (has_number ? "_" + std::to_string(word) : "");
}

TEST_F(CoreWaveformTest, HoldsAllThatRunsOfBothMachines) {
  const RegisterFault fault = flip_at(run_, {CoreStorage::kMembranes, 1, 3 * 24 + 4}, {2, 5});
  const ValueChangeDump dump = dump_of(run_, fault);
  EXPECT_EQ(dump.first, run_.cycle_of({2, 1})) << "the begin of the tick of the strike";
  SteppedCore golden(sites_), faulty(sites_);
  golden.set_state(run_.core().state());
  faulty.set_state(run_.core().state());
  CoreDrive of_golden(run_, golden), of_faulty(run_, faulty, {&fault, 1});
  std::size_t words = 0;
  for (Cycle cycle = 1; cycle < dump.last; ++cycle) {
    of_golden.step();
    of_faulty.step();
    words = 0;
    for (const CoreBlock& block : sites_.blocks()) {
      EXPECT_EQ(dump.has("stepped.golden." + name_of_word(block, 0)), !block.is_boot_array());
      for (std::size_t word = 0; !block.is_boot_array() && word < block.words; ++word, ++words) {
        const std::string name = name_of_word(block, word);
        if (cycle >= dump.first) {
          ASSERT_EQ(dump.text("stepped.golden." + name, cycle),
                    digits_of(golden.state(), block, word))
              << name << " at " << cycle;
          ASSERT_EQ(dump.text("stepped.faulty." + name, cycle),
                    digits_of(faulty.state(), block, word))
              << name << " at " << cycle;
        }
      }
    }
  }
  EXPECT_EQ(dump.variables(), 2 * words);
  EXPECT_EQ(dump.bits("stepped.faulty.membranes_1"), 8 * 24);
  const Cycle struck = fault.when.from;
  EXPECT_EQ(dump.text("stepped.golden.membranes_1", struck - 1),
            dump.text("stepped.faulty.membranes_1", struck - 1));
  EXPECT_NE(dump.text("stepped.golden.membranes_1", struck),
            dump.text("stepped.faulty.membranes_1", struck));
}

TEST_F(CoreWaveformTest, OfTheArraysOfBootThereAreTheWordsThatAreStruck) {
  const RegisterFault fault = flip_at(run_, {CoreStorage::kSynapses, 9, 13}, {1, 4});
  const ValueChangeDump dump = dump_of(run_, fault);
  EXPECT_FALSE(dump.has("stepped.golden.synapses_8"));
  EXPECT_EQ(dump.bits("stepped.golden.synapses_9"), 64);
  for (const Cycle cycle : {fault.when.from - 1, fault.when.from, dump.last}) {
    EXPECT_EQ(dump.value("stepped.golden.synapses_9", cycle) ^
                  dump.value("stepped.faulty.synapses_9", cycle),
              cycle < fault.when.from ? 0U : 1U << 13);
  }
  EXPECT_EQ(dump.last, run_.cycles() + 1) << "it stays, so the waveform ends with the inference";
}

TEST_F(CoreWaveformTest, EndsWithTheTickInWhichAllIsGoldenAgain) {
  // The latch of sums is written anew by the next axon, whatever it held.
  ASSERT_GT(run_.tick(2).pending.size(), 2U);
  const RegisterFault fault =
      flip_at(run_, {CoreStorage::kSumLatch, 0, 40}, {2, run_.sum_edge(1, 1) + 1});
  const ValueChangeDump dump = dump_of(run_, fault);
  EXPECT_EQ(dump.first, run_.cycle_of({2, 1}));
  EXPECT_EQ(dump.last, run_.cycle_of({3, 1}));
  EXPECT_NE(dump.text("stepped.golden.sum_latch", fault.when.from),
            dump.text("stepped.faulty.sum_latch", fault.when.from));
}

TEST_F(CoreWaveformTest, EndsWhenEnoughIsWritten) {
  CoreTaste taste;
  taste.ticks = 20;
  taste.pending = 0.9;
  const CoreRun run = random_run(core_named("core_128x16"), taste, random_);
  ASSERT_GT(run.cycles(), 2 * kMostEdgesInWaveform);
  RegisterFault fault = flip_at(run, {CoreStorage::kSumLatch, 0, 0}, {1, 1});
  fault.kind = FaultKind::kStuckAt1;
  fault.when.until = run.cycles();
  const ValueChangeDump dump = dump_of(run, fault);
  EXPECT_EQ(dump.first, run.cycle_of({1, 1}));
  EXPECT_EQ(dump.last, dump.first + kMostEdgesInWaveform);
}

TEST_F(CoreWaveformTest, AFolderThatCannotBeMadeIsAnError) {
  const RegisterFault fault = flip_at(run_, {CoreStorage::kSumLatch, 0, 0}, {1, 1});
  SteppedCore golden(sites_), faulty(sites_);
  try {
    write_core_waveform("/dev/null/x/core.vcd", "stepped", run_, {&fault, 1}, golden, faulty);
    FAIL() << "written to nowhere";
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("cannot write the waveform"), std::string::npos);
    EXPECT_NE(std::string(failure.what()).find("/dev/null/x/core.vcd"), std::string::npos);
  }
}

}  // namespace
}  // namespace tilestrike::sim

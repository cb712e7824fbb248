// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is a waveform a well-formed value change dump, and does it hold every register's words?
#include "sim/compare/waveform.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "sim/mesh/run_edges.h"
#include "sim/mesh/stepped_mesh.h"
#include "tests/sim/mesh_jobs.h"
#include "tests/sim/value_change_dump.h"

namespace tilestrike::sim {
namespace {

class WaveformTest : public testing::Test {
 protected:
  ~WaveformTest() override { std::filesystem::remove_all(folder_); }

  ValueChangeDump dump_of(const MeshRun& run, const Operands& operands,
                          std::span<const RegisterFault> faults) {
    const MeshSites sites(run.config());
    MeshJob job;
    job.run = &run;
    job.operands = &operands;
    job.faults = faults;
    SteppedMesh golden(run.config(), sites), faulty(run.config(), sites);
    const std::string path = folder_ + "/run.vcd";
    write_waveform(path, "stepped", job, sites, 0, golden, faulty);
    return ValueChangeDump(path);
  }

  const std::string folder_ = std::filesystem::temp_directory_path() /
                              ("tilestrike-waveform-" + std::to_string(::getpid()));
  RandomStream random_{61, 0, Purpose::kTest};
};

TEST_F(WaveformTest, HoldsEveryRegisterOfBothMachines) {
  for (const MeshConfig& config : all_configs(4, 3)) {
    const MeshSites sites(config);
    const MeshRun run(config, {random_shape(config, random_, 7), random_shape(config, random_, 7)});
    const RandomOperands operands(run, random_);
    MeshSite site;
    site.kind = Register::kActivation;
    site.row = 1;
    site.column = 2;
    site.bit = 6;
    const RegisterFault fault{sites.id_of(site), FaultKind::kFlip, {12, 13}};
    const ValueChangeDump dump = dump_of(run, operands, {&fault, 1});
    std::uint64_t registers = 0;
    for (const RegisterBlock& block : sites.blocks()) {
      registers += block.cells;
    }
    EXPECT_EQ(dump.variables(), 1 + 2 * (registers + 3));  // `struck`, and each column's result
    EXPECT_EQ(dump.first, 12 - 4 - 3);

    const std::string activation = "pe_1_2." + sites.block(Register::kActivation).name;
    const std::string vertical = "pe_2_1." + sites.block(Register::kVertical).name;
    const std::string skew = "skew_column_2." + sites.block(Register::kSkewLoad).name + "_1";
    EXPECT_EQ(dump.bits("stepped.faulty." + activation), 8);
    EXPECT_EQ(dump.bits("stepped.golden." + vertical), config.is_weight_stationary() ? 32 : 8);
    SteppedMesh golden(config, sites);
    RunEdges edges(run, operands);
    std::vector<std::int32_t> words;
    for (Cycle state = 1; state < dump.last; ++state) {
      golden.step(edges.of(state - 1));
      if (state < dump.first) {
        continue;
      }
      const auto bits_of = [&](Register kind, std::size_t cell) {
        golden.read_all(kind, words);
        const int bits = sites.block(kind).bits;
        return static_cast<std::uint32_t>(words[cell]) & (bits == 32 ? ~0U : (1U << bits) - 1U);
      };
      ASSERT_EQ(dump.value("stepped.golden." + vertical, state), bits_of(Register::kVertical, 7));
      ASSERT_EQ(dump.value("stepped.golden." + skew, state), bits_of(Register::kSkewLoad, 2));
      ASSERT_EQ(dump.value("stepped.golden.below_0.result", state),
                static_cast<std::uint32_t>(golden.collected(0)));
      ASSERT_EQ(dump.value("stepped.struck", state), state == 12 ? 1 : 0);
      const std::uint32_t off = state == 12 ? 1U << 6 : 0U;  // the next edge replaces it
      ASSERT_EQ(dump.value("stepped.golden." + activation, state) ^
                    dump.value("stepped.faulty." + activation, state),
                off);
    }
  }
}

TEST_F(WaveformTest, EndsOnceAllIsGoldenOrEnoughIsWritten) {
  const MeshConfig config{4, 4};
  const MeshRun run(config, {{3000, 4, 4}});
  const RandomOperands operands(run, random_);
  const MeshSites sites(config);
  MeshSite site;
  site.kind = Register::kOutput;
  site.column = 3;
  RegisterFault fault{sites.id_of(site), FaultKind::kFlip, {100, 101}};
  // Column 3 has no deskew: golden again in state 101.
  EXPECT_EQ(dump_of(run, operands, {&fault, 1}).last, 101 + 8 + 1);
  fault.kind = FaultKind::kStuckAt1;
  fault.when.until = 2900;
  EXPECT_EQ(dump_of(run, operands, {&fault, 1}).last, 92 + kMostStatesInWaveform);
}

TEST_F(WaveformTest, AFolderThatCannotBeMadeIsAnError) {
  const MeshConfig config{4, 4};
  const MeshSites sites(config);
  const MeshRun run(config, {{4, 4, 4}});
  const RandomOperands operands(run, random_);
  MeshJob job;
  job.run = &run;
  job.operands = &operands;
  SteppedMesh golden(config, sites), faulty(config, sites);
  try {
    write_waveform("/dev/null/x/run.vcd", "stepped", job, sites, 0, golden, faulty);
    FAIL() << "written to nowhere";
  } catch (const Failure& failure) {
    EXPECT_STREQ(failure.what(),
                 "/dev/null/x/run.vcd: cannot write the waveform; check folder and disk");
  }
}

}  // namespace
}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The boundary rules of docs/memory_schedule.md, one by one, on a real network: which cycles of a
// cell matter is found by striking it in every cycle around the events of the schedule.
#include "bridge/exposure/residency.h"

#include <gtest/gtest.h>

#include <optional>

#include "bridge/exposure/mesh_reads.h"
#include "bridge/schedule/mapping.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/memory_trials.h"
#include "tests/bridge/memories.h"

namespace tilestrike::bridge {
namespace {

const TopKJudge kTopK{};

constexpr std::size_t kScratchpad = 0;
constexpr std::size_t kSums = 1;
constexpr std::size_t kDram = 2;

class ResidencyTest : public testing::Test {
 protected:
  struct Setup {
    explicit Setup(const AcceleratorConfig& accelerator)
        : load(zoo_workload("resnet8", 1)),
          executor(load.network),
          tape(executor.record(load.inputs)),
          mapping(load.network, tape, accelerator),
          trial(load.network, mapping, sim::builtin_engines().at("systemc"), kTopK) {}
    Workload load;
    dnn::Executor executor;
    dnn::Tape tape;
    Mapping mapping;
    MemoryTrials trial;

    const Residency& residency() const { return trial.residency(); }
    const MemorySchedule& memory() const { return residency().memory(); }
    const ScheduledLayer& layer(std::size_t index) const {
      return mapping.schedule().layers()[index];
    }
    std::size_t index_of(const std::string& name) const {
      for (std::size_t i = 0; i < load.network.layers.size(); ++i) {
        if (load.network.layers[i].name == name) {
          return i;
        }
      }
      ADD_FAILURE() << "no layer " << name;
      return 0;
    }
    TrialResult strike(std::size_t memory, std::int64_t address, int bit, Cycle cycle,
                       FaultKind kind = FaultKind::kFlip) {
      const std::int64_t word = residency().placement().codeword_bytes(memory);
      const CellFault fault{memory,
                            {sim::CodewordId(static_cast<std::uint64_t>(address / word)),
                             static_cast<int>(address % word) * 8 + bit},
                            kind,
                            {cycle, cycle + 1}};
      return trial.run(tape, {{&fault, 1}, {}}, nullptr);
    }
    bool matters(std::size_t memory, std::int64_t address, Cycle cycle) {
      return strike(memory, address, 6, cycle).activated;
    }
  };

  static AcceleratorConfig accelerator(sim::EccKind ecc = sim::EccKind::kNone,
                                       sim::Dataflow dataflow = kDataflows[0]) {
    return with_memories(16, 16, dataflow, ecc);
  }
  static Setup& plain() {
    static Setup setup(accelerator());
    return setup;
  }
};

// Rules 1 to 4 and 8: a word of weights matters from the cycle in which it is written (not from the
// request of the load) to the cycle before its only read.
TEST_F(ResidencyTest, WeightsMatterFromTheirWriteToTheirPreload) {
  Setup& s = plain();
  const std::size_t layer = s.index_of("stage1.conv2");
  for (const int pass : {3, 7}) {
    for (const int row : {0, 5, 15}) {
      const std::int64_t address = s.memory().tile_address(layer, pass) + row * 16 + 2;
      const Cycle load = s.memory().layers()[layer].weight_loads[static_cast<std::size_t>(pass)];
      const Cycle written = s.memory().written(kScratchpad, load, row * 16 + 2, 256);
      const Cycle read =
          MemorySchedule::weight_read(*s.layer(layer).run, s.layer(layer).start, pass, row);
      ASSERT_LT(load, written);
      ASSERT_LT(written, read);
      EXPECT_FALSE(s.matters(kScratchpad, address, load));
      EXPECT_FALSE(s.matters(kScratchpad, address, written - 1));
      EXPECT_TRUE(s.matters(kScratchpad, address, written));
      EXPECT_TRUE(s.matters(kScratchpad, address, read - 1));
      EXPECT_FALSE(s.matters(kScratchpad, address, read));
    }
  }
}

// Rules 5 and 8: only the readers after the strike are met, pass after pass, and an activation dies
// at its last stream.
TEST_F(ResidencyTest, LaterStrikesOnAnActivationMeetFewerReads) {
  Setup& s = plain();
  const std::size_t layer = s.index_of("stage2.conv2");  // two column folds
  const LayerMemory& here = s.memory().layers()[layer];
  const ActivationBlock& block = s.memory().blocks()[here.first_block];
  const std::int64_t element = 3 * 14 * 14 + 6 * 14 + 7;
  const std::int64_t place = block.slice.place_of(s.layer(layer).tiling->gemm(), element);
  ASSERT_GE(place, 0);
  const std::int64_t address = s.residency().placement().activations().base +
                               block.half * s.residency().placement().activations().bytes + place;
  std::vector<Cycle> reads;
  MeshReads(s.mapping.schedule(), layer).of_activation(block, element, [&](const MeshRead& read) {
    reads.push_back(read.cycle);
  });
  EXPECT_EQ(reads.size(), 18U);  // nine patch positions, two column folds
  std::ranges::sort(reads);
  std::int64_t last = std::numeric_limits<std::int64_t>::max();
  for (const Cycle read : reads) {
    const TrialResult before = s.strike(kScratchpad, address, 6, read - 1);
    EXPECT_TRUE(before.activated);
    EXPECT_LE(before.changed_accumulators, last);
    last = before.changed_accumulators;
  }
  EXPECT_FALSE(s.matters(kScratchpad, address, reads.back()));
  // Rule 10: what the next block of this half does not cover stays, and is dead.
  EXPECT_FALSE(s.matters(kScratchpad, address, s.memory().blocks()[here.first_block].last_read));
}

// Rules 6 and 7: the first fold overwrites; between the read and the write-back of a fold a strike
// is lost; the vector unit is the last reader.
TEST_F(ResidencyTest, AccumulatorsLoseStrikesBetweenReadAndWriteBack) {
  Setup& s = plain();
  const std::size_t layer = s.index_of("stage1.conv2");  // nine depth folds
  const ScheduledLayer& scheduled = s.layer(layer);
  const std::int64_t row = 21;
  const LayerMemory& here = s.memory().layers()[layer];
  const Region& region = s.residency().placement().accumulators();
  const std::int64_t half = here.first_sum_block % region.parts;
  const std::int64_t address = region.base + half * region.bytes + row * 64 + 4 * 5;
  const auto read = [&](int fold) {
    return MemorySchedule::sum_read(*scheduled.run, scheduled.start, fold, row);
  };
  EXPECT_FALSE(s.matters(kSums, address, read(0)));  // about to be overwritten
  for (int fold = 0; fold < 9; ++fold) {
    EXPECT_TRUE(s.matters(kSums, address, read(fold) + 1)) << fold;  // written: it counts
    EXPECT_EQ(s.matters(kSums, address, read(fold)), false) << fold;
  }
  const Cycle last = here.result_reads[0] + row;
  EXPECT_TRUE(s.matters(kSums, address, last - 1));
  EXPECT_FALSE(s.matters(kSums, address, last));
  const TrialResult lost = s.strike(kSums, address, 6, read(4));
  EXPECT_EQ(lost.masked_at, MaskedAt::kOverwritten);
}

// Rule 7: operators that are not on the mesh read and write, too: each element once.
TEST_F(ResidencyTest, AResidualAdditionReadsEachElementOnce) {
  Setup& s = plain();
  const std::size_t layer = s.index_of("stage1.add");
  const LayerMemory& here = s.memory().layers()[layer];
  const ActivationBlock& block = s.memory().blocks()[here.first_block];
  const ChunkPart part = s.memory().part(block, 1);
  const std::int64_t element = part.first + 37;
  const std::int64_t address = s.residency().placement().activations().base +
                               block.half * s.residency().placement().activations().bytes +
                               part.offset + 37;
  const Cycle read = s.memory().vector_read(block, part, element);
  EXPECT_TRUE(s.matters(kScratchpad, address, read - 1));
  EXPECT_FALSE(s.matters(kScratchpad, address, read));
}

// Rule 9: padding lanes hold nothing that anybody reads.
TEST_F(ResidencyTest, PaddingLanesAreNobodys) {
  Setup& s = plain();
  const std::size_t layer = s.index_of("fc");  // ten columns of sixteen
  const Cycle load = s.memory().layers()[layer].weight_loads[0];
  const std::int64_t address = s.memory().tile_address(layer, 0);
  const Cycle written = s.memory().written(kScratchpad, load, 0, 256);
  EXPECT_TRUE(s.matters(kScratchpad, address + 9, written));
  EXPECT_FALSE(s.matters(kScratchpad, address + 10, written));
  // A convolution's padding occupies no cells: the block is as large as its slice of the image.
  const ActivationBlock& block =
      s.memory().blocks()[s.memory().layers()[s.index_of("conv")].first_block];
  EXPECT_LE(block.bytes, 28 * 28);
}

// Rule 11: a strike on the backing copy reaches every later fetch, and a fetch heals the copy on
// the chip of a strike that came before.
TEST_F(ResidencyTest, ABackingCopyReachesLaterFetchesOnly) {
  Setup& s = plain();
  const std::size_t layer = s.index_of("stage1.conv1");
  const int tensor = s.mapping.work().weights_of[layer];
  const std::int64_t address = s.residency().placement().tensor_base(tensor) + 11;
  const WeightTiles& weights = s.residency().weights();
  std::vector<Cycle> fetches;
  weights.for_each_with(layer, 1, 11, [&](std::int64_t tile, std::int64_t offset) {
    fetches.push_back(weights.fetched(layer, tile, offset).value());
  });
  ASSERT_EQ(fetches.size(), 4U);  // one for each row fold
  std::int64_t last = std::numeric_limits<std::int64_t>::max();
  for (const Cycle fetch : fetches) {
    const TrialResult result = s.strike(kDram, address, 5, fetch - 1);
    EXPECT_TRUE(result.activated);
    EXPECT_TRUE(result.outlives);
    EXPECT_LT(result.changed_accumulators, last);
    last = result.changed_accumulators;
  }
  EXPECT_FALSE(s.matters(kDram, address, fetches.back()));
}

// Rule 12: a corrected word is written back clean, so that a second upset of it is corrected, too;
// an uncorrectable one stays detected.
TEST_F(ResidencyTest, CorrectedSumsAreCleanAgain) {
  Setup s(accelerator(sim::EccKind::kSecded));
  const std::size_t layer = s.index_of("stage1.conv2");
  const ScheduledLayer& scheduled = s.layer(layer);
  const Region& region = s.residency().placement().accumulators();
  const std::int64_t half = s.memory().layers()[layer].first_sum_block % region.parts;
  const sim::CodewordId codeword(
      static_cast<std::uint64_t>((region.base + half * region.bytes + 21 * 64) / 8));
  const auto read = [&](int fold) {
    return MemorySchedule::sum_read(*scheduled.run, scheduled.start, fold, 21);
  };
  const auto flip = [&](int bit, Cycle cycle) {
    return CellFault{kSums, {codeword, bit}, FaultKind::kFlip, {cycle, cycle + 1}};
  };
  const std::vector<CellFault> apart{flip(3, read(1) + 1), flip(9, read(2) + 1)};
  const TrialResult corrected = s.trial.run(s.tape, {apart, {}}, nullptr);
  EXPECT_EQ(corrected.judgement.outcome, Outcome::kCorrected);
  EXPECT_EQ(corrected.changed_accumulators, 0);
  const std::vector<CellFault> together{flip(3, read(1) + 1), flip(9, read(1) + 1)};
  const TrialResult detected = s.trial.run(s.tape, {together, {}}, nullptr);
  EXPECT_EQ(detected.judgement.outcome, Outcome::kDue);
  EXPECT_GT(detected.changed_accumulators, 0);
  const std::vector<CellFault> check{flip(64, read(1) + 1), flip(65, read(1) + 1)};
  const TrialResult false_due = s.trial.run(s.tape, {check, {}}, nullptr);
  EXPECT_EQ(false_due.judgement.outcome, Outcome::kDue);
  EXPECT_EQ(false_due.without_stop, Outcome::kMasked);
}

TEST_F(ResidencyTest, RefetchHealsACopyWhoseBackingCopyIsClean) {
  AcceleratorConfig config = accelerator(sim::EccKind::kSecded);
  config.on_due = OnDue::kRefetch;
  Setup s(config);
  const std::size_t layer = s.index_of("stage1.conv2");
  const Cycle load = s.memory().layers()[layer].weight_loads[3];
  const auto codeword =
      sim::CodewordId(static_cast<std::uint64_t>(s.memory().tile_address(layer, 3) / 8));
  const Cycle written = s.memory().written(kScratchpad, load, 0, 256);
  std::vector<CellFault> faults;
  for (const int bit : {1, 2}) {
    faults.push_back({kScratchpad, {codeword, bit}, FaultKind::kFlip, {written, written + 1}});
  }
  EXPECT_EQ(s.trial.run(s.tape, {faults, {}}, nullptr).judgement.outcome, Outcome::kCorrected);
  // The backing copy is struck, too: nothing to fetch again.
  const int tensor = s.mapping.work().weights_of[layer];
  const CopyByte byte = s.residency().weights().byte(layer, 3, 0);
  const auto backing = static_cast<std::uint64_t>(
      (s.residency().placement().tensor_base(tensor) + byte.element) / 8);
  for (const int bit : {1, 2, 3}) {
    faults.push_back({kDram, {sim::CodewordId(backing), bit}, FaultKind::kFlip, {0, 1}});
  }
  EXPECT_EQ(s.trial.run(s.tape, {faults, {}}, nullptr).judgement.outcome, Outcome::kDue);
}

// What the occupants of a codeword say agrees with what it holds at each cycle.
TEST_F(ResidencyTest, OccupantsFollowOneAnother) {
  for (const sim::Dataflow dataflow : kDataflows) {
    Setup s(accelerator(sim::EccKind::kNone, dataflow));
    for (const std::size_t memory : {kScratchpad, kSums, kDram}) {
      for (const std::uint64_t word : {0U, 1U, 17U, 31U, 40U, 65U, 500U, 2000U, 3001U}) {
        const sim::CodewordId codeword(word);
        const std::vector<Occupant> all = s.residency().all_in(memory, codeword);
        std::size_t next = 0;
        for (Cycle cycle = 0; cycle < s.mapping.schedule().cycles_per_inference(); cycle += 7) {
          while (next < all.size() && all[next].written <= cycle) {
            ++next;
          }
          const Occupant now = s.residency().at(memory, codeword, cycle);
          if (now.is_nothing()) {
            continue;  // dead by then: nothing to compare
          }
          ASSERT_GT(next, 0U);
          EXPECT_EQ(now.layer, all[next - 1].layer);
          EXPECT_EQ(now.index, all[next - 1].index);
          EXPECT_EQ(now.written, all[next - 1].written);
        }
      }
    }
  }
}

}  // namespace
}  // namespace tilestrike::bridge

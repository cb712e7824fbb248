// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a program on the platform see what a walk through all cycles sees, in which every codeword
// is decoded and the scrubber visits every word?
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/random.h"
#include "sim/memory/scrub.h"
#include "sim/mesh/engine_set.h"
#include "sim/platform/platform.h"
#include "tests/sim/plain_array.h"

namespace tilestrike::sim {
namespace {

MemoryConfig memory_of(EccKind ecc, int data_bits, std::int64_t scrub_cycles = 0) {
  MemoryConfig config;
  config.capacity_bytes = 16 * data_bits;  // 128 codewords
  config.row_bytes = data_bits;
  config.data_bits = data_bits;
  config.ecc = ecc;
  config.scrub_cycles = scrub_cycles;
  return config;
}

// Steps that were made up before; in batches of any length.
class ListProgram final : public PlatformProgram {
 public:
  explicit ListProgram(std::vector<PlatformStep> steps, std::size_t batch = 7)
      : steps_(std::move(steps)), batch_(batch) {}
  std::span<const PlatformStep> next() override {
    const std::size_t first = std::exchange(done_, std::min(done_ + batch_, steps_.size()));
    Cycle end = 0;
    for (std::size_t i = 0; i < done_; ++i) {
      end = std::max(end, steps_[i].cycle + steps_[i].beats - 1);
      if (i + 1 == done_ && done_ < steps_.size() && steps_[done_].cycle <= end) {
        ++done_;
      }
    }
    return std::span(steps_).subspan(first, done_ - first);
  }
  DueAction on_detected(const PlatformStep& step, const CodewordFinding& finding,
                        DueAction usual) override {
    detected.emplace_back(step.cycle, finding.codeword);
    return usual;
  }
  const std::vector<PlatformStep>& steps() const { return steps_; }
  std::vector<std::pair<Cycle, CodewordId>> detected;

 private:
  std::vector<PlatformStep> steps_;
  std::size_t batch_;
  std::size_t done_ = 0;
};

struct Case {
  std::vector<MemoryConfig> memories;
  std::vector<std::optional<Cycle>> phases;  // of their scrubbers; nothing: it stands still
  std::vector<PlatformStep> steps;           // data: from `bytes`, by step
  std::vector<std::vector<std::uint8_t>> bytes;
  std::vector<PlatformStrike> strikes;
  Cycle cycles = 0;
  Cycle last_cycle() const {
    Cycle last = 0;
    for (const PlatformStep& step : steps) {
      last = std::max(last, step.cycle + step.beats - 1);
    }
    return last;
  }
};

void sort_steps(std::vector<PlatformStep>& steps) {
  std::stable_sort(steps.begin(), steps.end(), [](const auto& x, const auto& y) {
    return std::tuple(x.cycle, x.is_write()) < std::tuple(y.cycle, y.is_write());
  });
}

Case random_case(RandomStream& random) {
  Case made;
  made.memories = {
      memory_of(EccKind::kSecded, 64, 50 + static_cast<std::int64_t>(random.below(99))),
      memory_of(EccKind::kParity, 32), memory_of(EccKind::kNone, 8),
      memory_of(EccKind::kDected, 32, 7)};
  made.cycles = 400;
  const auto memory = [&] { return static_cast<std::int32_t>(random.below(made.memories.size())); };
  for (int i = 0; i < 300; ++i) {
    PlatformStep step;
    step.cycle = static_cast<Cycle>(random.below(static_cast<std::uint64_t>(made.cycles)));
    step.memory = memory();
    const auto width =
        static_cast<std::uint64_t>(made.memories[static_cast<std::size_t>(step.memory)].data_bits);
    step.address = random.below(width);  // few codewords
    step.bytes = 1 + random.below(width);
    step.kind = random.below(2) == 0 ? AccessKind::kRead : AccessKind::kWrite;
    made.steps.push_back(step);
  }
  // Read-modify-writes in a region of their own, each in a codeword that no other has at the time.
  for (int i = 0; i < 40; ++i) {
    PlatformStep step;
    step.memory = memory();
    const auto width =
        static_cast<std::uint64_t>(made.memories[static_cast<std::size_t>(step.memory)].data_bits);
    step.cycle = static_cast<Cycle>(random.below(static_cast<std::uint64_t>(made.cycles - 20)));
    step.kind = AccessKind::kReadForUpdate;
    step.address = (2 + static_cast<std::uint64_t>(i % 8)) * width;
    step.bytes = 1 + random.below(width / 8);
    made.steps.push_back(step);
    step.cycle += 1 + static_cast<Cycle>(random.below(3));
    step.kind = AccessKind::kWriteBack;
    made.steps.push_back(step);
  }
  // Bursts in a region of their own, one after another.
  for (Cycle cycle = 0; cycle < made.cycles; cycle += 12) {
    PlatformStep step;
    step.cycle = cycle;
    step.memory = memory();
    const auto width =
        static_cast<std::uint64_t>(made.memories[static_cast<std::size_t>(step.memory)].data_bits);
    step.beats = 2 + static_cast<std::uint32_t>(random.below(9));
    step.bytes = step.beats * (1 + random.below(width / 4));
    step.address = 11 * width + random.below(width);
    step.kind = random.below(2) == 0 ? AccessKind::kRead : AccessKind::kWrite;
    made.steps.push_back(step);
  }
  sort_steps(made.steps);
  // First halves in whose codeword another one is under way are dropped, with their second.
  std::vector<PlatformStep> kept, open;
  for (const PlatformStep& step : made.steps) {
    const auto same = [&](const PlatformStep& other) {
      return other.memory == step.memory && other.address == step.address;
    };
    const auto other = std::find_if(open.begin(), open.end(), same);
    if (step.kind == AccessKind::kReadForUpdate) {
      if (other != open.end()) {
        continue;
      }
      open.push_back(step);
    } else if (step.kind == AccessKind::kWriteBack) {
      if (other == open.end() || other->bytes != step.bytes) {
        continue;
      }
      open.erase(other);
    }
    kept.push_back(step);
  }
  made.steps = kept;
  for (PlatformStep& step : made.steps) {
    made.bytes.emplace_back(step.bytes);
    for (std::uint8_t& byte : made.bytes.back()) {
      byte = step.is_write() ? static_cast<std::uint8_t>(random.next()) : std::uint8_t{0xEE};
    }
  }
  for (std::uint64_t i = 0, count = random.below(60); i < count; ++i) {
    PlatformStrike strike;
    strike.memory = memory();
    const MemoryConfig& config = made.memories[static_cast<std::size_t>(strike.memory)];
    strike.bit.codeword =
        CodewordId(random.below(3) == 0 ? 88 + random.below(36) : random.below(12));
    strike.bit.bit =
        static_cast<int>(random.below(static_cast<std::uint64_t>(config.code().codeword_bits())));
    strike.kind = static_cast<FaultKind>(random.below(4));
    strike.random_value = random.below(2) == 1;
    strike.when.from = static_cast<Cycle>(random.below(static_cast<std::uint64_t>(made.cycles)));
    if (random.below(2) == 0) {
      strike.when.until = strike.when.from + static_cast<Cycle>(random.below(100));
    }
    const bool is_double =
        std::any_of(made.strikes.begin(), made.strikes.end(), [&](const auto& other) {
          return other.memory == strike.memory && other.bit == strike.bit;
        });
    if (!is_double) {
      made.strikes.push_back(strike);
    }
  }
  return made;
}

std::vector<std::optional<Cycle>> random_phases(const Case& made, RandomStream random) {
  std::vector<std::optional<Cycle>> phases;
  for (const MemoryConfig& config : made.memories) {
    phases.emplace_back();
    if (config.scrub_cycles > 0 && random.below(10) > 0) {
      phases.back() =
          static_cast<Cycle>(random.below(static_cast<std::uint64_t>(config.scrub_cycles)));
    }
  }
  return phases;
}

struct Seen {
  std::vector<std::vector<std::uint8_t>> bytes;  // by step: what reads gave
  std::vector<EccCounts> reads, scrubs;
  std::optional<DetectedError> first_detected;
  std::vector<BitString> cells;
};

// Cycle by cycle; on_due: use.
Seen walk(const Case& made) {
  Seen seen{made.bytes, {}, {}, {}, {}};
  std::vector<PlainArray> arrays;
  for (const MemoryConfig& config : made.memories) {
    arrays.emplace_back(config.code(), ArrayGeometry(config.array()).codewords());
  }
  seen.reads.resize(arrays.size());
  seen.scrubs.resize(arrays.size());
  std::vector<std::tuple<PlatformStep, std::map<CodewordId, CodewordRead>>> open;
  const auto note = [&](EccCounts& counts, std::int32_t memory, CodewordId codeword,
                        EccStatus status, Cycle cycle, bool by_scrubber) {
    counts.corrected += status == EccStatus::kCorrected ? 1 : 0;
    if (status == EccStatus::kDetected) {
      ++counts.detected;
      if (!seen.first_detected) {
        seen.first_detected = {memory, codeword, cycle, by_scrubber};
      }
    }
  };
  std::vector<PlatformStep> steps;  // every beat
  for (std::size_t i = 0; i < made.steps.size(); ++i) {
    PlatformStep beat = made.steps[i];
    beat.data = seen.bytes[i].data();
    beat.bytes /= beat.beats;
    for (std::uint32_t b = 0; b < made.steps[i].beats; ++b) {
      steps.push_back(beat);
      ++beat.cycle;
      beat.address += beat.bytes;
      beat.data += beat.bytes;
    }
  }
  sort_steps(steps);
  std::size_t next = 0;
  for (Cycle cycle = 0; cycle <= made.last_cycle(); ++cycle) {
    const auto access = [&](bool writes) {
      for (; next < steps.size() && steps[next].cycle == cycle && steps[next].is_write() == writes;
           ++next) {
        const PlatformStep& step = steps[next];
        const std::span<std::uint8_t> bytes(step.data, step.bytes);
        PlainArray& array = arrays[static_cast<std::size_t>(step.memory)];
        std::vector<CodewordFinding> found;
        switch (step.kind) {
          case AccessKind::kReadForUpdate:
            open.emplace_back(step, array.hold_range(step.address, step.bytes));
            [[fallthrough]];
          case AccessKind::kRead:
            array.read_bytes(step.address, bytes, found);
            break;
          case AccessKind::kWrite:
            array.write_bytes(step.address, bytes, found);
            break;
          case AccessKind::kWriteBack: {
            const auto held = std::find_if(open.begin(), open.end(), [&](const auto& one) {
              return std::get<0>(one).memory == step.memory &&
                     std::get<0>(one).address == step.address;
            });
            array.write_back(step.address, bytes, std::get<1>(*held));
            open.erase(held);
            break;
          }
        }
        for (const CodewordFinding& finding : found) {
          note(seen.reads[static_cast<std::size_t>(step.memory)], step.memory, finding.codeword,
               finding.status, cycle, false);
        }
      }
    };
    access(false);
    for (const PlatformStrike& strike : made.strikes) {
      const bool is_stuck =
          strike.kind == FaultKind::kStuckAt0 || strike.kind == FaultKind::kStuckAt1;
      if (is_stuck && strike.when.until == cycle && strike.when.from < cycle) {
        arrays[static_cast<std::size_t>(strike.memory)].release(strike.bit);
      }
    }
    for (std::size_t m = 0; m < arrays.size(); ++m) {
      if (made.phases[m]) {
        const ScrubSchedule schedule(made.memories[m].scrub_cycles, 128, -*made.phases[m]);
        const auto range = schedule.at(cycle);
        for (std::uint64_t word = range.first; word < range.last; ++word) {
          note(seen.scrubs[m], static_cast<std::int32_t>(m), CodewordId(word),
               arrays[m].scrub(CodewordId(word)).status, cycle, true);
        }
      }
    }
    access(true);
    for (const PlatformStrike& strike : made.strikes) {
      PlainArray& array = arrays[static_cast<std::size_t>(strike.memory)];
      if (strike.when.from != cycle) {
        continue;
      }
      const bool now = array.cells(strike.bit.codeword).test(strike.bit.bit);
      if (strike.kind == FaultKind::kFlip ||
          (strike.kind == FaultKind::kRandom && now != strike.random_value)) {
        array.flip(strike.bit);
      } else if (strike.kind != FaultKind::kRandom && strike.when.until > cycle) {
        array.hold(strike.bit, strike.kind == FaultKind::kStuckAt1);
      }
    }
  }
  for (const PlainArray& array : arrays) {
    for (std::uint64_t word = 0; word < 128; ++word) {
      seen.cells.push_back(array.cells(CodewordId(word)));
    }
  }
  return seen;
}

TEST(PlatformTest, EveryReadIsThatOfAWalkThroughAllCycles) {
  RandomStream random(41, 0, Purpose::kTest);
  EccCounts reads, scrubs;
  for (int trial = 0; trial < 400; ++trial) {
    Case made = random_case(random);
    made.phases =
        random_phases(made, RandomStream(43, static_cast<std::uint64_t>(trial), Purpose::kTest));
    const Seen seen = walk(made);
    Platform platform(made.memories);  // many in one process
    for (std::size_t m = 0; m < made.phases.size(); ++m) {
      platform.set_scrub_phase(static_cast<int>(m), made.phases[m]);
    }
    platform.arm(made.strikes);
    for (std::size_t i = 0; i < made.steps.size(); ++i) {
      made.steps[i].data = made.bytes[i].data();
    }
    ListProgram program(made.steps, 1 + random.below(40));
    PlatformReport report = platform.run(program, DueAction::kUse);
    // What is still due in the last step's cycle.
    const PlatformReport rest = platform.idle_until(made.last_cycle());
    for (std::size_t m = 0; m < made.memories.size(); ++m) {
      report.scrubs[m].corrected += rest.scrubs[m].corrected;
      report.scrubs[m].detected += rest.scrubs[m].detected;
    }
    if (!report.first_detected) {
      report.first_detected = rest.first_detected;
    }
    std::uint64_t beats = 0;
    for (const PlatformStep& step : made.steps) {
      beats += step.beats;
    }
    ASSERT_EQ(report.steps, beats);
    ASSERT_EQ(report.last_cycle, made.last_cycle());
    for (std::size_t i = 0; i < made.steps.size(); ++i) {
      ASSERT_EQ(made.bytes[i], seen.bytes[i]) << "trial " << trial << " step " << i;
    }
    ASSERT_EQ(report.reads, seen.reads) << trial;
    ASSERT_EQ(report.scrubs, seen.scrubs) << trial;
    ASSERT_EQ(report.first_detected, seen.first_detected) << trial;
    for (std::size_t i = 0; i < seen.cells.size(); ++i) {
      ASSERT_EQ(platform.array(static_cast<int>(i / 128)).cells(CodewordId(i % 128)),
                seen.cells[i]);
    }
    for (std::size_t m = 0; m < made.memories.size(); ++m) {
      reads.corrected += report.reads[m].corrected;
      reads.detected += report.reads[m].detected;
      scrubs.corrected += report.scrubs[m].corrected;
      scrubs.detected += report.scrubs[m].detected;
    }
  }
  EXPECT_GT(reads.corrected, 1000);
  EXPECT_GT(reads.detected, 1000);
  EXPECT_GT(scrubs.corrected, 100);
  EXPECT_GT(scrubs.detected, 20);
}

// One codeword that is written in cycle 10 and read in cycle 20; a strike in each cycle about.
TEST(PlatformTest, AStrikeIsMetFromTheWritesCycleToTheOneBeforeTheReads) {
  for (Cycle cycle = 0; cycle < 30; ++cycle) {
    Platform platform(std::vector{memory_of(EccKind::kNone, 8)});
    PlatformStrike strike;
    strike.bit = {CodewordId(3), 5};
    strike.when.from = cycle;
    platform.arm({&strike, 1});
    std::uint8_t written = 0x0F;
    std::uint8_t read = 0;
    ListProgram program(
        {{10, AccessKind::kWrite, 0, 3, 1, &written}, {20, AccessKind::kRead, 0, 3, 1, &read}});
    platform.run(program, DueAction::kStop);
    EXPECT_EQ(read, cycle >= 10 && cycle < 20 ? 0x2F : 0x0F) << cycle;
  }
}

TEST(PlatformTest, AStrikeBetweenTheHalvesOfAReadModifyWriteIsLost) {
  for (Cycle cycle = 8; cycle < 13; ++cycle) {
    Platform platform(std::vector{memory_of(EccKind::kNone, 32)});
    PlatformStrike strike;
    strike.bit = {CodewordId(0), 4};
    strike.when.from = cycle;
    platform.arm({&strike, 1});
    std::int32_t sum = -1;
    const std::int32_t addend = 1000;
    std::int32_t read = 0;
    auto* const sum_bytes = reinterpret_cast<std::uint8_t*>(&sum);
    ListProgram program({{10, AccessKind::kReadForUpdate, 0, 0, 4, sum_bytes},
                         {11, AccessKind::kWriteBack, 0, 0, 4, sum_bytes, &addend},
                         {20, AccessKind::kRead, 0, 0, 4, reinterpret_cast<std::uint8_t*>(&read)}});
    platform.run(program, DueAction::kStop);
    // Before the read: 16 + 1000. In the gap: lost. After the write-back: bit 4 of 1000 flips.
    EXPECT_EQ(read, cycle < 10 ? 1016 : cycle == 10 ? 1000 : 1000 ^ 16) << cycle;
  }
}

TEST(PlatformTest, ADetectedErrorStopsIsZeroedOrUsed) {
  for (const DueAction action : {DueAction::kStop, DueAction::kZero, DueAction::kUse}) {
    Platform platform(std::vector{memory_of(EccKind::kSecded, 64)});
    std::vector<PlatformStrike> strikes(2);
    for (PlatformStrike& strike : strikes) {
      strike.bit.codeword = CodewordId(1);
      strike.when.from = 5;
    }
    strikes[1].bit.bit = 71;  // a check bit
    platform.arm(strikes);
    std::vector<std::uint8_t> written(24, 0xFF), read(20, 0x77), later(1, 0x77);
    ListProgram program({{1, AccessKind::kWrite, 0, 0, 24, written.data()},
                         {9, AccessKind::kRead, 0, 4, 20, read.data()},
                         {10, AccessKind::kRead, 0, 0, 1, later.data()}});
    const PlatformReport report = platform.run(program, action);
    EXPECT_EQ(report.first_detected, (DetectedError{0, CodewordId(1), 9, false}));
    EXPECT_EQ(report.reads[0], (EccCounts{0, 1}));
    EXPECT_EQ(program.detected.size(), 1);
    EXPECT_EQ(report.is_stopped, action == DueAction::kStop);
    EXPECT_EQ(later[0], action == DueAction::kStop ? 0x77 : 0xFF);
    std::vector<std::uint8_t> expected(20, 0xFF);
    if (action == DueAction::kZero) {
      std::fill(expected.begin() + 4, expected.begin() + 12, 0);
    } else {
      expected[4] = 0xFE;
    }
    EXPECT_EQ(read, expected);
  }
}

// The scrubber reads codeword 0 in cycle 0, before a strike of that cycle.
TEST(PlatformTest, WhatStruckBeforeTheStartIsMetByTheFirstScrub) {
  for (const Cycle cycle : {-7, -1, 0}) {
    Platform platform(std::vector{memory_of(EccKind::kSecded, 64, 128)});
    PlatformStrike strike;
    strike.when = {cycle, cycle + 1};
    platform.arm({&strike, 1});
    EXPECT_EQ(platform.idle_until(5).scrubs[0].corrected, cycle < 0 ? 1 : 0) << cycle;
    EXPECT_EQ(platform.idle_until(200).scrubs[0].corrected, cycle < 0 ? 0 : 1) << cycle;
  }
}

// A year at 2 GHz is more than the kernel's 64 bits of picoseconds hold.
TEST(PlatformTest, AScrubberOfALongPeriodComesByInItsCycleOnly) {
  constexpr Cycle kYear = 63'072'000'000'000'000;
  constexpr Cycle kWrapped = 18'446'744'073'709'752;  // 2^64 ps and 200 cycles
  for (const Cycle period : {kYear, kLongestScrubPeriod}) {
    Platform platform(std::vector{memory_of(EccKind::kSecded, 64, period)});
    for (const CodewordId word : {CodewordId(0), CodewordId(77), CodewordId(127)}) {
      const Cycle phase = ScrubSchedule(period, 128).phase(word);
      const std::vector<std::pair<Cycle, int>> phases{
          {phase, 0},                                // in cycle 0: before the strike
          {(phase + period - 40) % period, 1},       // in cycle 40
          {(phase + period - 500'000) % period, 2},  // in cycle 500 000
          {(phase + period - kWrapped) % period, 0},
          {(phase + 1) % period, 0},  // in a period
          {(phase + period / 2) % period, 0}};
      for (const auto& [start, when] : phases) {
        platform.clear();
        platform.set_scrub_phase(0, start);
        PlatformStrike strike;
        strike.bit = {word, 5};
        strike.when = {10, 11};
        platform.arm({&strike, 1});
        EXPECT_EQ(platform.idle_until(39).scrubs[0].corrected, 0U);
        EXPECT_EQ(platform.idle_until(1'000).scrubs[0].corrected, when == 1 ? 1U : 0U);
        EXPECT_EQ(platform.idle_until(600'000).scrubs[0].corrected, when == 2 ? 1U : 0U);
      }
    }
  }
}

TEST(PlatformTest, AScrubberThatFindsAnErrorInADeadWordStopsTheRun) {
  Platform platform(std::vector{memory_of(EccKind::kSecded, 64, 128)});
  std::vector<PlatformStrike> strikes(2);
  strikes[0].bit = {CodewordId(100), 0};
  strikes[1].bit = {CodewordId(100), 1};
  platform.arm(strikes);
  std::uint8_t read[2] = {1, 1};
  ListProgram program(
      {{50, AccessKind::kRead, 0, 0, 1, read}, {150, AccessKind::kRead, 0, 0, 1, read + 1}});
  const PlatformReport report = platform.run(program, DueAction::kStop);
  EXPECT_TRUE(report.is_stopped);
  EXPECT_EQ(report.first_detected, (DetectedError{0, CodewordId(100), 100, true}));
  EXPECT_EQ(report.steps, 1);
  EXPECT_EQ(read[1], 1);
}

// Contents, what is stuck and what is armed stay from one run to the next; the mesh's module, which
// shares the kernel, may run in between.
TEST(PlatformTest, RunsFollowOneAnother) {
  Platform platform(std::vector{memory_of(EccKind::kNone, 8)});
  std::vector<PlatformStrike> strikes(2);
  strikes[0].bit = {CodewordId(0), 7};
  strikes[0].when.from = 150;  // between two runs
  strikes[1].bit = {CodewordId(1), 0};
  strikes[1].kind = FaultKind::kStuckAt1;
  strikes[1].when = {120, 260};
  platform.arm(strikes);
  std::uint8_t zero[2] = {0, 0};
  std::uint8_t read[2];
  const auto inference = [&](Cycle origin, bool writes) {
    std::vector<PlatformStep> steps;
    if (writes) {
      steps.push_back({0, AccessKind::kWrite, 0, 0, 2, zero});
    }
    steps.push_back({99, AccessKind::kRead, 0, 0, 2, read});
    ListProgram program(steps);
    platform.run(program, DueAction::kStop, origin);
    return read[0] * 256 + read[1];
  };
  EXPECT_EQ(inference(0, true), 0);
  MeshConfig mesh;
  const MeshRun run(mesh, {{64, 16, 16}});
  class Zeros final : public Operands {
    void activations(int, int, int, std::int8_t*) const override {}
    void weights(int, int, int, std::int8_t*) const override {}
    void accumulators(int, int, int, std::int32_t*) const override {}
  } zeros;
  MeshJob job;
  job.run = &run;
  job.operands = &zeros;
  job.wants_outputs = true;
  EXPECT_EQ(builtin_engines().make("systemc")->run(job).cycles, run.cycles());
  EXPECT_EQ(inference(100, true), 0x8001);  // struck while it runs, after its writes
  EXPECT_EQ(inference(200, false), 0x8001);
  EXPECT_EQ(platform.next_cycle(), 299);
  EXPECT_EQ(inference(300, true), 0);  // the stuck cell was released
  platform.clear();
  EXPECT_EQ(platform.next_cycle(), 0);
  EXPECT_EQ(inference(0, false), 0);
}

TEST(PlatformTest, MoreMemoriesThanModulesAreAnError) {
  const std::vector<MemoryConfig> many(9, memory_of(EccKind::kNone, 8));
  try {
    const Platform platform(many);
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("9 memories"), std::string::npos);
  }
}

// A program's own errors come out of run(), and the platform still works.
TEST(PlatformTest, AnErrorOfTheProgramIsItsCallers) {
  Platform platform(std::vector{memory_of(EccKind::kNone, 8)});
  class Fails final : public PlatformProgram {
    std::span<const PlatformStep> next() override {
      fail(ErrorCode::kUnsupported, "no such operator");
    }
  } fails;
  EXPECT_THROW(platform.run(fails, DueAction::kStop), Failure);
  std::uint8_t byte = 1;
  ListProgram program({{0, AccessKind::kRead, 0, 0, 1, &byte}});
  EXPECT_EQ(platform.run(program, DueAction::kStop).steps, 1);
  EXPECT_EQ(byte, 0);
  ListProgram backwards(
      {{9, AccessKind::kRead, 0, 0, 1, &byte}, {8, AccessKind::kRead, 0, 0, 1, &byte}});
  EXPECT_DEATH(platform.run(backwards, DueAction::kStop), "time order");
  ListProgram beyond({{9, AccessKind::kRead, 0, 1000, 1, &byte}});
  EXPECT_DEATH(platform.run(beyond, DueAction::kStop), "within their memory");
}

}  // namespace
}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a tile pass on the platform give what the bare mesh gives, and under a strike what plain
// arithmetic gives with that bit as it was read in each cycle?
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "sim/mesh/arithmetic.h"
#include "sim/mesh/engine_set.h"
#include "tests/sim/plain_array.h"
#include "tests/sim/tile_program.h"

namespace tilestrike::sim {
namespace {

constexpr int kActivations = 0, kWeights = 1, kAccumulators = 2;  // memories

struct Tile {
  MeshRun run;
  std::vector<std::int8_t> activations, weights;
  std::vector<std::int32_t> accumulators;
  TileOperands operands() const { return {activations, weights, accumulators}; }
};

Tile tile_of(const MeshConfig& config, const PassShape& shape, RandomStream& random) {
  Tile tile{MeshRun(config, {shape}), {}, {}, {}};
  const bool ws = config.is_weight_stationary();
  const int lanes = ws ? shape.depth : shape.rows;
  tile.activations.resize(static_cast<std::size_t>(tile.run.steps(0) * config.rows));
  for (std::size_t i = 0; i < tile.activations.size(); ++i) {
    if (static_cast<int>(i) % config.rows < lanes) {
      tile.activations[i] = static_cast<std::int8_t>(random.next());
    }
  }
  tile.weights.resize(static_cast<std::size_t>(shape.depth * config.columns));
  for (std::size_t i = 0; i < tile.weights.size(); ++i) {
    if (static_cast<int>(i) % config.columns < shape.columns) {
      tile.weights[i] = static_cast<std::int8_t>(random.next());
    }
  }
  tile.accumulators.resize(static_cast<std::size_t>(shape.rows * config.columns));
  for (std::int32_t& word : tile.accumulators) {
    word = static_cast<std::int32_t>(random.next());
  }
  return tile;
}

std::vector<MemoryConfig> memories_of(EccKind ecc, int data_bits) {
  MemoryConfig config;
  config.capacity_bytes = 16384;
  config.row_bytes = 64;
  config.data_bits = data_bits;
  config.ecc = ecc;
  config.interleave = 2;
  return {config, config, config};
}

TileProgram program_of(const Tile& tile) {
  return TileProgram(tile.run, tile.operands(), {kActivations, 128}, {kWeights, 0},
                     {kAccumulators, 256});
}

std::vector<std::int32_t> sums_in(Platform& platform, const Tile& tile) {
  std::vector<std::int32_t> sums(tile.accumulators.size());
  std::vector<CodewordFinding> found;
  platform.array(kAccumulators)
      .read_bytes(256, {reinterpret_cast<std::uint8_t*>(sums.data()), sums.size() * 4}, found);
  return sums;
}

class ReadyOperands final : public Operands {
 public:
  explicit ReadyOperands(const Tile& tile) : tile_(tile) {}
  void activations(int, int first, int count, std::int8_t* out) const override {
    const int lanes = tile_.run.config().rows;
    std::copy_n(&tile_.activations[static_cast<std::size_t>(first * lanes)], count * lanes, out);
  }
  void weights(int, int first, int count, std::int8_t* out) const override {
    const int lanes = tile_.run.config().columns;
    std::copy_n(&tile_.weights[static_cast<std::size_t>(first * lanes)], count * lanes, out);
  }
  void accumulators(int, int, int, std::int32_t*) const override {}

 private:
  const Tile& tile_;
};

std::vector<MeshConfig> meshes(int size) {
  std::vector<MeshConfig> all;
  for (const Dataflow dataflow : {Dataflow::kWeightStationary, Dataflow::kOutputStationary}) {
    for (const Preload preload : {Preload::kOverlapped, Preload::kSerial}) {
      MeshConfig config;
      config.rows = size;
      config.columns = size;
      config.dataflow = dataflow;
      config.preload = preload;
      all.push_back(config);
    }
  }
  return all;
}

TEST(TileProgramTest, WithoutAStrikeItIsTheBareMesh) {
  RandomStream random(51, 0, Purpose::kTest);
  const auto engine = builtin_engines().make("systemc");
  for (const int size : {4, 16}) {
    for (const MeshConfig& mesh : meshes(size)) {
      const bool ws = mesh.is_weight_stationary();
      for (const int streamed : {1, size - 1, size, 64, 150}) {
        for (const int edge : {size, size - 1}) {
          const PassShape shape =
              ws ? PassShape{streamed, edge, edge} : PassShape{edge, streamed, edge};
          const Tile tile = tile_of(mesh, shape, random);
          const ReadyOperands ready(tile);
          MeshJob job;
          job.run = &tile.run;
          job.operands = &ready;
          job.wants_outputs = true;
          const std::vector<std::int32_t> bare = engine->run(job).outputs[0];
          for (const EccKind ecc : {EccKind::kNone, EccKind::kSecded}) {
            Platform platform(memories_of(ecc, 64));
            TileProgram program = program_of(tile);
            const PlatformReport report = platform.run(program, DueAction::kStop);
            EXPECT_FALSE(report.first_detected);
            std::uint64_t beats = 0;
            for (const PlatformStep& step : program.steps()) {
              beats += step.beats;
            }
            EXPECT_EQ(report.steps, beats);
            EXPECT_EQ(report.last_cycle, program.mesh_start() + tile.run.cycles());
            const std::vector<std::int32_t> sums = sums_in(platform, tile);
            for (int r = 0; r < shape.rows; ++r) {
              for (int c = 0; c < size; ++c) {
                const auto at = static_cast<std::size_t>(r * size + c);
                const std::int64_t product =
                    c < shape.columns ? bare[static_cast<std::size_t>(r * shape.columns + c)] : 0;
                ASSERT_EQ(sums[at], wrapped(tile.accumulators[at] + product))
                    << size << " " << ws << " " << streamed << " " << r << " " << c;
              }
            }
          }
        }
      }
    }
  }
}

// Plain arithmetic on plain arrays, cycle by cycle: WS row d of the weights is read R - 1 - d
// cycles after the start, row i of the activations R + i after it; OS both R + k. A row of sums is
// read R + C - 1 cycles after its wavefront and written back one later.
struct Walk {
  std::vector<std::int32_t> sums;
  std::optional<DetectedError> first_detected;
  std::uint64_t corrected = 0;
};

Walk walk(const Tile& tile, const std::vector<MemoryConfig>& memories,
          const std::vector<PlatformStrike>& strikes) {
  const MeshConfig& mesh = tile.run.config();
  const PassShape& shape = tile.run.passes()[0];
  const bool ws = mesh.is_weight_stationary();
  const Cycle size = mesh.rows;
  const auto lanes = static_cast<std::size_t>(size);
  const Cycle steps = tile.run.steps(0);
  const Cycle start = std::max({steps, Cycle{shape.depth}, Cycle{shape.rows}});
  Walk seen;
  std::vector<PlainArray> arrays;
  for (const MemoryConfig& config : memories) {
    arrays.emplace_back(config.code(), ArrayGeometry(config.array()).codewords());
  }
  std::vector<std::int8_t> a(tile.activations.size()), w(tile.weights.size());
  std::vector<std::int32_t> sums(tile.accumulators.size());
  std::map<std::int64_t, std::map<CodewordId, CodewordRead>> held;
  const auto bytes = [](auto* numbers, std::size_t count) {
    return std::span(reinterpret_cast<std::uint8_t*>(numbers), count * sizeof *numbers);
  };
  const Cycle end = start + size + std::max(steps, size) + 3 * size;
  for (Cycle cycle = 0; cycle < end; ++cycle) {
    const auto read = [&](int memory, std::uint64_t address, std::span<std::uint8_t> out) {
      std::vector<CodewordFinding> found;
      arrays[static_cast<std::size_t>(memory)].read_bytes(address, out, found);
      for (const CodewordFinding& finding : found) {
        if (finding.status == EccStatus::kCorrected) {
          ++seen.corrected;
        } else if (!seen.first_detected) {
          seen.first_detected = {memory, finding.codeword, cycle, false};
        }
      }
    };
    const Cycle since = cycle - start;
    const Cycle weight_row = ws ? size - 1 - since : since - size;
    if (since >= 0 && weight_row >= 0 && weight_row < shape.depth) {
      const std::size_t at = static_cast<std::size_t>(weight_row) * lanes;
      read(kWeights, at, bytes(&w[at], static_cast<std::size_t>(shape.columns)));
    }
    if (since >= size && since - size < steps) {
      const std::size_t at = static_cast<std::size_t>(since - size) * lanes;
      read(kActivations, 128 + at,
           bytes(&a[at], static_cast<std::size_t>(ws ? shape.depth : shape.rows)));
    }
    // OS drains its last row first.
    const Cycle first_leaves = size + (ws ? 0 : std::max(steps, size)) + 2 * size - 1;
    const auto row_at = [&](Cycle leaves) { return ws ? leaves : size - 1 - leaves; };
    const auto is_row = [&](Cycle row) { return row >= 0 && row < shape.rows; };
    const std::size_t row_bytes = lanes * 4;
    const Cycle read_row = row_at(since - first_leaves);
    if (is_row(read_row)) {
      const std::size_t at = static_cast<std::size_t>(read_row) * lanes;
      held[read_row] = arrays[kAccumulators].hold_range(256 + at * 4, row_bytes);
      read(kAccumulators, 256 + at * 4, bytes(&sums[at], lanes));
    }
    // Writes.
    const auto write = [&](int memory, std::uint64_t base, const auto& numbers) {
      const std::size_t at = static_cast<std::size_t>(cycle) * lanes;
      if (at < numbers.size()) {
        auto row = std::vector(numbers.begin() + static_cast<std::ptrdiff_t>(at),
                               numbers.begin() + static_cast<std::ptrdiff_t>(at + lanes));
        std::vector<CodewordFinding> nobody_reads;
        arrays[static_cast<std::size_t>(memory)].write_bytes(
            base + at * sizeof row[0], bytes(row.data(), lanes), nobody_reads);
      }
    };
    write(kActivations, 128, tile.activations);
    write(kWeights, 0, tile.weights);
    write(kAccumulators, 256, tile.accumulators);
    const Cycle write_row = row_at(since - first_leaves - 1);
    if (is_row(write_row)) {
      for (std::size_t c = 0; c < lanes; ++c) {
        std::int64_t sum = sums[static_cast<std::size_t>(write_row) * lanes + c];
        for (std::size_t k = 0; k < static_cast<std::size_t>(shape.depth); ++k) {
          const auto i = static_cast<std::size_t>(write_row);
          sum += a[ws ? i * lanes + k : k * lanes + i] * w[k * lanes + c];
        }
        sums[static_cast<std::size_t>(write_row) * lanes + c] = wrapped(sum);
      }
      const std::size_t at = static_cast<std::size_t>(write_row) * lanes;
      arrays[kAccumulators].write_back(256 + at * 4, bytes(&sums[at], lanes), held[write_row]);
    }
    for (const PlatformStrike& strike : strikes) {
      PlainArray& array = arrays[static_cast<std::size_t>(strike.memory)];
      if (strike.when.from != cycle) {
        continue;
      }
      if (strike.kind == FaultKind::kFlip) {
        array.flip(strike.bit);
      } else {
        array.hold(strike.bit, strike.kind == FaultKind::kStuckAt1);
      }
    }
  }
  seen.sums.resize(tile.accumulators.size());
  std::vector<CodewordFinding> found;
  arrays[kAccumulators].read_bytes(256, bytes(seen.sums.data(), seen.sums.size()), found);
  return seen;
}

TEST(TileProgramTest, AStrikeDoesWhatPlainArithmeticOnTheStruckBitDoes) {
  RandomStream random(52, 0, Purpose::kTest);
  std::size_t changed = 0, corrected = 0, detected = 0;
  for (const EccKind ecc : {EccKind::kNone, EccKind::kParity, EccKind::kSecded, EccKind::kDected}) {
    for (const MeshConfig& mesh : meshes(8)) {
      if (mesh.preload == Preload::kSerial) {
        continue;  // the walk has the cycles of the other
      }
      const bool ws = mesh.is_weight_stationary();
      for (int trial = 0; trial < 400; ++trial) {
        const PassShape shape = ws ? PassShape{20, trial % 2 == 0 ? 8 : 5, 8}
                                   : PassShape{trial % 2 == 0 ? 8 : 5, 20, 7};
        const Tile tile = tile_of(mesh, shape, random);
        const std::vector<MemoryConfig> memories = memories_of(ecc, 32);
        Platform platform(memories);
        TileProgram program = program_of(tile);
        std::vector<PlatformStrike> strikes(1 + random.below(3));
        strikes[0].memory = static_cast<std::int32_t>(random.below(3));
        // Where something lies.
        const std::size_t used[] = {tile.activations.size(), tile.weights.size(),
                                    tile.accumulators.size() * 4};
        const std::uint64_t base[] = {128, 0, 256};
        const auto m = static_cast<std::size_t>(strikes[0].memory);
        strikes[0].bit.codeword = CodewordId((base[m] + random.below(used[m])) / 4);
        for (PlatformStrike& strike : strikes) {
          strike.memory = strikes[0].memory;
          strike.bit.codeword = strikes[0].bit.codeword;
          strike.bit.bit = static_cast<int>(
              random.below(static_cast<std::uint64_t>(memories[0].code().codeword_bits())));
          strike.when.from =
              static_cast<Cycle>(random.below(static_cast<std::uint64_t>(program.cycles())));
          strike.kind = random.below(4) == 0 ? FaultKind::kStuckAt1 : FaultKind::kFlip;
        }
        const Walk expected = walk(tile, memories, strikes);
        platform.arm(strikes);
        const PlatformReport report = platform.run(program, DueAction::kUse);
        platform.idle_until(program.cycles());
        const std::vector<std::int32_t> sums = sums_in(platform, tile);
        ASSERT_EQ(sums, expected.sums) << info_of(ecc).name << " ws " << ws << " trial " << trial;
        ASSERT_EQ(report.first_detected, expected.first_detected);
        std::uint64_t all = 0;
        for (const EccCounts& counts : report.reads) {
          all += counts.corrected;
        }
        ASSERT_EQ(all, expected.corrected);
        corrected += all > 0 ? 1 : 0;
        detected += report.first_detected ? 1 : 0;
        changed += walk(tile, memories, {}).sums != sums ? 1 : 0;
      }
    }
  }
  EXPECT_GT(changed, 500);
  EXPECT_GT(corrected, 200);
  EXPECT_GT(detected, 200);
}

// Every cell of one activation codeword, data and check bits, and every pair of two.
TEST(TileProgramTest, SecDedCorrectsOneBitAndDetectsTwoAtTheFirstRead) {
  RandomStream random(53, 0, Purpose::kTest);
  MeshConfig mesh;
  const Tile tile = tile_of(mesh, {64, 16, 16}, random);
  const std::vector<MemoryConfig> memories = memories_of(EccKind::kSecded, 64);
  Platform platform(memories);
  TileProgram program = program_of(tile);
  platform.run(program, DueAction::kStop);
  const std::vector<std::int32_t> golden = sums_in(platform, tile);
  const CodewordId struck((128 + 33 * 16) / 8);  // the first half of row 33
  const Cycle is_read = program.mesh_start() + 16 + 33;
  for (int first = 0; first < 72; ++first) {
    for (int second = first; second < 72; second += first % 9 == 0 ? 1 : 72) {
      platform.clear();
      program.restart();
      std::vector<PlatformStrike> strikes(first == second ? 1 : 2);
      strikes[0].bit = {struck, first};
      strikes.back().bit = {struck, second};
      for (PlatformStrike& strike : strikes) {
        strike.when.from = is_read - 1;
      }
      platform.arm(strikes);
      const PlatformReport report = platform.run(program, DueAction::kStop);
      if (first == second) {
        EXPECT_EQ(report.reads[kActivations], (EccCounts{1, 0}));
        EXPECT_FALSE(report.first_detected);
        EXPECT_EQ(sums_in(platform, tile), golden);
      } else {
        EXPECT_TRUE(report.is_stopped);
        EXPECT_EQ(report.first_detected, (DetectedError{kActivations, struck, is_read, false}));
      }
    }
  }
}

}  // namespace
}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do flips that are carried over by the operand that a register holds have the effect that they
// have in the mesh itself? The other design is no mesh at all, but plain sums over words that stand
// for its registers, one for each operand and PE.
#include "rtl/foreign_mesh.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

#include "base/error.h"
#include "sim/compare/engine_comparison.h"
#include "tests/sim/mesh_jobs.h"

namespace tilestrike::rtl {
namespace {

using sim::Register;

constexpr int kRows = 4, kColumns = 3;

class PlainSums final : public ForeignMesh {
 public:
  explicit PlainSums(bool is_late = false, bool waits = false) : is_late_(is_late), waits_(waits) {}

  bool takes(const sim::MeshConfig& config) const override {
    return config.rows == kRows && config.columns == kColumns &&
           config.overflow == sim::Overflow::kWrap;
  }

  void run(const PassStreams& passes, PassResults& results) override {
    restart();
    compute(passes, results, nullptr);  // puts into the words what they hold
    golden_ = words_;
    clock();
    while (waits_ && words_ != golden_) {
      clock();
    }
    compute(passes, results, &golden_);
  }

  std::optional<ForeignPlace> place(const PassStreams& passes,
                                    const OperandSite& site) const override {
    const bool is_ws = passes.config().is_weight_stationary();
    const auto& [kind, r, c, position, bit] = site.site;
    const auto at = [&](Kind word, int row, int column) -> std::optional<ForeignPlace> {
      const int bits = is_wide(word, is_ws) ? 32 : 8;
      return ForeignPlace{{&words_[{word, site.pass, site.index, row, column}], 32},
                          bit,
                          0,
                          bits,
                          is_late_ ? 2 : 1};
    };
    switch (kind) {
      case Register::kActivation:
        return at(kA, r, c);
      case Register::kSkewActivation:
        return at(kA, r, 0);
      case Register::kVertical:
        return at(kB, r, c);
      case Register::kSkewVertical:
        return at(kB, 0, c);
      case Register::kOutput:
      case Register::kDeskew:
        return at(kResult, 0, c);
      case Register::kStationary0:
        return at(kHeld, r, c);
      case Register::kStationary1:
      case Register::kLoad:
      case Register::kSkewLoad:
        return at(kLoaded, 0, c);
      default:
        return std::nullopt;
    }
  }

 private:
  enum Kind { kA, kB, kResult, kHeld, kLoaded };
  using Key = std::array<int, 5>;  // kind, pass, index, row, column
  using Words = std::map<Key, std::uint32_t>;

  static bool is_wide(Kind kind, bool is_ws) {
    return kind == kResult || (kind == kB && is_ws) || (kind == kHeld && !is_ws);
  }

  // What a register holds, with what its flip makes of it.
  std::int32_t through(const Key& key, std::int32_t value, bool is_wide, const Words* golden) {
    if (golden == nullptr) {
      words_[key] = is_wide ? static_cast<std::uint32_t>(value) : static_cast<std::uint8_t>(value);
      return value;
    }
    const std::uint32_t flipped = words_.at(key) ^ golden->at(key);
    return is_wide ? static_cast<std::int32_t>(static_cast<std::uint32_t>(value) ^ flipped)
                   : static_cast<std::int8_t>(static_cast<std::uint32_t>(value) ^ flipped);
  }

  void compute(const PassStreams& passes, PassResults& results, const Words* golden) {
    for (int p = 0; p < passes.passes(); ++p) {
      const bool is_ws = passes.config().is_weight_stationary();
      is_ws ? weight_stationary(passes, p, results, golden)
            : output_stationary(passes, p, results, golden);
    }
  }

  void weight_stationary(const PassStreams& passes, int p, PassResults& results,
                         const Words* golden) {
    std::int32_t weights[kRows][kColumns];
    for (int q = 0; q < kRows; ++q) {
      for (int c = 0; c < kColumns; ++c) {
        weights[q][c] = through({kLoaded, p, q, 0, c}, passes.weights(p, q)[c], false, golden);
      }
    }
    for (int n = 0; n < passes.steps(p); ++n) {
      std::int32_t sums[kColumns];
      std::copy_n(passes.accumulators(p, n).begin(), kColumns, sums);
      for (int r = 0; r < kRows; ++r) {
        std::int32_t a = passes.activations(p, n)[r];
        for (int c = 0; c < kColumns; ++c) {
          a = through({kA, p, n, r, c}, a, false, golden);
          weights[r][c] = through({kHeld, p, n, r, c}, weights[r][c], false, golden);
          sums[c] = through({kB, p, n, r, c}, sums[c], true, golden);
          sums[c] = sim::wrapped(std::int64_t{sums[c]} + std::int64_t{a} * weights[r][c]);
        }
      }
      leave(passes, p, n, sums, results, golden);
    }
  }

  void output_stationary(const PassStreams& passes, int p, PassResults& results,
                         const Words* golden) {
    std::int32_t sums[kRows][kColumns];
    for (int r = 0; r < kRows; ++r) {
      std::copy_n(passes.accumulators(p, r).begin(), kColumns, sums[r]);
    }
    for (int k = 0; k < passes.steps(p); ++k) {
      std::int32_t b[kColumns];
      std::copy_n(passes.weights(p, k).begin(), kColumns, b);
      for (int r = 0; r < kRows; ++r) {
        std::int32_t a = passes.activations(p, k)[r];
        for (int c = 0; c < kColumns; ++c) {
          a = through({kA, p, k, r, c}, a, false, golden);
          b[c] = through({kB, p, k, r, c}, b[c], false, golden);
          sums[r][c] = through({kHeld, p, k, r, c}, sums[r][c], true, golden);
          sums[r][c] = sim::wrapped(std::int64_t{sums[r][c]} + std::int64_t{a} * b[c]);
        }
      }
    }
    for (int r = 0; r < passes.shape(p).rows; ++r) {
      leave(passes, p, r, sums[r], results, golden);
    }
  }

  void leave(const PassStreams& passes, int p, int row, const std::int32_t* sums,
             PassResults& results, const Words* golden) {
    for (int c = 0; c < kColumns; ++c) {
      const std::int32_t result = through({kResult, p, row, 0, c}, sums[c], true, golden);
      if (c < passes.shape(p).columns) {
        results[static_cast<std::size_t>(p)]
               [static_cast<std::size_t>(row * passes.shape(p).columns + c)] = result;
      }
    }
  }

  void clock_edge() override {}
  void settle() override {}

  bool is_late_, waits_;
  mutable Words words_;
  Words golden_;
};

sim::EngineSet with_plain_sums() {
  sim::EngineSet engines = sim::builtin_engines();
  add_foreign_engine(engines, "plain_sums", [] { return std::make_unique<PlainSums>(); });
  add_foreign_engine(engines, "late_sums", [] { return std::make_unique<PlainSums>(true); });
  add_foreign_engine(engines, "waiting_sums",
                     [] { return std::make_unique<PlainSums>(false, true); });
  return engines;
}

class ForeignEngineTest : public testing::TestWithParam<std::tuple<sim::Dataflow, sim::Preload>> {
 protected:
  const sim::EngineSet engines_ = with_plain_sums();
};

TEST(ForeignEnginesTest, ANameIsGivenOnce) {
  sim::EngineSet engines = with_plain_sums();
  EXPECT_THROW(
      add_foreign_engine(engines, "late_sums", [] { return std::make_unique<PlainSums>(); }),
      Failure);
  EXPECT_EQ(engines.names(), with_plain_sums().names());
}

TEST_P(ForeignEngineTest, EveryFlipOfAnOperandIsThatOfTheMesh) {
  const auto [dataflow, preload] = GetParam();
  const sim::MeshConfig config{kRows, kColumns, dataflow, sim::Overflow::kWrap, preload};
  const bool is_ws = config.is_weight_stationary();
  // Depth folds and edge tiles, longer and shorter than the mesh.
  const sim::MeshRun run(config,
                         is_ws ? std::vector<sim::PassShape>{{6, 4, 3}, {2, 3, 2}, {5, 1, 3}}
                               : std::vector<sim::PassShape>{{4, 6, 3}, {3, 2, 2}, {1, 5, 3}});
  RandomStream random(11, 0, Purpose::kTest);
  const sim::RandomOperands operands(run, random);
  const sim::MeshSites sites(config);
  const auto stepped = engines_.make("stepped");
  const auto foreign = engines_.make("plain_sums");
  std::map<Register, std::pair<int, int>> live;  // flips of live words, those covered
  int covered = 0;
  for (std::uint64_t site = 0; site < sites.total_bits(); ++site) {
    const sim::MeshSite place = sites.describe(SiteId(site));
    for (Cycle cycle = 1; cycle <= run.cycles(); ++cycle) {
      const RegisterFault fault = sim::flip_of(site, cycle);
      sim::MeshJob job;
      job.run = &run;
      job.operands = &operands;
      job.faults = {&fault, 1};
      const bool is_live = sim::is_live(run, place, cycle - 1 - sites.delay(place));
      const bool is_covered = foreign->covers(job);
      live[place.kind].first += is_live ? 1 : 0;
      live[place.kind].second += is_live && is_covered ? 1 : 0;
      if (!is_covered) {
        continue;
      }
      ++covered;
      ASSERT_EQ(sim::first_difference(job, stepped->run(job), foreign->run(job)), "")
          << sim::text_of_faults(job, sites);
    }
  }
  EXPECT_GT(covered, 5000);
  for (const auto& [kind, counts] : live) {
    const bool is_control = kind == Register::kValid || kind == Register::kPropagate ||
                            kind == Register::kSkewValid || kind == Register::kSkewPropagate;
    const bool is_shadow = kind == Register::kLoad || kind == Register::kSkewLoad ||
                           kind == Register::kStationary0 || kind == Register::kStationary1;
    if (is_control) {
      EXPECT_EQ(counts.second, 0);
    } else if (is_ws || !is_shadow) {
      // Zeros that pad a pass in OS are operands of none.
      EXPECT_GT(counts.second, is_ws ? counts.first - 1 : counts.first / 3)
          << sites.block(kind).name;
    }
  }
}

TEST_P(ForeignEngineTest, OutputsAreThoseOfTheMesh) {
  const auto [dataflow, preload] = GetParam();
  const sim::MeshConfig config{kRows, kColumns, dataflow, sim::Overflow::kWrap, preload};
  RandomStream random(12, 0, Purpose::kTest);
  std::vector<sim::PassShape> shapes;
  for (int i = 0; i < 150; ++i) {  // more than are run together
    shapes.push_back(sim::random_shape(config, random, 9));
  }
  const sim::MeshRun run(config, shapes);
  const sim::RandomOperands operands(run, random);
  sim::MeshJob job;
  job.run = &run;
  job.operands = &operands;
  job.wants_outputs = true;
  const auto foreign = engines_.make("plain_sums");
  ASSERT_TRUE(foreign->covers(job));
  const sim::MeshResult result = foreign->run(job);
  for (int pass = 0; pass < 150; ++pass) {
    ASSERT_EQ(result.outputs[static_cast<std::size_t>(pass)], operands.product(pass)) << pass;
  }
}

TEST_P(ForeignEngineTest, AStrikeThatNeverComesIsAnError) {
  const auto [dataflow, preload] = GetParam();
  const sim::MeshConfig config{kRows, kColumns, dataflow, sim::Overflow::kWrap, preload};
  const sim::MeshRun run(config, {{4, 4, 3}});
  RandomStream random(13, 0, Purpose::kTest);
  const sim::RandomOperands operands(run, random);
  const sim::MeshSites sites(config);
  sim::MeshSite site;
  site.row = site.column = 1;
  const sim::Window window = run.window(1);
  const RegisterFault fault =
      sim::flip_of(sites.id_of(site).value, window.start + 1 + 1 + sites.delay(site));
  sim::MeshJob job;
  job.run = &run;
  job.operands = &operands;
  job.faults = {&fault, 1};
  const auto late = engines_.make("late_sums");
  ASSERT_TRUE(late->covers(job));
  try {
    late->run(job);
    FAIL() << "an edge beyond the run";
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("edge 2 of a run that has 1"), std::string::npos)
        << failure.what();
  }
}

// A flip that makes the design wait for ever is a result.
TEST_P(ForeignEngineTest, ADesignThatHangsIsStopped) {
  const auto [dataflow, preload] = GetParam();
  const sim::MeshConfig config{kRows, kColumns, dataflow, sim::Overflow::kWrap, preload};
  const sim::MeshRun run(config, {{4, 4, 3}});
  RandomStream random(15, 0, Purpose::kTest);
  const sim::RandomOperands operands(run, random);
  const sim::MeshSites sites(config);
  sim::MeshSite site;
  site.row = site.column = 1;
  const RegisterFault fault =
      sim::flip_of(sites.id_of(site).value, run.window(1).start + 2 + sites.delay(site));
  sim::MeshJob job;
  job.run = &run;
  job.operands = &operands;
  job.faults = {&fault, 1};
  const auto waiting = engines_.make("waiting_sums");
  EXPECT_TRUE(waiting->run(job).hung);
  EXPECT_FALSE(engines_.make("plain_sums")->run(job).hung);
  // The next run is not limited.
  job.faults = {};
  job.wants_outputs = true;
  const sim::MeshResult result = waiting->run(job);
  EXPECT_FALSE(result.hung);
  EXPECT_EQ(result.outputs[0], operands.product(0));
}

TEST_P(ForeignEngineTest, WhatItDoesNotCover) {
  const auto [dataflow, preload] = GetParam();
  const sim::MeshConfig config{kRows, kColumns, dataflow, sim::Overflow::kWrap, preload};
  const sim::MeshRun run(config, {{4, 4, 3}});
  RandomStream random(14, 0, Purpose::kTest);
  const sim::RandomOperands operands(run, random);
  const auto foreign = engines_.make("plain_sums");
  sim::MeshJob job;
  job.run = &run;
  job.operands = &operands;
  const RegisterFault stuck{SiteId(0), FaultKind::kStuckAt1, {0, run.cycles()}};
  job.faults = {&stuck, 1};
  EXPECT_FALSE(foreign->covers(job));
  const sim::MeshRun other({kRows + 1, kColumns, dataflow, sim::Overflow::kWrap, preload},
                           {{4, 4, 3}});
  job.faults = {};
  EXPECT_TRUE(foreign->covers(job));
  job.run = &other;
  EXPECT_FALSE(foreign->covers(job));
}

INSTANTIATE_TEST_SUITE_P(All, ForeignEngineTest,
                         testing::Combine(testing::Values(sim::Dataflow::kWeightStationary,
                                                          sim::Dataflow::kOutputStationary),
                                          testing::Values(sim::Preload::kOverlapped,
                                                          sim::Preload::kSerial)));

}  // namespace
}  // namespace tilestrike::rtl

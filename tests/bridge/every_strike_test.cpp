// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Residency by brute force: on a tiny network every cell of every memory is struck in every cycle,
// and what the trial works out from residency is compared with a platform that knows none. On the
// platform a strike can only matter by the accesses that come after it, so one whole inference runs
// for each cell and each gap between two accesses to its codeword (at both ends of the gap, as do
// the struck passes alone); the trial by formula runs for every cell and cycle.
// TILESTRIKE_EVERY_STRIKE=1: the platform does, too. Sampled: of every third codeword.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>

#include "bridge/trial/judge.h"
#include "bridge/trial/memory_trials.h"
#include "dnn/count_different.h"
#include "tests/bridge/small_network.h"
#include "tests/whole_proofs.h"

namespace tilestrike::bridge {
namespace {

const TopKJudge kTopK{};

using enum sim::MemoryContent;

at::Tensor tiny_pictures() { return dnn::NetworkMaker::noise({8, 1, 4, 4}, 2000); }

/// Convolutions with padding (halo rows where the input is loaded in blocks), folds of rows, depth
/// and columns, lanes of padding, a residual addition, pooling, a view and a float answer.
dnn::Network tiny_network() {
  using dnn::ValueId;
  const auto list = [](std::vector<std::int64_t> numbers) {
    return c10::IValue(std::move(numbers));
  };
  dnn::NetworkMaker maker;
  const ValueId x = maker.convolution("first", maker.images(), 1, 2, 3, 1, 1);
  const ValueId y = maker.convolution("second", x, 2, 2, 3, 1, 1);
  ValueId z = maker.call("residual", "aten.add.Tensor", {x, y});
  z = maker.call("pool", "aten.max_pool2d.default", {z, list({2, 2}), list({2, 2})});
  z = maker.call("flat", "aten.flatten.using_ints", {z, c10::IValue(std::int64_t{1})});
  return dnn::quantise(maker.finish(maker.linear("head", z, 8, 3)), tiny_pictures());
}

sim::MemoryConfig tiny_memory(std::vector<sim::MemoryContent> holds, std::int64_t bytes,
                              int data_bits, sim::EccKind ecc) {
  sim::MemoryConfig made = small_memory(std::move(holds), bytes, data_bits, ecc);
  made.row_bytes = 8;
  return made;
}

AcceleratorConfig tiny_accelerator(sim::Dataflow dataflow, WeightReload rule, sim::EccKind ecc) {
  AcceleratorConfig config = small_accelerator(dataflow, rule, ecc);
  config.mesh.rows = 4;
  config.mesh.columns = 2;
  config.schedule.dma_latency = 2;
  // Without ECC a codeword is an element; accumulators have 32 bits.
  const int bits = ecc == sim::EccKind::kNone ? 8 : 32;
  config.memory = {
      {"w", tiny_memory({kWeights}, rule == WeightReload::kPerPass ? 32 : 128, bits, ecc)},
      {"a", tiny_memory({kActivations}, 48, bits, ecc)},
      {"s", tiny_memory({kAccumulators}, 64, 32, ecc)},
      {"d", tiny_memory({kBacking}, 320, bits, ecc)}};
  config.on_due = OnDue::kUse;
  return config;
}

/// What can be told of an inference from outside.
struct Seen {
  std::vector<float> answer;
  bool is_changed = false;  // some layer's result
  bool is_corrected = false, is_detected = false;
  friend bool operator==(const Seen&, const Seen&) = default;
};

class Comparison {
 public:
  explicit Comparison(const AcceleratorConfig& accelerator)
      : accelerator_(accelerator),
        network_(tiny_network()),
        executor_(network_),
        golden_(executor_.record(dnn::Inputs(tiny_pictures()).narrow(0, 1))),
        mapping_(network_, golden_, accelerator),
        trial_(network_, mapping_, sim::builtin_engines().at("systemc"), kTopK),
        formula_(network_, mapping_, sim::builtin_engines().at("closed_form"), kTopK),
        platform_(network_, mapping_, golden_) {}

  Cycle cycles() const { return mapping_.schedule().cycles_per_inference(); }
  std::int64_t struck() const { return struck_; }
  std::int64_t simulated() const { return simulated_; }
  std::int64_t visible() const { return visible_; }

  void every_cell(int cells_together) {
    const bool is_literal = std::getenv("TILESTRIKE_EVERY_STRIKE") != nullptr;
    for (std::size_t memory = 0; memory < accelerator_.memory.size(); ++memory) {
      const sim::ArrayGeometry geometry(accelerator_.memory[memory].second.array());
      const auto word = static_cast<std::uint64_t>(geometry.config().data_bits / 8);
      const auto step = static_cast<std::uint64_t>(proof_size(1, 7));
      for (std::uint64_t codeword = memory % step; codeword < geometry.codewords();
           codeword += step) {
        const std::vector<Cycle> edges = edges_of(memory, codeword * word, word);
        for (std::size_t gap = 0; gap + 1 < edges.size(); ++gap) {
          for (int bit = 0; bit + cells_together <= geometry.codeword_bits();
               bit += cells_together) {
            std::vector<CellFault> faults;
            for (int k = 0; k < cells_together; ++k) {
              CellFault fault;
              fault.memory = memory;
              fault.bit = {sim::CodewordId(codeword), bit + k};
              faults.push_back(fault);
            }
            in_gap(faults, edges[gap], edges[gap + 1], is_literal);
            if (testing::Test::HasFatalFailure()) {
              return;
            }
          }
        }
      }
    }
  }

 private:
  /// 0, the cycles in which a codeword is accessed, and the end of the inference.
  std::vector<Cycle> edges_of(std::size_t memory, std::uint64_t address,
                              std::uint64_t bytes) const {
    std::vector<Cycle> edges{0, cycles()};
    for (const sim::PlatformStep& step : platform_.accesses()) {
      if (step.memory == static_cast<std::int32_t>(memory) && step.address < address + bytes &&
          address < step.address + step.bytes) {
        edges.push_back(step.cycle);
      }
    }
    std::sort(edges.begin(), edges.end());
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    return edges;
  }

  void in_gap(std::vector<CellFault>& faults, Cycle first, Cycle end, bool is_literal) {
    const auto at = [&](Cycle cycle) -> std::vector<CellFault>& {
      for (CellFault& fault : faults) {
        fault.when = {cycle, cycle + 1};
      }
      return faults;
    };
    const Seen expected = on_platform(at(first));
    visible_ += expected.is_changed ? 1 : 0;
    for (Cycle cycle = first; cycle < end; ++cycle) {
      ++struck_;
      if (is_literal || cycle == end - 1) {
        ASSERT_EQ(on_platform(at(cycle)), expected) << text(faults) << ": the platform, in a gap";
      }
      if (is_literal || cycle == first || cycle == end - 1) {
        ASSERT_EQ(by_residency(trial_, at(cycle)), expected) << text(faults) << ": struck passes";
      }
      const Seen hybrid = by_residency(formula_, at(cycle));
      ASSERT_EQ(hybrid.answer, expected.answer) << text(faults);
      ASSERT_EQ(hybrid.is_changed, expected.is_changed) << text(faults);
      ASSERT_EQ(hybrid.is_corrected, expected.is_corrected) << text(faults);
      ASSERT_EQ(hybrid.is_detected, expected.is_detected) << text(faults);
    }
  }

  std::string text(const std::vector<CellFault>& faults) const {
    return accelerator_.memory[faults[0].memory].first + " codeword " +
           std::to_string(faults[0].bit.codeword.value) + " bit " +
           std::to_string(faults[0].bit.bit) + " in cycle " + std::to_string(faults[0].when.from);
  }

  const at::Tensor& golden_of(dnn::ValueId id) const {
    return golden_.values[static_cast<std::size_t>(id.value)].toTensor();
  }

  static std::vector<float> floats(const at::Tensor& tensor) {
    const auto* const first = tensor.const_data_ptr<float>();
    return {first, first + tensor.numel()};
  }

  Seen on_platform(const std::vector<CellFault>& faults) {
    ++simulated_;
    platform_.boot();
    std::vector<sim::PlatformStrike> armed;
    for (const CellFault& fault : faults) {
      armed.push_back(
          {static_cast<std::int32_t>(fault.memory), fault.bit, fault.kind, fault.when, false});
    }
    platform_.platform().arm(armed);
    const PlatformInference full = platform_.infer(golden_, 0);
    Seen seen;
    seen.answer = floats(full.answer);
    seen.is_changed = dnn::count_different(full.answer, golden_of(network_.output)) > 0;
    for (const dnn::Layer& layer : network_.layers) {
      for (const dnn::ValueId id : layer.outputs) {
        const c10::IValue& computed = full.computed[static_cast<std::size_t>(id.value)];
        seen.is_changed =
            seen.is_changed ||
            (computed.isTensor() && dnn::count_different(computed.toTensor(), golden_of(id)) > 0);
      }
    }
    for (const sim::EccCounts& reads : full.report.reads) {
      seen.is_corrected = seen.is_corrected || reads.corrected > 0;
      seen.is_detected = seen.is_detected || reads.detected > 0;
    }
    return seen;
  }

  Seen by_residency(MemoryTrials& trial, const std::vector<CellFault>& faults) {
    const TrialResult result = trial.run(golden_, {faults, {}}, nullptr);
    Seen seen;
    seen.answer = result.logits.empty() ? floats(golden_of(network_.output)) : result.logits;
    seen.is_changed = result.changed_outputs > 0 || !result.logits.empty();
    seen.is_corrected = result.corrected_codewords > 0;
    seen.is_detected = result.detected_codewords > 0;
    return seen;
  }

  AcceleratorConfig accelerator_;
  dnn::Network network_;
  dnn::Executor executor_;
  dnn::Tape golden_;
  Mapping mapping_;
  MemoryTrials trial_, formula_;
  PlatformRun platform_;
  std::int64_t struck_ = 0, simulated_ = 0, visible_ = 0;
};

using Rules = std::tuple<sim::Dataflow, WeightReload, sim::EccKind>;

class EveryStrikeTest : public testing::TestWithParam<Rules> {};

TEST_P(EveryStrikeTest, OfACellInACycleIsWhatThePlatformMakesOfIt) {
  const auto [dataflow, rule, ecc] = GetParam();
  Comparison comparison(tiny_accelerator(dataflow, rule, ecc));
  // Of what is corrected one by one, pairs: they are detected, or corrected, too.
  comparison.every_cell(ecc == sim::EccKind::kSecded ? 2 : 1);
  std::printf(
      "%lld strikes in %lld cycles; %lld inferences on the platform; in %lld gaps a "
      "layer's result changes\n",
      static_cast<long long>(comparison.struck()), static_cast<long long>(comparison.cycles()),
      static_cast<long long>(comparison.simulated()), static_cast<long long>(comparison.visible()));
  EXPECT_GT(comparison.struck(), 100000);
  EXPECT_GT(comparison.visible(), proof_size(1000, 500));
}

INSTANTIATE_TEST_SUITE_P(
    All, EveryStrikeTest,
    testing::Combine(
        testing::ValuesIn(kDataflows),
        testing::Values(WeightReload::kPerPass, WeightReload::kPerInference, WeightReload::kAtBoot),
        testing::Values(sim::EccKind::kNone, sim::EccKind::kParity, sim::EccKind::kSecded)));

}  // namespace
}  // namespace tilestrike::bridge

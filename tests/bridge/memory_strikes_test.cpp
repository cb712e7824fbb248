// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Hybrid equals full simulation, for strikes on memories, in three ways: the struck passes alone on
// the platform, by formula, and an inference of which every access goes through the platform, which
// knows no residency.
#include <gtest/gtest.h>

#include <cstdio>
#include <map>

#include "base/random.h"
#include "bridge/memory/element_places.h"
#include "bridge/memory/memory_trial.h"
#include "tests/bridge/small_network.h"
#include "tests/bridge/trial_text.h"

namespace tilestrike::bridge {
namespace {

struct Counts {
  int strikes = 0, read = 0, changed = 0, corrected = 0, detected = 0;
  std::int64_t passes = 0;
  std::map<std::string, int> audited;
};

std::string text_of(const std::vector<CellFault>& faults) {
  std::string text;
  for (const CellFault& fault : faults) {
    text += " memory " + std::to_string(fault.memory) + " codeword " +
            std::to_string(fault.bit.codeword.value) + " bit " + std::to_string(fault.bit.bit) +
            " " + std::string(name_of(fault.kind)) + " from " + std::to_string(fault.when.from) +
            " until " + std::to_string(fault.when.until) + ";";
  }
  return text;
}

/// One to three cells of a codeword or of two neighbours, flipped at once or stuck.
std::vector<CellFault> draw(const AcceleratorConfig& accelerator, Cycle cycles,
                            RandomStream& random, bool with_stuck) {
  CellFault fault;
  fault.memory = random.below(accelerator.memory.size());
  const sim::MemoryConfig& memory = accelerator.memory[fault.memory].second;
  const sim::ArrayGeometry geometry(memory.array());
  const auto bits = static_cast<std::uint64_t>(geometry.codeword_bits());
  const std::uint64_t first = random.below(geometry.codewords());
  const auto from = static_cast<Cycle>(random.below(static_cast<std::uint64_t>(cycles)));
  const bool is_stuck = random.below(4) == 0 && with_stuck;
  fault.kind = !is_stuck              ? FaultKind::kFlip
               : random.below(2) == 0 ? FaultKind::kStuckAt0
                                      : FaultKind::kStuckAt1;
  fault.when = {from, from + 1};
  if (is_stuck) {
    fault.when.until =
        random.below(2) == 0
            ? CycleWindow{}.until
            : from + 1 + static_cast<Cycle>(random.below(static_cast<std::uint64_t>(cycles / 2)));
  }
  std::vector<CellFault> faults;
  const std::uint64_t count = 1 + random.below(3);
  for (std::uint64_t word = 0; word < 2 && first + word < geometry.codewords(); ++word) {
    for (const std::uint64_t bit : draw_without_replacement(random, bits, count)) {
      fault.bit = {sim::CodewordId(first + word), static_cast<int>(bit)};
      faults.push_back(fault);
    }
    if (random.below(4) > 0) {
      break;
    }
  }
  std::sort(faults.begin(), faults.end(),
            [](const CellFault& x, const CellFault& y) { return x.bit < y.bit; });
  return faults;
}

/// Now and then, of two memories.
std::vector<CellFault> draw_some(const AcceleratorConfig& accelerator, Cycle cycles,
                                 RandomStream& random, bool with_stuck) {
  std::vector<CellFault> faults = draw(accelerator, cycles, random, with_stuck);
  if (random.below(4) == 0) {
    const std::vector<CellFault> more = draw(accelerator, cycles, random, with_stuck);
    if (more.front().memory != faults.front().memory) {
      faults.insert(faults.end(), more.begin(), more.end());
      std::ranges::stable_sort(faults, {}, &CellFault::memory);
    }
  }
  return faults;
}

Counts compare(const AcceleratorConfig& accelerator, int strikes, std::uint64_t seed,
               bool with_stuck = true) {
  const dnn::Network network = small_network();
  const dnn::Executor executor(network);
  const dnn::Inputs images = small_pictures();
  const dnn::Tape shapes = executor.record(images.narrow(0, 1));
  Mapping mapping(network, shapes, accelerator);
  MemoryTrial trial(network, mapping, "systemc", JudgeKind::kTopK);
  MemoryTrial formula(network, mapping, "closed_form", JudgeKind::kTopK);
  PlatformRun platform(network, mapping, shapes);
  const auto output = static_cast<std::size_t>(network.output.value);
  Counts counts;
  for (int k = 0; k < strikes; ++k) {
    RandomStream random(seed, static_cast<std::uint64_t>(k), Purpose::kTest);
    const dnn::Tape golden = executor.record(images.narrow(k % 8, 1));
    const std::vector<CellFault> faults =
        draw_some(accelerator, mapping.schedule().cycles_per_inference(), random, with_stuck);
    Story story;
    const TrialResult hybrid = trial.run(golden, faults, &story);
    EXPECT_EQ(text_of(hybrid), text_of(formula.run(golden, faults, nullptr)))
        << "strike " << k << ":" << text_of(faults);
    counts.passes += hybrid.passes_simulated;
    if (k % 10 == 0) {
      const TrialAudit audit = trial.audit(golden, faults);
      EXPECT_EQ(audit.disagreement, "") << "strike " << k << ":" << text_of(faults);
      for (const std::string& engine : audit.engines) {
        ++counts.audited[engine];
      }
    }
    platform.boot();
    std::vector<sim::PlatformStrike> armed;
    for (const CellFault& fault : faults) {
      armed.push_back(
          {static_cast<std::int32_t>(fault.memory), fault.bit, fault.kind, fault.when, false});
    }
    platform.platform().arm(armed);
    const PlatformInference full = platform.infer(golden, 0);
    // The scrubbers go on until the next inference begins.
    const sim::PlatformReport rest =
        platform.platform().idle_until(mapping.schedule().cycles_per_inference() - 1);
    sim::EccCounts found;
    for (std::size_t m = 0; m < full.report.reads.size(); ++m) {
      found.corrected += full.report.reads[m].corrected + full.report.scrubs[m].corrected +
                         rest.scrubs[m].corrected;
      found.detected +=
          full.report.reads[m].detected + full.report.scrubs[m].detected + rest.scrubs[m].detected;
    }
    std::string where = "strike " + std::to_string(k) + ":" + text_of(faults) + "\n";
    for (const std::string& line : story.lines) {
      where += "  " + line + "\n";
    }
    ++counts.strikes;
    EXPECT_EQ(hybrid.judgement.outcome == Outcome::kDue, hybrid.detected_codewords > 0) << where;
    if (accelerator.on_due == OnDue::kRefetch || accelerator.on_due == OnDue::kStop) {
      EXPECT_EQ(full.report.is_stopped, hybrid.detected_codewords > 0) << where;
    } else {
      EXPECT_EQ(found.corrected > 0, hybrid.corrected_codewords > 0) << where;
      EXPECT_EQ(found.detected > 0, hybrid.detected_codewords > 0) << where;
    }
    counts.corrected += found.corrected > 0 ? 1 : 0;
    counts.detected += found.detected > 0 ? 1 : 0;
    if (full.report.is_stopped) {
      continue;
    }
    const at::Tensor expected = golden.values[output].toTensor();
    const at::Tensor answer = hybrid.logits.empty() ? expected.clone() : full.answer.clone();
    if (!hybrid.logits.empty()) {
      std::copy(hybrid.logits.begin(), hybrid.logits.end(), answer.data_ptr<float>());
    }
    EXPECT_EQ(dnn::count_different(answer, full.answer), 0) << where;
    counts.changed += dnn::count_different(expected, full.answer) > 0 ? 1 : 0;
    counts.read += hybrid.activated ? 1 : 0;
    if (testing::Test::HasFailure()) {
      return counts;
    }
  }
  return counts;
}

class MemoryStrikesTest : public testing::TestWithParam<std::tuple<sim::Dataflow, WeightReload>> {};

TEST_P(MemoryStrikesTest, HybridEqualsFullSimulation) {
  using enum sim::MemoryContent;
  const auto [dataflow, rule] = GetParam();
  Counts all;
  std::uint64_t seed = 60;
  for (const auto& [ecc, name, about, corrects, detects] : sim::ecc_kinds()) {
    for (const OnDue on_due : {OnDue::kUse, OnDue::kZero, OnDue::kRefetch, OnDue::kStop}) {
      if (ecc == sim::EccKind::kNone && on_due != OnDue::kUse) {
        continue;
      }
      AcceleratorConfig accelerator = small_accelerator(dataflow, rule, ecc);
      accelerator.on_due = on_due;
      // Small enough that most codewords are used.
      accelerator.memory[0].second.capacity_bytes = rule == WeightReload::kPerPass ? 512 : 2048;
      accelerator.memory.emplace_back("d", small_memory({kBacking}, 8192, 64, ecc));
      if (on_due == OnDue::kZero) {
        accelerator.mesh.preload = sim::Preload::kSerial;
        accelerator.memory[1].second.buffering = sim::Buffering::kSingle;
        accelerator.schedule.dma_latency = 0;
        accelerator.schedule.dma_bytes = 8;
      }
      const Counts counts = compare(accelerator, 150, ++seed);
      all.strikes += counts.strikes;
      all.read += counts.read;
      all.changed += counts.changed;
      all.corrected += counts.corrected;
      all.detected += counts.detected;
      all.passes += counts.passes;
      for (const auto& [engine, trials] : counts.audited) {
        all.audited[engine] += trials;
      }
    }
  }
  std::printf(
      "%d strikes: %d changed a word as read, %d the answer, %d corrected, %d detected, "
      "%lld passes simulated\n",
      all.strikes, all.read, all.changed, all.corrected, all.detected,
      static_cast<long long>(all.passes));
  EXPECT_GT(all.read, 300);
  EXPECT_GT(all.passes, 1000);
  for (const std::string& engine : sim::engine_names()) {
    EXPECT_EQ(all.audited[engine], engine == "systemc" ? 0 : all.strikes / 10) << engine;
  }
}

TEST_P(MemoryStrikesTest, ScrubbersToo) {
  const auto [dataflow, rule] = GetParam();
  AcceleratorConfig accelerator = small_accelerator(dataflow, rule);
  accelerator.on_due = OnDue::kUse;
  // Not of accumulators, of which stuck cells are refused with a scrubber.
  accelerator.memory[0].second.scrub_cycles = 700;
  accelerator.memory[1].second.scrub_cycles = 90;
  const Counts counts = compare(accelerator, 150, 99);
  EXPECT_GT(counts.corrected, 20);
  accelerator.memory[2].second.scrub_cycles = 60;
  const Counts flips = compare(accelerator, 150, 100, false);
  EXPECT_GT(flips.corrected, 20);
}

// A flip in one inference, and what the next one makes of it: weights that stay are hit, all else
// was written anew.
TEST_P(MemoryStrikesTest, TheNextInferenceReadsWhatStayed) {
  using enum sim::MemoryContent;
  const auto [dataflow, rule] = GetParam();
  const dnn::Network network = small_network();
  const dnn::Executor executor(network);
  const dnn::Inputs images = small_pictures();
  const dnn::Tape shapes = executor.record(images.narrow(0, 1));
  int changed = 0;
  for (const sim::EccKind ecc : {sim::EccKind::kNone, sim::EccKind::kSecded}) {
    AcceleratorConfig accelerator = small_accelerator(dataflow, rule, ecc);
    accelerator.on_due = OnDue::kUse;
    accelerator.memory[0].second.capacity_bytes = 2048;
    accelerator.memory.emplace_back("d", small_memory({kBacking}, 8192, 64, ecc));
    Mapping mapping(network, shapes, accelerator);
    MemoryTrial trial(network, mapping, "systemc", JudgeKind::kTopK);
    PlatformRun platform(network, mapping, shapes);
    const Cycle period = mapping.schedule().cycles_per_inference();
    for (int k = 0; k < 100; ++k) {
      RandomStream random(70, static_cast<std::uint64_t>(k), Purpose::kTest);
      std::vector<CellFault> faults = draw(accelerator, period, random, false);
      platform.boot();
      std::vector<sim::PlatformStrike> armed;
      for (const CellFault& fault : faults) {
        armed.push_back(
            {static_cast<std::int32_t>(fault.memory), fault.bit, fault.kind, fault.when, false});
      }
      platform.platform().arm(armed);
      platform.infer(executor.record(images.narrow(k % 8, 1)), 0);
      const dnn::Tape golden = executor.record(images.narrow((k + 3) % 8, 1));
      const PlatformInference next = platform.infer(golden, period);
      for (CellFault& fault : faults) {
        fault.when = {-1, 0};
      }
      const TrialResult hybrid = trial.run(golden, faults, nullptr);
      const at::Tensor expected =
          golden.values[static_cast<std::size_t>(network.output.value)].toTensor();
      const at::Tensor answer = expected.clone();
      if (!hybrid.logits.empty()) {
        std::copy(hybrid.logits.begin(), hybrid.logits.end(), answer.data_ptr<float>());
      }
      ASSERT_EQ(dnn::count_different(answer, next.answer), 0) << k << text_of(faults);
      changed += dnn::count_different(expected, next.answer) > 0 ? 1 : 0;
    }
  }
  EXPECT_GT(changed, 5);
}

// A copy that is found wrong, and was loaded wrong: refetching it heals nothing.
TEST_P(MemoryStrikesTest, ACopyOfAWrongBackingCopy) {
  using enum sim::MemoryContent;
  const auto [dataflow, rule] = GetParam();
  const dnn::Network network = small_network();
  const dnn::Executor executor(network);
  const dnn::Tape golden = executor.record(small_pictures().narrow(0, 0, 1));
  for (const OnDue on_due : {OnDue::kUse, OnDue::kZero, OnDue::kRefetch}) {
    AcceleratorConfig accelerator = small_accelerator(dataflow, rule);
    accelerator.on_due = on_due;
    accelerator.memory.emplace_back("d", small_memory({kBacking}, 8192, 64, sim::EccKind::kNone));
    Mapping mapping(network, golden, accelerator);
    MemoryTrial trial(network, mapping, "systemc", JudgeKind::kTopK);
    MemoryTrial formula(network, mapping, "closed_form", JudgeKind::kTopK);
    const Residency& residency = trial.residency();
    const Placement& placement = residency.placement();
    const ElementPlaces places(residency);
    int detected = 0;
    int healed = 0;
    for (int k = 0; k < 200; ++k) {
      RandomStream random(71, static_cast<std::uint64_t>(k), Purpose::kTest);
      const auto tensor = static_cast<int>(random.below(placement.tensors().size()));
      const std::int64_t element =
          static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(
              placement.tensors()[static_cast<std::size_t>(tensor)].elements)));
      std::vector<CellFault> faults;
      const bool is_backing_struck = random.below(2) == 0;
      bool has_copy = false;
      for (const PlacedBit& place : places.places_of(tensor, element, 1)) {
        const bool is_backing = place.memory == 3;
        const bool is_copy = place.memory < 2 && !has_copy && !place.held.reads.empty();
        if (!is_copy && !(is_backing && is_backing_struck)) {
          continue;
        }
        has_copy = has_copy || is_copy;
        // One bit of what is loaded, two of a copy before it is read.
        const Cycle when = is_copy ? place.held.reads.front() - 1
                                   : std::max<Cycle>(place.held.occupant.written, -1);
        CellFault fault{place.memory, place.bit, FaultKind::kFlip, {when, when + 1}};
        faults.push_back(fault);
        if (is_copy) {
          fault.bit.bit ^= 1;
          faults.push_back(fault);
        }
      }
      std::ranges::sort(faults, [](const CellFault& x, const CellFault& y) {
        return std::tie(x.memory, x.bit) < std::tie(y.memory, y.bit);
      });
      if (!has_copy) {
        continue;
      }
      const TrialResult result = trial.run(golden, faults, nullptr);
      EXPECT_EQ(text_of(result), text_of(formula.run(golden, faults, nullptr)))
          << k << text_of(faults);
      detected += result.detected_codewords > 0 ? 1 : 0;
      healed += result.corrected_codewords > 0 ? 1 : 0;
    }
    EXPECT_GT(detected, 20);
    EXPECT_EQ(healed > 20, on_due == OnDue::kRefetch) << healed;
  }
}

INSTANTIATE_TEST_SUITE_P(All, MemoryStrikesTest,
                         testing::Combine(testing::ValuesIn(kDataflows),
                                          testing::Values(WeightReload::kPerPass,
                                                          WeightReload::kPerInference,
                                                          WeightReload::kAtBoot)));

}  // namespace
}  // namespace tilestrike::bridge

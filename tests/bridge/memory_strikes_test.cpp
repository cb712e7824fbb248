// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Hybrid equals full simulation, for strikes on memories, in three ways: the struck passes alone on
// the platform, by formula, and an inference of which every access goes through the platform, which
// knows no residency.
#include <ATen/ops/mul.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <map>

#include "base/random.h"
#include "bridge/accelerator/engines.h"
#include "bridge/exposure/element_places.h"
#include "bridge/trial/engine_audit.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/memory_trials.h"
#include "dnn/count_different.h"
#include "tests/bridge/small_network.h"
#include "tests/bridge/trial_text.h"
#include "tests/whole_proofs.h"

namespace tilestrike::bridge {
namespace {

const TopKJudge kTopK{};

struct Counts {
  int strikes = 0, read = 0, changed = 0, corrected = 0, detected = 0;
  int later = 0;  // in which scrubbers have found something after the inference
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

/// Now and then the cells flip one by one, not all at once.
std::vector<CellFault> one_by_one(std::vector<CellFault> faults, Cycle cycles,
                                  RandomStream& random) {
  if (faults.front().kind == FaultKind::kFlip && random.below(4) == 0) {
    for (CellFault& fault : faults) {
      const auto from = static_cast<Cycle>(random.below(static_cast<std::uint64_t>(cycles)));
      fault.when = {from, from + 1};
    }
  }
  return faults;
}

/// Where the scrubbers are.
ScrubPhases draw_phases(const AcceleratorConfig& accelerator, RandomStream& random) {
  ScrubPhases phases;
  for (const auto& [name, memory] : accelerator.memory) {
    phases.emplace_back();
    if (memory.scrub_cycles > 0) {
      phases.back() =
          static_cast<Cycle>(random.below(static_cast<std::uint64_t>(memory.scrub_cycles)));
    }
  }
  return phases;
}

/// Boots a platform that the strike awaits.
void boot(PlatformRun& platform, const std::vector<CellFault>& faults, const ScrubPhases& phases) {
  platform.boot();
  for (std::size_t i = 0; i < phases.size(); ++i) {
    platform.platform().set_scrub_phase(static_cast<int>(i), phases[i]);
  }
  std::vector<sim::PlatformStrike> armed;
  for (const CellFault& fault : faults) {
    armed.push_back(
        {static_cast<std::int32_t>(fault.memory), fault.bit, fault.kind, fault.when, false});
  }
  platform.platform().arm(armed);
}

bool is_stuck(const std::vector<CellFault>& faults) {
  return std::ranges::any_of(faults,
                             [](const CellFault& fault) { return fault.kind != FaultKind::kFlip; });
}

bool is_one_codeword(const std::vector<CellFault>& faults) {
  return std::ranges::all_of(faults, [&](const CellFault& fault) {
    return fault.memory == faults.front().memory &&
           fault.bit.codeword == faults.front().bit.codeword;
  });
}

/// The first cycle of an inference in which it writes a codeword that is struck; -1: it writes
/// none.
Cycle first_write(const PlatformRun& platform, const AcceleratorConfig& accelerator,
                  const std::vector<CellFault>& faults) {
  for (const sim::PlatformStep& step : platform.accesses()) {
    for (const CellFault& fault : faults) {
      const auto word =
          static_cast<std::uint64_t>(accelerator.memory[fault.memory].second.data_bits / 8);
      const std::uint64_t address = fault.bit.codeword.value * word;
      if (step.is_write() && step.memory == static_cast<std::int32_t>(fault.memory) &&
          step.address < address + word && address < step.address + step.bytes) {
        return step.cycle;
      }
    }
  }
  return -1;
}

/// Now and then a scrubber meets the first struck codeword in a cycle that matters, or the next: in
/// that of the strike, or when the next inference writes it.
void meet(const PlatformRun& platform, const AcceleratorConfig& accelerator, Cycle period,
          const std::vector<CellFault>& faults, RandomStream& random, ScrubPhases& phases) {
  const CellFault& struck = faults.front();
  const sim::MemoryConfig& memory = accelerator.memory[struck.memory].second;
  const std::uint64_t chosen = random.below(8);
  if (memory.scrub_cycles == 0 || chosen >= 4) {
    return;
  }
  const Cycle write = first_write(platform, accelerator, {struck});
  const Cycle cycle = static_cast<Cycle>(chosen % 2) +
                      (chosen < 2 || write < 0 ? struck.when.from : period + write);
  const sim::ScrubSchedule round(memory.scrub_cycles,
                                 sim::ArrayGeometry(memory.array()).codewords());
  const Cycle before = (cycle - round.phase(struck.bit.codeword)) % memory.scrub_cycles;
  phases[struck.memory] = (memory.scrub_cycles - before) % memory.scrub_cycles;
}

/// What scrubbers find from the end of the struck inference on, until a struck codeword is written
/// again: by the next inference, or never, and then they come by once more.
struct Later {
  sim::EccCounts scrubs;
  bool is_stopped = false;
};
Later later_rounds(PlatformRun& platform, const AcceleratorConfig& accelerator,
                   const dnn::Tape& golden, Cycle period, const std::vector<CellFault>& faults) {
  Later later;
  const auto add = [&](const sim::PlatformReport& report) {
    for (const sim::EccCounts& scrubs : report.scrubs) {
      later.scrubs.corrected += scrubs.corrected;
      later.scrubs.detected += scrubs.detected;
    }
    later.is_stopped = later.is_stopped || report.is_stopped;
  };
  // A flip ends with the write. What is stuck does not: then it is another content that is met.
  const Cycle write = first_write(platform, accelerator, faults);
  if (is_stuck(faults) && write >= 0) {
    if (write > 0) {
      add(platform.infer(golden, period, write - 1).report);
    }
    add(platform.platform().idle_until(period + write));
    return later;
  }
  add(platform.infer(golden, period).report);
  Cycle longest = 0;
  for (const auto& [name, memory] : accelerator.memory) {
    longest = std::max(longest, memory.scrub_cycles);
  }
  if (!later.is_stopped) {
    add(platform.platform().idle_until(2 * period + longest));
  }
  return later;
}

/// Now and then, of two memories.
std::vector<CellFault> draw_some(const AcceleratorConfig& accelerator, Cycle cycles,
                                 RandomStream& random, bool with_stuck) {
  std::vector<CellFault> faults =
      one_by_one(draw(accelerator, cycles, random, with_stuck), cycles, random);
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
               bool with_stuck = true, const dnn::Network& network = small_network()) {
  const dnn::Executor executor(network);
  const dnn::Inputs images = small_pictures();
  const dnn::Tape shapes = executor.record(images.narrow(0, 1));
  Mapping mapping(network, shapes, accelerator);
  MemoryTrials trial(network, mapping, sim::builtin_engines().at("systemc"), kTopK);
  MemoryTrials formula(network, mapping, sim::builtin_engines().at("closed_form"), kTopK);
  PlatformRun platform(network, mapping, shapes);
  const auto output = static_cast<std::size_t>(network.output.value);
  const Cycle period = mapping.schedule().cycles_per_inference();
  const bool has_scrubbers = std::ranges::any_of(
      accelerator.memory, [](const auto& memory) { return memory.second.scrub_cycles > 0; });
  Counts counts;
  EngineAudit others(engines_of_this_build(), "systemc");
  for (int k = 0; k < strikes; ++k) {
    RandomStream random(seed, static_cast<std::uint64_t>(k), Purpose::kTest);
    const dnn::Tape golden = executor.record(images.narrow(k % 8, 1));
    const std::vector<CellFault> faults = draw_some(accelerator, period, random, with_stuck);
    ScrubPhases phases = draw_phases(accelerator, random);
    meet(platform, accelerator, period, faults, random, phases);
    Story story;
    const TrialResult hybrid = trial.run(golden, {faults, phases}, &story);
    EXPECT_EQ(text_of(hybrid), text_of(formula.run(golden, {faults, phases}, nullptr)))
        << "strike " << k << ":" << text_of(faults);
    counts.passes += hybrid.passes_simulated;
    if (k % 10 == 0) {
      trial.run(golden, {faults, phases}, &others);
      const TrialAudit audit = others.take();
      EXPECT_EQ(audit.disagreement, "") << "strike " << k << ":" << text_of(faults);
      for (const std::string& engine : audit.engines) {
        ++counts.audited[engine];
      }
    }
    boot(platform, faults, phases);
    const PlatformInference full = platform.infer(golden, 0);
    // The scrubbers go on.
    const sim::PlatformReport rest = platform.platform().idle_until(period - 1);
    Later later;
    if (has_scrubbers && !full.report.is_stopped) {
      later = later_rounds(platform, accelerator, golden, period, faults);
    }
    sim::EccCounts found;
    for (std::size_t m = 0; m < full.report.reads.size(); ++m) {
      found.corrected += full.report.reads[m].corrected + full.report.scrubs[m].corrected +
                         rest.scrubs[m].corrected;
      found.detected +=
          full.report.reads[m].detected + full.report.scrubs[m].detected + rest.scrubs[m].detected;
    }
    found.corrected += later.scrubs.corrected;
    found.detected += later.scrubs.detected;
    bool is_stopped = full.report.is_stopped || later.is_stopped || later.scrubs.detected > 0;
    for (const sim::EccCounts& scrubs : rest.scrubs) {
      is_stopped = is_stopped || scrubs.detected > 0;
    }
    counts.later += later.scrubs.corrected + later.scrubs.detected > 0 ? 1 : 0;
    // Of several codewords that are stuck, the platform has stopped at the first write of any.
    const bool is_comparable = !has_scrubbers || !is_stuck(faults) || is_one_codeword(faults);
    std::string where = "strike " + std::to_string(k) + ":" + text_of(faults) + "\n";
    for (const std::string& line : story.lines) {
      where += "  " + line + "\n";
    }
    ++counts.strikes;
    EXPECT_EQ(hybrid.judgement.outcome == Outcome::kDue, hybrid.detected_codewords > 0) << where;
    const bool stops = accelerator.on_due == OnDue::kRefetch || accelerator.on_due == OnDue::kStop;
    const bool is_detected = stops ? is_stopped : found.detected > 0;
    if (is_comparable) {
      EXPECT_EQ(is_detected, hybrid.detected_codewords > 0) << where;
      EXPECT_EQ(!stops && found.corrected > 0, !stops && hybrid.corrected_codewords > 0) << where;
    } else {
      EXPECT_LE(is_detected, hybrid.detected_codewords > 0) << where;
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
      const Counts counts = compare(accelerator, proof_size(150, 40), ++seed);
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
  EXPECT_GT(all.read, all.strikes / 4);
  EXPECT_GT(all.passes, all.strikes);
  for (const std::string& engine : engines_of_this_build().names()) {
    EXPECT_EQ(all.audited[engine], engine == "systemc" ? 0 : all.strikes / 10) << engine;
  }
}

// One convolution, used twice: one backing copy, from which both uses load.
TEST_P(MemoryStrikesTest, ASharedWeightIsOneBackingCopy) {
  using enum sim::MemoryContent;
  const auto [dataflow, rule] = GetParam();
  dnn::NetworkMaker maker;
  const c10::IValue one(std::vector<std::int64_t>{1, 1});
  const dnn::ValueId weight =
      maker.constant(at::mul(dnn::NetworkMaker::noise({3, 3, 3, 3}, 1), 0.3));
  dnn::ValueId x = maker.images();
  for (const std::string name : {"c", "c_1"}) {
    x = maker.call(name, "aten.conv2d.default", {x, weight, c10::IValue(), one, one, one});
  }
  x = maker.call("flat", "aten.flatten.using_ints", {x, c10::IValue(std::int64_t{1})});
  const dnn::Network network =
      dnn::quantise(maker.finish(maker.linear("head", x, 243, 5)), small_pictures());
  AcceleratorConfig accelerator = small_accelerator(dataflow, rule, sim::EccKind::kNone);
  accelerator.memory.emplace_back("d", small_memory({kBacking}, 8192, 64, sim::EccKind::kNone));
  const dnn::Tape shapes = dnn::Executor(network).record(small_pictures().narrow(0, 0, 1));
  const Mapping mapping(network, shapes, accelerator);
  const std::vector<int>& weights = mapping.work().weights_of;
  EXPECT_EQ(weights[1], weights[2]) << "after the quantisation of the images";
  EXPECT_NE(weights[1], -1);
  EXPECT_EQ(std::ranges::count(mapping.work().tensors, true, &StoredTensor::is_constant), 2);
  const Counts counts = compare(accelerator, 100, 77, true, network);
  EXPECT_GT(counts.changed, 5);
}

// In the inference and after it, wherever the scrubbers are when it begins.
TEST_P(MemoryStrikesTest, ScrubbersToo) {
  using enum sim::MemoryContent;
  const auto [dataflow, rule] = GetParam();
  std::uint64_t seed = 990;
  Counts all;
  for (const OnDue on_due : {OnDue::kUse, OnDue::kZero, OnDue::kRefetch, OnDue::kStop}) {
    AcceleratorConfig accelerator = small_accelerator(dataflow, rule);
    accelerator.on_due = on_due;
    accelerator.memory[0].second.capacity_bytes = rule == WeightReload::kPerPass ? 512 : 2048;
    accelerator.memory.emplace_back("d", small_memory({kBacking}, 8192, 64));
    const auto scrub = [&](const std::array<Cycle, 4>& periods) {
      for (std::size_t i = 0; i < periods.size(); ++i) {
        accelerator.memory[i].second.scrub_cycles = periods[i];
      }
    };
    const auto add = [&](const Counts& counts) {
      all.strikes += counts.strikes;
      all.corrected += counts.corrected;
      all.detected += counts.detected;
      all.later += counts.later;
    };
    scrub({700, 90, 0, 1});  // stuck cells of accumulators are refused with a scrubber
    add(compare(accelerator, proof_size(100, 30), ++seed));
    scrub({9001, 20011, 0, 4000});
    add(compare(accelerator, proof_size(100, 30), ++seed));
    scrub({700, 90, 60, 300});
    add(compare(accelerator, proof_size(100, 30), ++seed, false));
    scrub({20011, 9001, 4000, 45007});
    add(compare(accelerator, proof_size(200, 50), ++seed, false));
  }
  std::printf(
      "%d strikes: %d corrected, %d detected; in %d scrubbers found it after the inference\n",
      all.strikes, all.corrected, all.detected, all.later);
  EXPECT_GT(all.corrected, all.strikes / 10);
  EXPECT_GT(all.detected, all.strikes / 10);
  EXPECT_GT(all.later, all.strikes / 10);
}

// A flip in one inference, and what the next one makes of it: weights that stay are hit, all else
// was written anew. What a scrubber has or has not repaired by then makes no difference.
TEST_P(MemoryStrikesTest, TheNextInferenceReadsWhatStayed) {
  using enum sim::MemoryContent;
  const auto [dataflow, rule] = GetParam();
  const dnn::Network network = small_network();
  const dnn::Executor executor(network);
  const dnn::Inputs images = small_pictures();
  const dnn::Tape shapes = executor.record(images.narrow(0, 1));
  int changed = 0;
  int detected = 0;
  for (const auto& [ecc, scrub_cycles] : {std::pair(sim::EccKind::kNone, 0),
                                          {sim::EccKind::kSecded, 0},
                                          {sim::EccKind::kSecded, 300},
                                          {sim::EccKind::kSecded, 9001}}) {
    AcceleratorConfig accelerator = small_accelerator(dataflow, rule, ecc);
    accelerator.on_due = OnDue::kUse;
    accelerator.memory[0].second.capacity_bytes = 2048;
    accelerator.memory.emplace_back("d", small_memory({kBacking}, 8192, 64, ecc));
    for (auto& [name, memory] : accelerator.memory) {
      memory.scrub_cycles = scrub_cycles;
    }
    Mapping mapping(network, shapes, accelerator);
    MemoryTrials trial(network, mapping, sim::builtin_engines().at("systemc"), kTopK);
    PlatformRun platform(network, mapping, shapes);
    const Cycle period = mapping.schedule().cycles_per_inference();
    for (int k = 0; k < proof_size(100, 50); ++k) {
      RandomStream random(70, static_cast<std::uint64_t>(k), Purpose::kTest);
      const std::vector<CellFault> faults =
          one_by_one(draw(accelerator, period, random, false), period, random);
      const ScrubPhases phases = draw_phases(accelerator, random);
      boot(platform, faults, phases);
      platform.infer(executor.record(images.narrow(k % 8, 1)), 0);
      const dnn::Tape golden = executor.record(images.narrow((k + 3) % 8, 1));
      const PlatformInference next = platform.infer(golden, period);
      const std::vector<CellFault> left = trial.left_for_later({faults, phases});
      const TrialResult hybrid = trial.run(golden, {left, ScrubPhases(4)}, nullptr);
      const at::Tensor expected =
          golden.values[static_cast<std::size_t>(network.output.value)].toTensor();
      const at::Tensor answer = expected.clone();
      if (!hybrid.logits.empty()) {
        std::copy(hybrid.logits.begin(), hybrid.logits.end(), answer.data_ptr<float>());
      }
      ASSERT_EQ(dnn::count_different(answer, next.answer), 0) << k << text_of(faults);
      changed += dnn::count_different(expected, next.answer) > 0 ? 1 : 0;
      std::uint64_t found = 0;
      for (const sim::EccCounts& reads : next.report.reads) {
        found += reads.detected;
      }
      ASSERT_EQ(found > 0, hybrid.detected_codewords > 0) << k << text_of(faults);
      detected += found > 0 ? 1 : 0;
    }
  }
  EXPECT_GT(changed, 5);
  EXPECT_GT(detected, 5);
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
    MemoryTrials trial(network, mapping, sim::builtin_engines().at("systemc"), kTopK);
    MemoryTrials formula(network, mapping, sim::builtin_engines().at("closed_form"), kTopK);
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
      const TrialResult result = trial.run(golden, {faults, {}}, nullptr);
      EXPECT_EQ(text_of(result), text_of(formula.run(golden, {faults, {}}, nullptr)))
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

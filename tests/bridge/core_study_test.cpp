// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a struck spiking network on cores answer what all its cores together answer, edge by edge;
// and are its trials judged, masked and kept as they should be?
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "bridge/accelerator/core_arrays.h"
#include "bridge/trial/engine_audit.h"
#include "bridge/trial/run_observer.h"
#include "sim/chip/chip_lockstep.h"
#include "sim/core/stepped_core.h"
#include "tests/bridge/spiking_example.h"
#include "tests/whole_proofs.h"

namespace tilestrike::bridge {
namespace {

RegisterFault fault_at(std::uint64_t site, FaultKind kind, Cycle from, Cycle until) {
  return {SiteId(site), kind, {from, until}};
}

/// The chip of an example by itself, all of it edge by edge.
class Reference {
 public:
  explicit Reference(const SpikingExample& example)
      : model_(example.model()),
        layout_(core_layout(model_, example.chip())),
        chip_(std::make_shared<sim::BootedChip>(example.chip(), layout_.contents)) {
    for (std::int64_t image = 0; image < SpikingExample::kImages; ++image) {
      runs_.push_back(std::make_unique<sim::ChipRun>(chip_, example.spikes(image)));
    }
  }

  const sim::BootedChip& chip() const { return *chip_; }
  const sim::ChipRun& run(std::int64_t image) const {
    return *runs_[static_cast<std::size_t>(image)];
  }
  const CoreLayout& layout() const { return layout_; }

  sim::ChipResult strike(std::int64_t image, std::vector<RegisterFault> faults) const {
    for (RegisterFault& fault : faults) {
      ++fault.when.from;
      fault.when.until += fault.when.is_permanent() ? 0 : 1;
    }
    return sim::chip_lockstep(run(image), {.faults = faults}, [](const sim::CoreSites& sites) {
      return std::make_unique<sim::SteppedCore>(sites);
    });
  }

  /// The answer by its definition.
  std::vector<float> answer(std::int64_t image, const sim::ChipResult& found) const {
    const auto factor = static_cast<float>(model_.output_factor);
    std::vector<float> answer(SpikingExample::kClasses);
    if (model_.settings.readout == dnn::Readout::kMembrane) {
      for (std::size_t i = 0; i < found.readout.size(); ++i) {
        answer[static_cast<std::size_t>(layout_.outputs[i])] =
            static_cast<float>(found.readout[i]) * factor;
      }
      return answer;
    }
    std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> events;  // by output and tick
    const auto outputs = run(image).outputs();
    for (std::size_t tick = 0; tick < outputs.size(); ++tick) {
      for (const auto& output : outputs[tick]) {
        events[{output.output, static_cast<std::int32_t>(tick)}] = output.events;
      }
    }
    for (const sim::ChipOutputChange& change : found.outputs) {
      events[{change.output, change.tick}] = change.faulty;
    }
    std::vector<std::vector<std::int32_t>> ticks(SpikingExample::kClasses);  // with a spike
    const std::int32_t before = run(image).ticks() - SpikingExample::kTicks;
    for (const auto& [place, count] : events) {
      if (count > 0 && place.second >= before) {
        ticks[static_cast<std::size_t>(place.first)].push_back(place.second - before);
      }
    }
    for (std::size_t i = 0; i < ticks.size(); ++i) {
      const auto counted = static_cast<std::int64_t>(ticks[i].size());
      const std::int64_t left = ticks[i].empty() ? 0 : SpikingExample::kTicks - ticks[i].front();
      const bool is_count = model_.settings.readout == dnn::Readout::kCount;
      answer[i] = static_cast<float>(is_count ? counted : left) * factor;
    }
    return answer;
  }

 private:
  dnn::IntegerModel model_;
  CoreLayout layout_;
  std::shared_ptr<const sim::BootedChip> chip_;
  std::vector<std::unique_ptr<sim::ChipRun>> runs_;
};

/// What a trial says of its answer.
std::vector<float> answer_of(const TrialResult& result, const std::vector<float>& golden) {
  return result.logits.empty() ? golden : result.logits;
}

struct Seen {
  std::int64_t spikes = 0, misrouted = 0, wrong = 0, hung = 0;
};

void compare_with_all_cores(const std::string& readout, const std::string& engine,
                            std::int64_t strikes, Seen& seen) {
  const SpikingExample example(readout);
  const Reference reference(example);
  const auto study = Study::open(example.inputs(engine));
  for (std::int64_t image = 0; image < SpikingExample::kImages; ++image) {
    sim::ChipResult clean;
    clean.readout = reference.run(image).readout();
    ASSERT_EQ(study->golden_answer(ImageId(image)), reference.answer(image, clean))
        << readout << " of image " << image;
  }
  // The first strike says that the watchdog of a core ran out.
  const std::uint64_t hanging = reference.chip().id_of(0, {sim::CoreStorage::kError, 0, 0}).value;
  RandomStream random(7, 0, Purpose::kSite);
  for (std::int64_t k = 0; k < strikes; ++k) {
    const auto image = static_cast<std::int64_t>(random.below(SpikingExample::kImages));
    const auto cycle =
        static_cast<Cycle>(random.below(static_cast<std::uint64_t>(reference.run(image).cycles())));
    const std::uint64_t site = random.below(reference.chip().total_bits());
    const bool is_stuck = k % 4 == 3;
    const std::vector<RegisterFault> faults = {
        k == 0     ? fault_at(hanging, FaultKind::kFlip, 30, 31)
        : is_stuck ? fault_at(site, k % 8 == 3 ? FaultKind::kStuckAt0 : FaultKind::kStuckAt1, cycle,
                              cycle + 40)
                   : fault_at(site, FaultKind::kFlip, cycle, cycle + 1)};
    StrikeJob job;
    job.strike.registers = faults;
    job.image = ImageId(image);
    const TrialResult result = study->strike({&job, 1}).front().images.front();
    const sim::ChipResult found = reference.strike(image, faults);
    const std::string what = reference.chip().text(SiteId(site)) + " at " + std::to_string(cycle);
    ASSERT_EQ(result.hung, found.hung) << what;
    ASSERT_TRUE(result.cores.has_value());
    EXPECT_EQ(result.activated, found.activated) << what;
    if (found.hung) {
      EXPECT_EQ(result.judgement.outcome, Outcome::kDue);
      EXPECT_EQ(result.without_stop, Outcome::kDue) << "there is no answer";
      ++seen.hung;
      continue;
    }
    const std::vector<float> golden = study->golden_answer(ImageId(image));
    const std::vector<float> expected = reference.answer(image, found);
    ASSERT_EQ(answer_of(result, golden), expected) << what << " on image " << image;
    EXPECT_EQ(result.without_stop == Outcome::kSdc, expected != golden) << what;
    EXPECT_EQ(result.judgement.outcome == Outcome::kDue, found.errors != 0) << what;
    EXPECT_EQ(result.cores->changed_spikes + result.cores->changed_behind, found.changed_spikes);
    EXPECT_EQ(result.cores->misrouted, found.misrouted) << what;
    if (result.judgement.outcome == Outcome::kMasked) {
      const MaskedAt at = result.masked_at;
      EXPECT_EQ(at == MaskedAt::kReadout, found.changed_spikes > 0) << what;
      EXPECT_EQ(at == MaskedAt::kDead || at == MaskedAt::kEmpty, !found.activated) << what;
    }
    seen.spikes += found.changed_spikes > 0 ? 1 : 0;
    seen.misrouted += found.misrouted > 0 ? 1 : 0;
    seen.wrong += expected != golden ? 1 : 0;
  }
}

TEST(CoreStudyTest, AnswersAsAllCoresDoEdgeByEdge) {
  Seen seen;
  const std::int64_t strikes = proof_size(40000, 1500);
  compare_with_all_cores("membrane", "systemc", strikes, seen);
  compare_with_all_cores("membrane", "closed_form", strikes, seen);
  compare_with_all_cores("count", "systemc", strikes, seen);
  compare_with_all_cores("first_spike", "stepped", strikes / 3, seen);
  EXPECT_GT(seen.spikes, strikes / 20);
  EXPECT_GT(seen.wrong, strikes / 20);
  EXPECT_GT(seen.misrouted, 0);
  EXPECT_GE(seen.hung, 4) << "the first strike of each";
  RecordProperty("changed_spikes", std::to_string(seen.spikes));
}

TEST(CoreStudyTest, TimesAreTheChips) {
  const SpikingExample example;
  const Reference reference(example);
  const auto study = Study::open(example.inputs());
  const StudyFacts& facts = study->facts();
  ASSERT_TRUE(facts.cores.has_value());
  EXPECT_EQ(facts.cores->total_bits(), reference.chip().total_bits());
  Cycle all = 0;
  for (ImageId image(0); image.value < SpikingExample::kImages; ++image.value) {
    const sim::ChipRun& run = reference.run(image.value);
    EXPECT_EQ(facts.cores->cycles(image), run.cycles());
    const std::vector<Cycle>& ticks = facts.cores->ticks[static_cast<std::size_t>(image.value)];
    ASSERT_EQ(ticks.size(), static_cast<std::size_t>(run.ticks()) + 3);
    for (std::int32_t tick = 0; tick < run.ticks(); ++tick) {
      EXPECT_EQ(run.moment_of(ticks[static_cast<std::size_t>(tick) + 1] + 1).tick, tick);
      EXPECT_EQ(run.moment_of(ticks[static_cast<std::size_t>(tick) + 1]).tick, tick - 1);
    }
    all += run.cycles();
  }
  EXPECT_GT(facts.cores->cycles(ImageId(0)), facts.cores->cycles(ImageId(5))) << "a darker image";
  EXPECT_NEAR(static_cast<double>(facts.cycles), static_cast<double>(all) / SpikingExample::kImages,
              0.5);
}

TEST(CoreStudyTest, ACellIsTheBitThatItHolds) {
  const SpikingExample example;
  const Reference reference(example);
  const auto study = Study::open(example.inputs());
  RandomStream random(3, 0, Purpose::kSite);
  std::int64_t compared = 0, with_another_answer = 0;
  for (std::size_t memory = 0; memory < study->facts().memories.size(); ++memory) {
    const sim::CoreBlock& array = study->facts().cores->sites.blocks()[memory];
    const sim::ArrayGeometry geometry(study->facts().memories[memory].config.array());
    for (int k = 0; k < 40; ++k) {
      const sim::CodewordBit bit =
          geometry.bit_at(geometry.cell_at(random.below(geometry.cells())));
      const CoreCell cell = core_cell(array, bit);
      const auto cycle = static_cast<Cycle>(random.below(100));
      StrikeJob by_cell, by_site;
      by_cell.image = by_site.image = ImageId(k % SpikingExample::kImages);
      by_cell.strike.cells = {{memory, bit, FaultKind::kFlip, {cycle, cycle + 1}}};
      by_site.strike.registers = {
          {reference.chip().id_of(static_cast<std::int32_t>(cell.core), site_of(array, cell)),
           FaultKind::kFlip,
           {cycle, cycle + 1}}};
      const TrialResult one = study->strike({&by_cell, 1}).front().images.front();
      const TrialResult other = study->strike({&by_site, 1}).front().images.front();
      EXPECT_EQ(one.judgement.outcome, other.judgement.outcome);
      EXPECT_EQ(one.logits, other.logits);
      EXPECT_EQ(one.cores, other.cores);
      EXPECT_EQ(one.before, other.before);
      // And what it held is what the strike found there.
      const bool held = study->stored(*by_cell.image, memory, bit, cycle);
      const sim::CoreSite site = site_of(array, cell);
      const sim::CoreField& field = reference.chip().core_sites().field_of(site);
      const int shift = site.bit % array.lane_bits() - field.first;
      if (other.before != other.after) {  // else the core was switched off by then
        EXPECT_EQ(held, ((other.before >> shift) & 1U) != 0);
        ++compared;
      }
      with_another_answer += other.without_stop == Outcome::kSdc ? 1 : 0;
    }
  }
  EXPECT_GT(compared, 0);
  EXPECT_GT(with_another_answer, 0);
}

/// By hand: 32 axons, two groups of eight neurons, 64 destinations.
TEST(CoreStudyTest, CellsOfTheSecondCoreAreTheseBits) {
  const SpikingExample example;
  const Reference reference(example);
  const auto text_of = [&](const std::string& array, std::uint64_t codeword, int bit) {
    const sim::CoreBlock& block = *reference.chip().core_sites().block_named(array);
    const CoreCell cell = core_cell(block, {CodewordId(codeword), bit});
    return reference.chip().text(
        reference.chip().id_of(static_cast<std::int32_t>(cell.core), site_of(block, cell)));
  };
  // 64 words of a codeword each: axon 5, group 1, lane 3.
  EXPECT_EQ(text_of("synapses", 64 + 5 * 2 + 1, 3 * 8 + 2), "core 1 synapses[11] lane 3 bit 2");
  // Two words of twelve codewords. Lane 2 begins at bit 192, its leak at bit 264 = 4 x 64 + 8.
  EXPECT_EQ(text_of("parameters", 24 + 12 + 4, 8 + 5), "core 1 parameters[1] lane 2 leak bit 5");
  // Two words of three codewords. Lane 5 begins at bit 120, its sign is bit 143 = 2 x 64 + 15.
  EXPECT_EQ(text_of("membranes", 6 + 2, 15), "core 1 membranes[0] lane 5 bit 23");
  // 64 words of 23 bits: valid, eight bits of the core, the axon.
  EXPECT_EQ(text_of("destinations", 64 + 6, 1 + 8 + 1),
            "core 1 destinations[6] destination_axon bit 1");
}

TEST(CoreStudyTest, WhatStaysIsJudgedInLaterInferencesOfEveryImage) {
  SpikingExample example;
  const Reference reference(example);
  const sim::CoreSites& sites = reference.chip().core_sites();
  const auto last = static_cast<std::int32_t>(reference.layout().cores.size()) - 1;
  // The sign of a synapse in use, of the first core.
  const sim::CoreSite synapse{sim::CoreStorage::kSynapses, 0, 7};
  const std::uint64_t site = reference.chip().id_of(0, synapse).value;
  StrikeJob job;
  job.image = ImageId(2);
  const Cycle late = reference.run(2).cycles() - 1;
  job.strike.registers = {fault_at(site, FaultKind::kFlip, late, late + 1)};
  const auto study = Study::open(example.inputs());
  const JobResult result = study->strike({&job, 1}).front();
  EXPECT_EQ(result.images.front().judgement.outcome, Outcome::kMasked) << "nobody reads it again";
  EXPECT_TRUE(result.images.front().outlives);
  ASSERT_EQ(result.later.size(), static_cast<std::size_t>(SpikingExample::kImages));
  bool is_any_wrong = false;
  for (std::int64_t image = 0; image < SpikingExample::kImages; ++image) {
    const sim::ChipResult found = reference.strike(image, {fault_at(site, FaultKind::kFlip, 0, 1)});
    const TrialResult& later = result.later[static_cast<std::size_t>(image)];
    const std::vector<float> golden = study->golden_answer(ImageId(image));
    EXPECT_EQ(answer_of(later, golden), reference.answer(image, found));
    is_any_wrong = is_any_wrong || later.judgement.outcome == Outcome::kSdc;
  }
  EXPECT_TRUE(is_any_wrong);
  // What a stuck-at for a while leaves in a synapse stays, too, where the bit was another one; and
  // so do the registers of the window of ticks.
  const bool bit = reference.chip().core(0).state().bit(synapse);
  for (const bool is_one : {false, true}) {
    job.strike.registers = {
        fault_at(site, is_one ? FaultKind::kStuckAt1 : FaultKind::kStuckAt0, late, late + 1)};
    EXPECT_EQ(study->strike({&job, 1}).front().images.front().outlives, is_one != bit);
  }
  job.strike.registers = {
      fault_at(reference.chip().id_of(0, {sim::CoreStorage::kTicks, 0, 1}).value, FaultKind::kFlip,
               late, late + 1)};
  const JobResult window = study->strike({&job, 1}).front();
  EXPECT_TRUE(window.images.front().outlives);
  EXPECT_EQ(window.later.size(), static_cast<std::size_t>(SpikingExample::kImages));
  // Nobody can read the weights of a neuron that is not there.
  job.strike.registers = {
      fault_at(reference.chip().id_of(last, {sim::CoreStorage::kSynapses, 1, 63}).value,
               FaultKind::kFlip, 9, 10)};
  EXPECT_FALSE(study->strike({&job, 1}).front().images.front().outlives);
  // A membrane does not outlive its inference; nor does anything that is written anew before each.
  job.strike.registers = {
      fault_at(reference.chip().id_of(0, {sim::CoreStorage::kMembranes, 0, 3}).value,
               FaultKind::kFlip, 50, 51)};
  EXPECT_FALSE(study->strike({&job, 1}).front().images.front().outlives);
  job.strike.registers = {fault_at(site, FaultKind::kFlip, late, late + 1)};
  example.accelerator.chip.reload = CoreReload::kPerInference;
  const JobResult renewed = Study::open(example.inputs())->strike({&job, 1}).front();
  EXPECT_FALSE(renewed.images.front().outlives);
  EXPECT_TRUE(renewed.later.empty());
  EXPECT_EQ(sites.text(sites.id_of(synapse)), "synapses[0] lane 0 bit 7");
}

TEST(CoreStudyTest, UnusedNeuronsAndAxonsAreEmpty) {
  const SpikingExample example;
  const Reference reference(example);
  const auto study = Study::open(example.inputs());
  const auto last = static_cast<std::int32_t>(reference.layout().cores.size()) - 1;
  ASSERT_EQ(reference.layout().cores.back().neurons.size(), 5U) << "of 16";
  StrikeJob job;
  job.image = ImageId(0);
  job.strike.registers = {{reference.chip().id_of(last, {sim::CoreStorage::kMembranes, 1, 3}),
                           FaultKind::kFlip,
                           {60, 61}}};
  const TrialResult result = study->strike({&job, 1}).front().images.front();
  EXPECT_EQ(result.masked_at, MaskedAt::kEmpty);
  EXPECT_EQ(result.cores->neuron, -1);
  EXPECT_EQ(result.cores->core, last);
  // A weight of the last axon for a neuron that is used.
  ASSERT_LT(reference.layout().cores.front().axons.size(), 32U) << "of 32";
  job.strike.registers = {{reference.chip().id_of(0, {sim::CoreStorage::kSynapses, 31 * 2, 7}),
                           FaultKind::kFlip,
                           {0, 1}}};
  const TrialResult of_axon = study->strike({&job, 1}).front().images.front();
  EXPECT_EQ(of_axon.masked_at, MaskedAt::kEmpty);
  EXPECT_EQ(of_axon.cores->input, -1);
  EXPECT_GE(of_axon.cores->neuron, 0);
}

TEST(CoreStudyTest, EccCorrectsOneCellAndDetectsTwo) {
  SpikingExample example;
  example.accelerator.core.ecc.synapses = sim::EccKind::kSecded;
  const auto study = Study::open(example.inputs());
  const auto strike = [&](const std::vector<int>& bits) {
    StrikeJob job;
    job.image = ImageId(0);
    for (const int bit : bits) {
      job.strike.cells.push_back({0, {CodewordId(0), bit}, FaultKind::kFlip, {0, 1}});
    }
    return study->strike({&job, 1}).front().images.front();
  };
  for (const int bit : {0, 7, 63, 64, 71}) {
    const TrialResult one = strike({bit});
    EXPECT_EQ(one.judgement.outcome, Outcome::kCorrected) << bit;
    EXPECT_GT(one.corrected_codewords, 0);
  }
  bool goes_on = false;
  for (int lane = 0; lane < 8; ++lane) {
    const TrialResult two = strike({8 * lane + 6, 8 * lane + 7});
    EXPECT_EQ(two.judgement.outcome, Outcome::kDue);
    EXPECT_GT(two.detected_codewords, 0);
    goes_on = goes_on || two.without_stop == Outcome::kSdc;
  }
  EXPECT_TRUE(goes_on) << "the core computes on with what the cells hold";
}

TEST(CoreStudyTest, AScrubberHealsWhatItCanCorrect) {
  SpikingExample example;
  example.accelerator.core.ecc.synapses = sim::EccKind::kSecded;
  const auto without = Study::open(example.inputs());
  example.accelerator.chip.scrub_cycles = 50;
  const auto with = Study::open(example.inputs());
  const auto strike = [&](Study& study, const std::vector<int>& bits, Cycle phase) {
    StrikeJob job;
    job.image = ImageId(0);
    job.scrub_phases.resize(study.facts().memories.size());
    job.scrub_phases[0] = phase;
    for (const int bit : bits) {
      job.strike.cells.push_back({0, {CodewordId(0), bit}, FaultKind::kFlip, {0, 1}});
    }
    return study.strike({&job, 1}).front();
  };
  // Codeword 0 is visited when a round begins: at phase 49 of 50 in cycle 1, before any read.
  const JobResult one = strike(*with, {7}, 49), never = strike(*without, {7}, 49);
  EXPECT_EQ(one.images.front().judgement.outcome, Outcome::kCorrected);
  EXPECT_FALSE(one.images.front().outlives) << "it is clean after the visit";
  EXPECT_TRUE(never.images.front().outlives);
  EXPECT_EQ(one.images.front().corrected_codewords, 1) << "by the scrubber alone";
  EXPECT_GT(never.images.front().corrected_codewords, 1) << "by each read";
  // Two cells are found by the scrubber, too, and stay.
  const JobResult two = strike(*with, {6, 7}, 49);
  EXPECT_EQ(two.images.front().judgement.outcome, Outcome::kDue);
  EXPECT_TRUE(two.images.front().outlives);
  EXPECT_EQ(two.later.size(), static_cast<std::size_t>(SpikingExample::kImages));
  // One cell, and later another, with a visit in between, never meet.
  StrikeJob job;
  job.image = ImageId(0);
  job.scrub_phases.resize(with->facts().memories.size());
  job.scrub_phases[0] = 0;
  job.strike.cells = {{0, {CodewordId(0), 6}, FaultKind::kFlip, {10, 11}},
                      {0, {CodewordId(0), 7}, FaultKind::kFlip, {60, 61}}};
  EXPECT_EQ(with->strike({&job, 1}).front().images.front().detected_codewords, 0);
  job.strike.cells[1].when = {20, 21};
  EXPECT_GT(with->strike({&job, 1}).front().images.front().detected_codewords, 0);
  // A bit of the array by its field is a cell of it.
  const Reference reference(example);
  job.strike.cells.clear();
  job.scrub_phases[0] = 49;
  job.strike.registers = {
      fault_at(reference.chip().id_of(0, {sim::CoreStorage::kSynapses, 0, 7}).value,
               FaultKind::kFlip, 0, 1)};
  const TrialResult by_field = with->strike({&job, 1}).front().images.front();
  EXPECT_EQ(by_field.judgement.outcome, Outcome::kCorrected);
  EXPECT_EQ(by_field.corrected_codewords, one.images.front().corrected_codewords);
}

TEST(CoreStudyTest, OtherEnginesAgreeAndABrokenOneIsFound) {
  const SpikingExample example;
  const auto study = Study::open(example.inputs());
  EngineAudit audit(engines_of_this_build(), "systemc");
  sim::EngineSet broken = engines_of_this_build();
  class Deaf final : public sim::CoreEngine {
   public:
    bool covers(const sim::CoreJob&) override { return true; }
    sim::CoreResult run(const sim::CoreJob& job) override {
      sim::CoreResult result;
      result.readout = job.golden->run().readout();
      return result;
    }
  };
  broken.set_core("closed_form", [] { return std::make_unique<Deaf>(); });
  EngineAudit other(broken, "systemc");
  Observers both({&audit, &other});
  RandomStream random(5, 0, Purpose::kSite);
  std::int64_t asked = 0, found = 0;
  for (int k = 0; k < 200; ++k) {
    StrikeJob job;
    job.image = ImageId(k % SpikingExample::kImages);
    const auto cycle = static_cast<Cycle>(random.below(150));
    job.strike.registers = {fault_at(random.below(study->facts().cores->total_bits()),
                                     FaultKind::kFlip, cycle, cycle + 1)};
    const TrialResult result = study->strike({&job, 1}, &both).front().images.front();
    const TrialAudit one = audit.take(), two = other.take();
    EXPECT_EQ(one.disagreement, "");
    EXPECT_EQ(std::ranges::count(one.engines, "wavefront"), 0) << "it computes no cores";
    asked += std::ssize(one.engines);
    found += two.disagreement.empty() ? 0 : 1;
    if (!result.activated) {
      EXPECT_EQ(two.disagreement.find("of the answer"), std::string::npos) << two.disagreement;
    }
  }
  EXPECT_GT(asked, 200);
  EXPECT_GT(found, 20);
}

TEST(CoreStudyTest, WhatDoesNotFitIsRefused) {
  SpikingExample example;
  example.accelerator.core.axons = 16;
  const auto said = [&] { return errors_of([&] { Study::open(example.inputs()); }); };
  EXPECT_NE(said().find("has 32 inputs; a core has 16 axons"), std::string::npos) << said();
  example.accelerator.core.axons = 32;
  example.accelerator.core.destinations = 8;
  EXPECT_NE(said().find("destinations"), std::string::npos) << said();
  example.accelerator.core.destinations = 64;
  StudyInputs inputs = example.inputs("wavefront");
  EXPECT_NE(errors_of([&] { Study::open(inputs); }).find("computes no neuromorphic cores"),
            std::string::npos);
}

TEST(CoreStudyTest, TellsWhatHasHappened) {
  const SpikingExample example;
  const Reference reference(example);
  const auto study = Study::open(example.inputs());
  StrikeJob job;
  job.image = ImageId(0);
  job.strike.registers = {
      {reference.chip().id_of(0, {sim::CoreStorage::kSynapses, 0, 7}), FaultKind::kFlip, {0, 1}}};
  Story story;
  study->strike({&job, 1}, &story);
  ASSERT_FALSE(story.lines.empty());
  EXPECT_NE(story.lines.front().find("core 0 synapses[0] lane 0 bit 7"), std::string::npos)
      << story.lines.front();
}

}  // namespace
}  // namespace tilestrike::bridge

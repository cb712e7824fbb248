// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A study without a network: its answers are a fixed function of image and faults, so that
// campaigns can be tested by themselves.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bridge/study/study.h"
#include "bridge/trial/run_observer.h"
#include "sim/ecc/ecc_code.h"

namespace tilestrike::campaigns {

class FakeStudy final : public bridge::Study {
 public:
  struct Settings {
    std::int64_t images = 10;
    bool activates = true;       // false: every strike is masked as idle
    std::int64_t sdc_of_16 = 5;  // how many strikes of 16 end as sdc
    // Of strikes on memories: how many struck codewords of 16 are read, and how many wrong ones of
    // 16 change the answer.
    std::int64_t read_of_16 = 8;
    std::int64_t wrong_of_16 = 8;
    std::string model_hash = "model-1";
    std::string disagreement;  // of FakeAuditor, with every trial that strikes an odd site
  };

  FakeStudy(const bridge::StudyInputs& inputs, const Settings& settings)
      : settings_(settings),
        sites_(inputs.accelerator.mesh),
        images_(inputs.use > 0 ? std::min(inputs.use, settings.images) : settings.images) {
    keeps_weights_ = inputs.accelerator.schedule.weights == bridge::WeightReload::kAtBoot;
    for (const auto& [name, config] : inputs.accelerator.memory) {
      // A quarter of each memory is weights, half is written in each inference.
      const std::uint64_t codewords = sim::ArrayGeometry(config.array()).codewords();
      const bool has_weights =
          std::ranges::find(config.holds, sim::MemoryContent::kWeights) != config.holds.end();
      memories_.push_back({name, config, codewords,
                           keeps_weights_ && has_weights ? codewords / 4 : 0, codewords / 2});
    }
    golden_.images = images_;
    golden_.accuracy = 0.9;
    golden_.device = "cpu";
    golden_.warnings = {"the network is made up"};
    for (int i = 0; i < 3; ++i) {
      bridge::LayerSummary layer;
      layer.name = i == 0 ? "conv1" : i == 1 ? "relu1" : "fc";
      layer.is_on_mesh = i != 1;
      layer.first_cycle = 100 * i;
      layer.mesh_cycles = i != 1 ? 80 : 0;
      layer.vector_cycles = i == 1 ? 100 : 20;
      layers_.push_back(layer);
    }
  }

  const bridge::GoldenReport& golden() const override { return golden_; }
  const std::vector<bridge::LayerSummary>& layers() const override { return layers_; }
  const sim::MeshSites& sites() const override { return sites_; }
  std::int64_t images() const override { return images_; }
  Cycle cycles_per_inference() const override { return 300; }
  std::vector<std::pair<std::string, std::string>> hashes() const override {
    return {{"model", settings_.model_hash}, {"images", "i"}, {"calibrate", "c"}};
  }
  std::vector<float> golden_logits(ImageId) override { return {1.0F, 3.0F, 2.0F}; }
  std::int64_t label(ImageId image) const override { return image.value % 3; }

  bridge::TrialResult strike(ImageId image, std::span<const RegisterFault> faults,
                             bridge::RunObserver* observer) override {
    ++strikes;
    if (observer != nullptr) {
      observer->on_run({layers_.front().name, engine_, {.faults = faults}, {}});
    }
    bridge::TrialResult result;
    result.judgement.golden_class = result.judgement.faulty_class = 1;
    if (!settings_.activates) {
      result.masked_at = MaskedAt::kIdle;
      return result;
    }
    std::uint64_t hash = 1469598103934665603ULL;
    const auto mix = [&](std::uint64_t value) {
      hash = (hash ^ value) * 1099511628211ULL;
      hash ^= hash >> 29;
    };
    mix(static_cast<std::uint64_t>(image.value));
    for (const RegisterFault& fault : faults) {
      mix(fault.site.value);
      mix(static_cast<std::uint64_t>(fault.kind));
      mix(static_cast<std::uint64_t>(fault.when.from));
      mix(static_cast<std::uint64_t>(fault.when.until));
    }
    const auto draw = static_cast<std::int64_t>(hash % 16);
    result.layer = layers_[hash % 2 == 0 ? 0 : 2].name;
    result.pass = static_cast<std::int64_t>(hash % 7);
    result.step = static_cast<std::int64_t>(hash % 11);
    result.passes_simulated = 1;
    result.before = hash % 256;
    result.after = result.before ^ 1;
    result.activated = draw < 12;
    if (draw < settings_.sdc_of_16) {
      result.judgement.outcome = Outcome::kSdc;
      result.judgement.sdc_1 = draw == 0;
      result.judgement.faulty_class = draw == 0 ? 2 : 1;
      result.changed_accumulators = 3;
      result.changed_outputs = 2;
      result.logits = {1.0F, 3.0F, static_cast<float>(hash % 100)};
    } else {
      result.masked_at = result.activated ? MaskedAt::kRequantisation : MaskedAt::kDead;
    }
    if (observer != nullptr) {
      observer->on_line("the struck value met an accumulator");
    }
    return result;
  }

  const std::vector<bridge::StudyMemory>& memories() const override { return memories_; }

  /// A codeword is read or not, by its number, the cycle and the image; what a reader gets is
  /// decoded by its code, and whether that changes the answer is a matter of the same numbers.
  bridge::TrialResult strike_cells(ImageId image, const bridge::CellStrike& strike,
                                   bridge::RunObserver* observer) override {
    ++strikes;
    const std::span<const bridge::CellFault> faults = strike.faults;
    check_phases(strike);
    bridge::TrialResult result;
    result.judgement.golden_class = result.judgement.faulty_class = 1;
    result.masked_at = MaskedAt::kDead;
    Outcome& outcome = result.without_stop;
    bool is_stopped = false;
    for (std::size_t i = 0; i < faults.size();) {
      const bridge::CellFault& first = faults[i];
      sim::BitString flipped;
      for (; i < faults.size() && faults[i].memory == first.memory &&
             faults[i].bit.codeword == first.bit.codeword;
           ++i) {
        TS_CHECK(
            i == 0 || faults[i - 1].memory != faults[i].memory || faults[i - 1].bit < faults[i].bit,
            "cells are sorted, and none is struck twice");
        flipped.flip(faults[i].bit.bit);
      }
      const std::uint64_t hash =
          mixed({static_cast<std::uint64_t>(image.value), first.memory, first.bit.codeword.value,
                 static_cast<std::uint64_t>(first.when.from)});
      if (static_cast<std::int64_t>(hash % 16) >= settings_.read_of_16) {
        continue;
      }
      result.activated = true;
      result.layer = layers_[hash / 16 % 2 == 0 ? 0 : 2].name;
      const sim::EccCode& code = memories_[first.memory].config.code();
      const sim::ErrorEffect effect = code.decode_error(flipped);
      const bool is_wrong = !(effect.data_error == sim::BitString{});
      const bool changes =
          is_wrong && static_cast<std::int64_t>(hash / 32 % 16) < settings_.wrong_of_16;
      result.corrected_codewords += effect.status == sim::EccStatus::kCorrected ? 1 : 0;
      result.detected_codewords += effect.status == sim::EccStatus::kDetected ? 1 : 0;
      is_stopped = is_stopped || effect.status == sim::EccStatus::kDetected;
      outcome =
          std::max(outcome, changes                                       ? Outcome::kSdc
                            : effect.status == sim::EccStatus::kCorrected ? Outcome::kCorrected
                                                                          : Outcome::kMasked);
      result.outlives = result.outlives || keeps_weights_;
    }
    result.judgement.outcome = is_stopped ? Outcome::kDue : outcome;
    result.judgement.sdc_1 = result.judgement.outcome == Outcome::kSdc && faults.size() % 2 == 1;
    if (result.judgement.outcome != Outcome::kMasked) {
      result.masked_at = MaskedAt::kNowhere;
    } else if (result.activated) {
      result.masked_at = MaskedAt::kNetwork;
    }
    if (observer != nullptr) {
      observer->on_line(faults.front().bit.bit % 2 == 1 ? "an odd codeword bit met a reader"
                                                        : "the struck codeword met a reader");
    }
    return result;
  }

  /// A third of the cells hold a 1.
  bool stored(ImageId image, std::size_t memory, sim::CodewordBit bit, Cycle cycle) override {
    TS_CHECK(image.value < images_ && memory < memories_.size() && cycle < 300, "a cell and cycle");
    return (bit.codeword.value + static_cast<std::uint64_t>(bit.bit)) % 3 == 0;
  }

  std::vector<bridge::TrialResult> later_inferences(const bridge::CellStrike& strike) override {
    std::vector<bridge::TrialResult> results;
    for (std::int64_t image = 0; image < images_; ++image) {
      results.push_back(strike_cells(ImageId(image + 1000), strike, nullptr));
    }
    return results;
  }

  std::int64_t strikes = 0;

 private:
  void check_phases(const bridge::CellStrike& strike) const {
    TS_CHECK(strike.scrub_phases.size() == memories_.size(), "a phase of each memory");
    for (std::size_t i = 0; i < memories_.size(); ++i) {
      const Cycle period = memories_[i].config.scrub_cycles;
      const std::optional<Cycle>& phase = strike.scrub_phases[i];
      TS_CHECK(phase.has_value() == (period > 0) && phase.value_or(0) >= 0 &&
                   phase.value_or(-1) < period,
               "a phase within a scrubber's round");
    }
  }

  static std::uint64_t mixed(std::initializer_list<std::uint64_t> values) {
    std::uint64_t hash = 1469598103934665603ULL;
    for (const std::uint64_t value : values) {
      hash = (hash ^ value) * 1099511628211ULL;
      hash ^= hash >> 29;
      hash *= 0xBF58476D1CE4E5B9ULL;
      hash ^= hash >> 32;
    }
    return hash;
  }

  Settings settings_;
  sim::MeshSites sites_;
  std::int64_t images_;
  bridge::GoldenReport golden_;
  std::vector<bridge::LayerSummary> layers_;
  std::vector<bridge::StudyMemory> memories_;
  std::string engine_ = "systemc";
  bool keeps_weights_ = false;
};

/// Disagrees with every trial that strikes an odd site or bit.
class FakeAuditor final : public bridge::Auditor {
 public:
  FakeAuditor(std::string disagreement, std::int64_t& audits)
      : disagreement_(std::move(disagreement)), audits_(audits) {}
  void on_run(const bridge::StruckRun& run) override {
    found_.engines = {"wavefront", "stepped"};
    is_odd_ = !run.job.faults.empty() && run.job.faults.front().site.value % 2 == 1;
  }
  bool listens() const override { return true; }
  void on_line(std::string_view line) override {
    if (line.find("codeword") != std::string_view::npos) {
      found_.engines = {"closed_form"};
      is_odd_ = line.starts_with("an odd");
    }
  }
  bridge::TrialAudit take() override {
    ++audits_;
    found_.disagreement = is_odd_ ? disagreement_ : "";
    is_odd_ = false;
    return std::exchange(found_, {});
  }

 private:
  std::string disagreement_;
  std::int64_t& audits_;
  bool is_odd_ = false;
  bridge::TrialAudit found_;
};

}  // namespace tilestrike::campaigns

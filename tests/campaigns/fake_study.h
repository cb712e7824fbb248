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

#include "bridge/accelerator/core_arrays.h"
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
    std::string disagreement{};  // of FakeAuditor, with every trial that strikes an odd site
  };

  FakeStudy(const bridge::StudyInputs& inputs, const Settings& settings)
      : Study(inputs.accelerator.mesh),
        settings_(settings),
        images_(inputs.use > 0 ? std::min(inputs.use, settings.images) : settings.images) {
    keeps_weights_ = inputs.accelerator.schedule.weights == bridge::WeightReload::kAtBoot;
    for (const auto& [name, config] : inputs.accelerator.memory) {
      // A quarter of each memory is weights, half is written in each inference.
      const std::uint64_t codewords = sim::ArrayGeometry(config.array()).codewords();
      const bool has_weights =
          std::ranges::find(config.holds, sim::MemoryContent::kWeights) != config.holds.end();
      facts_.memories.push_back({name, config, codewords,
                                 keeps_weights_ && has_weights ? codewords / 4 : 0, codewords / 2});
    }
    facts_.images = images_;
    facts_.cycles = 300;
    facts_.hashes = {{"model", settings_.model_hash},
                     {"images", "i"},
                     {"calibrate", "c"},
                     {"labels", "l"},
                     {"spiking", "s"}};
    for (std::int64_t image = 0; image < images_; ++image) {
      facts_.labels.push_back(image % 3);
    }
    facts_.golden.images = images_;
    facts_.golden.metric.name = bridge::kTop1Accuracy;
    facts_.golden_classes.assign(static_cast<std::size_t>(images_), 1);
    double right = 0.0;
    for (const std::int64_t label : facts_.labels) {
      facts_.golden_scores.emplace_back(label == 1 ? 1.0 : 0.0);
      right += *facts_.golden_scores.back();
    }
    facts_.golden.score = right / static_cast<double>(images_);
    facts_.golden.device = "cpu";
    facts_.golden.warnings = {"the network is made up"};
    for (int i = 0; i < 3; ++i) {
      bridge::LayerSummary layer;
      layer.name = i == 0 ? "conv1" : i == 1 ? "relu1" : "fc";
      layer.is_on_mesh = i != 1;
      layer.first_cycle = 100 * i;
      layer.mesh_cycles = i != 1 ? 80 : 0;
      layer.vector_cycles = i == 1 ? 100 : 20;
      facts_.layers.push_back(layer);
    }
    if (inputs.accelerator.has_core) {
      add_cores(inputs.accelerator);
    }
  }

  std::vector<float> golden_answer(ImageId) override { return {1.0F, 3.0F, 2.0F}; }

  std::vector<bridge::JobResult> strike(std::span<const bridge::StrikeJob> jobs,
                                        bridge::RunObserver* observer) override {
    std::vector<bridge::JobResult> results;
    const auto is_interrupted = [&] { return observer != nullptr && observer->is_interrupted(); };
    for (const bridge::StrikeJob& job : jobs) {
      if (!results.empty() && is_interrupted()) {
        return results;
      }
      bridge::JobResult result;
      const auto score = [&] {
        double right = 0.0;
        for (std::size_t i = 0; i < result.images.size(); ++i) {
          const ImageId image = job.image.value_or(ImageId(static_cast<std::int64_t>(i)));
          const bool is_right = result.images[i].judgement.faulty_class == facts_.label(image);
          result.images[i].score = is_right ? 1.0 : 0.0;
          right += *result.images[i].score;
        }
        result.score = right / static_cast<double>(result.images.size());
      };
      if (job.image) {
        result.images = {strike_at(*job.image, job, observer)};
        for (ImageId image(0); result.images[0].outlives && image.value < images_; ++image.value) {
          result.later.push_back(strike_at(ImageId(image.value + 1000), job, nullptr));
        }
      }
      for (ImageId image(0); !job.image && image.value < images_; ++image.value) {
        if (is_interrupted()) {
          return results;
        }
        result.images.push_back(strike_at(image, job, image == job.watched ? observer : nullptr));
      }
      score();
      results.push_back(std::move(result));
    }
    return results;
  }

  bridge::TrialResult strike_mesh(ImageId image, std::span<const RegisterFault> faults,
                                  bridge::RunObserver* observer) {
    ++strikes;
    if (observer != nullptr) {
      observer->on_run({facts_.layers.front().name, engine_, {.faults = faults}, {}});
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
    result.layer = facts_.layers[hash % 2 == 0 ? 0 : 2].name;
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

  /// A codeword is read or not, by its number, the cycle and the image; what a reader gets is
  /// decoded by its code, and whether that changes the answer is a matter of the same numbers.
  bridge::TrialResult strike_cells(ImageId image, const bridge::StrikeJob& strike,
                                   bridge::RunObserver* observer) {
    ++strikes;
    const std::span<const CellFault> faults = strike.strike.cells;
    check_phases(strike);
    bridge::TrialResult result;
    result.judgement.golden_class = result.judgement.faulty_class = 1;
    result.masked_at = MaskedAt::kDead;
    Outcome& outcome = result.without_stop;
    bool is_stopped = false;
    for (std::size_t i = 0; i < faults.size();) {
      const CellFault& first = faults[i];
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
      result.layer = facts_.layers[hash / 16 % 2 == 0 ? 0 : 2].name;
      const sim::EccCode& code = facts_.memories[first.memory].config.code();
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
  bool stored(ImageId image, std::size_t memory, CodewordBit bit, Cycle cycle) override {
    TS_CHECK(image.value < images_ && memory < facts_.memories.size() && cycle < 300,
             "a cell and cycle");
    return (bit.codeword.value + static_cast<std::uint64_t>(bit.bit)) % 3 == 0;
  }

  std::int64_t strikes = 0;

 private:
  /// Three cores; an inference of image i takes 100 + 10 i cycles, in three ticks.
  void add_cores(const bridge::AcceleratorConfig& accelerator) {
    bridge::StudyCores& cores = facts_.cores.emplace(accelerator.core);
    cores.layers = {"conv1", "conv1", "fc"};
    Cycle all = 0;
    for (std::int64_t image = 0; image < images_; ++image) {
      const Cycle end = 100 + 10 * image;
      cores.ticks.push_back({0, 20, 40, 60 + 5 * image, end - 10, end});
      all += end;
    }
    facts_.cycles = all / images_;
    for (const auto& [name, memory] : bridge::core_arrays(accelerator, cores.cores())) {
      facts_.memories.push_back(
          {name, memory, sim::ArrayGeometry(memory.array()).codewords(), 0, 0});
    }
  }

  bridge::TrialResult strike_at(ImageId image, const bridge::StrikeJob& job,
                                bridge::RunObserver* observer) {
    return job.strike.cells.empty() ? strike_mesh(image, job.strike.registers, observer)
                                    : strike_cells(image, job, observer);
  }

  void check_phases(const bridge::StrikeJob& strike) const {
    TS_CHECK(strike.scrub_phases.size() == facts_.memories.size(), "a phase of each memory");
    for (std::size_t i = 0; i < facts_.memories.size(); ++i) {
      const Cycle period = facts_.memories[i].config.scrub_cycles;
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
  std::int64_t images_;
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

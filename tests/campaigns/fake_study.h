// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A study without a network: its answers are a fixed function of image and faults, so that
// campaigns can be tested by themselves.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bridge/study.h"

namespace tilestrike::campaigns {

class FakeStudy final : public bridge::Study {
 public:
  struct Settings {
    std::int64_t images = 10;
    bool activates = true;       // false: every strike is masked as idle
    std::int64_t sdc_of_16 = 5;  // how many strikes of 16 end as sdc
    std::string model_hash = "model-1";
  };

  FakeStudy(const bridge::StudyInputs& inputs, const Settings& settings)
      : settings_(settings),
        sites_(inputs.accelerator.mesh),
        images_(inputs.use > 0 ? std::min(inputs.use, settings.images) : settings.images) {
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
                             bridge::Story* story, const std::string&) override {
    ++strikes;
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
    if (story != nullptr) {
      story->lines = {"the struck value met an accumulator"};
    }
    return result;
  }

  std::int64_t strikes = 0;

 private:
  Settings settings_;
  sim::MeshSites sites_;
  std::int64_t images_;
  bridge::GoldenReport golden_;
  std::vector<bridge::LayerSummary> layers_;
};

}  // namespace tilestrike::campaigns

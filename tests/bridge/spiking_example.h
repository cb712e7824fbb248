// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A small spiking network in files, and the same as a chip that knows nothing of the study: for
// tests of strikes on cores.
#pragma once

#include <ATen/ops/empty.h>

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "bridge/accelerator/engines.h"
#include "bridge/layout/core_layout.h"
#include "bridge/study/study.h"
#include "dnn/data.h"
#include "dnn/nir/nir_import.h"
#include "dnn/spiking/encoding.h"
#include "dnn/spiking/integer_model.h"
#include "sim/chip/chip_run.h"
#include "tests/dnn/nir_files.h"

namespace tilestrike::bridge {

/// conv 2c3 on 1 x 6 x 6 -> LIF -> flatten -> linear 5 -> an answer in membranes or spikes.
class SpikingExample {
 public:
  static constexpr std::int64_t kImages = 6, kInputs = 36, kClasses = 5, kTicks = 4;

  explicit SpikingExample(const std::string& readout = "membrane", std::uint64_t seed = 1)
      : random_(seed, 0, Purpose::kSite) {
    const bool is_membrane = readout == "membrane";
    std::vector<std::pair<std::string, dnn::NirTestNode>> nodes = {
        {"input", dnn::input_node({1, 6, 6})},
        {"conv", convolution()},
        {"lif1", lif({2, 4, 4})},
        {"flatten",
         {"Flatten",
          {{"start_dim", dnn::number(0)},
           {"end_dim", dnn::number(-1)},
           {"input_type", dnn::integers({2, 4, 4})}}}},
        {"fc", affine(kClasses, 32)},
    };
    if (!is_membrane) {
      nodes.emplace_back("lif2", lif({kClasses}));
    }
    nodes.emplace_back("output", dnn::output_node({kClasses}));
    model_path_ = folder_.write(dnn::nir_line(nodes),
                                "ticks: 4\ndt: 0.001\nreset: soft\nreadout: " + readout + "\n");
    images_ = at::empty({kImages, 1, 6, 6});
    auto* pixel = images_.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < images_.numel(); ++i) {
      // Later images are darker, so that inferences last differently long.
      pixel[i] = static_cast<float>(random_.unit()) / static_cast<float>(1 + i / kInputs);
    }
    images_path_ = model_path_ + ".npy";
    dnn::write_npy(images_path_, images_);
  }

  StudyInputs inputs(const std::string& engine = "systemc") const {
    StudyInputs inputs;
    inputs.engines = engines_of_this_build();
    inputs.engine = engine;
    inputs.model = model_path_;
    inputs.images = InputFiles(images_path_);
    inputs.accelerator = accelerator;
    inputs.neurons = accelerator.core.format();
    inputs.device = "cpu";
    return inputs;
  }

  dnn::IntegerModel model() const { return dnn::to_integer(dnn::import_nir(model_path_)); }

  /// The spikes of an image, by local tick.
  std::vector<std::vector<std::int32_t>> spikes(std::int64_t image) const {
    std::vector<std::vector<std::int32_t>> all(kTicks);
    const float* pixel = images_.const_data_ptr<float>() + image * kInputs;
    for (std::int64_t tick = 0; tick < kTicks; ++tick) {
      for (std::int32_t i = 0; i < kInputs; ++i) {
        if (dnn::has_rate_spike(dnn::rate_spikes(pixel[i], kTicks), tick, kTicks)) {
          all[static_cast<std::size_t>(tick)].push_back(i);
        }
      }
    }
    return all;
  }

  sim::ChipConfig chip() const { return chip_config(accelerator); }

  AcceleratorConfig accelerator = [] {
    AcceleratorConfig config;
    config.name = "small_cores";
    config.has_core = true;
    config.core.axons = 32;
    config.core.neurons = 16;
    config.core.destinations = 64;
    return config;
  }();

 private:
  std::vector<double> weights(std::size_t count) {
    std::vector<double> all(count);
    for (double& weight : all) {
      weight = random_.unit() - 0.4;
    }
    return all;
  }
  dnn::NirTestNode convolution() {
    return {"Conv2d",
            {{"weight", dnn::floats({2, 1, 3, 3}, weights(18))},
             {"bias", dnn::floats({2}, {0.01, -0.02})},
             {"stride", dnn::integers({1, 1})},
             {"padding", dnn::integers({0, 0})},
             {"dilation", dnn::integers({1, 1})},
             {"groups", dnn::number(1)},
             {"input_shape", dnn::integers({6, 6})}}};
  }
  dnn::NirTestNode affine(std::int64_t outputs, std::int64_t inputs) {
    return {"Affine",
            {{"weight",
              dnn::floats({outputs, inputs}, weights(static_cast<std::size_t>(outputs * inputs)))},
             {"bias", dnn::floats({outputs}, weights(static_cast<std::size_t>(outputs)))}}};
  }
  static dnn::NirTestNode lif(const std::vector<std::int64_t>& sizes) {
    std::size_t count = 1;
    for (const std::int64_t size : sizes) {
      count *= static_cast<std::size_t>(size);
    }
    const auto each = [&](double value) {
      return dnn::floats(sizes, std::vector<double>(count, value));
    };
    return {
        "LIF",
        {{"tau", each(0.008)}, {"r", each(8)}, {"v_leak", each(0)}, {"v_threshold", each(0.8)}}};
  }

  RandomStream random_;
  dnn::NirFolder folder_;
  std::string model_path_, images_path_;
  at::Tensor images_;
};

}  // namespace tilestrike::bridge

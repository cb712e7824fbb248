// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// campaign_b1, campaign_b32: what one outcome costs, golden run of its image and all, over what one
// clean image costs at batch 1 and at batch 32. Activated transient strikes only (strikes that are
// not activated cost next to nothing); the share that is activated stands beside.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <vector>

#include "base/random.h"
#include "bridge/study/torch_call.h"
#include "bridge/study/workload.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/mesh_trials.h"
#include "dnn/executor.h"

namespace tilestrike::bridge {
namespace {

const TopKJudge kTopK{};

constexpr std::int64_t kImages = 64;
constexpr std::size_t kStrikes = 64;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Strike {
  std::int64_t image;
  RegisterFault fault;
};

class Campaign {
 public:
  Campaign(const std::string& model, sim::Dataflow dataflow)
      : load_(load_workload(source_of(model), true)), executor_(load_.network) {
    AcceleratorConfig accelerator;
    accelerator.mesh.dataflow = dataflow;
    mapping_ =
        std::make_unique<Mapping>(load_.network, executor_.record(images(0, 1)), accelerator);
    runner_ = std::make_unique<MeshTrials>(load_.network, *mapping_, sim::builtin_engines(),
                                           "systemc", kTopK);
    const sim::MeshSites sites(accelerator.mesh);
    RandomStream random(1, 0, Purpose::kTest);
    while (strikes_.size() < kStrikes) {
      Strike strike{static_cast<std::int64_t>(random.below(kImages)), {}};
      strike.fault.site = SiteId(random.below(sites.total_bits()));
      strike.fault.when.from = static_cast<Cycle>(
          random.below(static_cast<std::uint64_t>(mapping_->schedule().cycles_per_inference())));
      ++drawn_;
      if (outcome(strike).activated) {
        strikes_.push_back(strike);
      }
    }
  }

  dnn::Inputs images(std::int64_t first, std::int64_t count) const {
    return load_.inputs.narrow(first, count);
  }

  TrialResult outcome(const Strike& strike) {
    const dnn::Tape golden = executor_.record(images(strike.image, 1));
    return runner_->run(golden, {&strike.fault, 1}, nullptr);
  }

  const std::vector<Strike>& strikes() const { return strikes_; }
  double activated_share() const {
    return static_cast<double>(strikes_.size()) / static_cast<double>(drawn_);
  }
  const dnn::Executor& executor() const { return executor_; }

 private:
  static NetworkSource source_of(const std::string& model) {
    NetworkSource source;
    source.model = root() + "/zoo/" + model + ".pt2";
    source.images = "fashion_mnist/test";
    source.calibrate = "fashion_mnist/train";
    source.use = kImages;
    source.device = "cpu";
    return source;
  }

  static std::string root() {
    const char* folder = std::getenv("TILESTRIKE_ROOT");
    return folder == nullptr ? TS_SOURCE_FOLDER : folder;
  }

  Workload load_;
  dnn::Executor executor_;
  std::unique_ptr<Mapping> mapping_;
  std::unique_ptr<MeshTrials> runner_;
  std::vector<Strike> strikes_;
  std::int64_t drawn_ = 0;
};

void campaign(benchmark::State& state, const std::string& model, sim::Dataflow dataflow,
              std::int64_t batch) {
  torch_call([&] {
    Campaign study(model, dataflow);
    double struck = 0.0;
    double clean = 0.0;
    std::int64_t outcomes = 0;
    std::int64_t images = 0;
    for (auto _ : state) {
      const Clock::time_point start = Clock::now();
      for (const Strike& strike : study.strikes()) {
        benchmark::DoNotOptimize(study.outcome(strike));
        ++outcomes;
      }
      const double both = seconds_since(start);
      const Clock::time_point middle = Clock::now();
      for (std::int64_t first = 0; first < kImages; first += batch) {
        benchmark::DoNotOptimize(study.executor().run(study.images(first, batch)));
        images += batch;
      }
      clean += seconds_since(middle);
      struck += both;
      state.SetIterationTime(both);
    }
    const double per_outcome = struck / static_cast<double>(outcomes);
    const double per_image = clean / static_cast<double>(images);
    state.counters["ratio"] = per_outcome / per_image;
    state.counters["us_per_outcome"] = 1e6 * per_outcome;
    state.counters["us_per_clean_image"] = 1e6 * per_image;
    state.counters["activated_share"] = study.activated_share();
  });
}

constexpr auto kWs = sim::Dataflow::kWeightStationary;
constexpr auto kOs = sim::Dataflow::kOutputStationary;
BENCHMARK_CAPTURE(campaign, b1_ws, "resnet8", kWs, 1)
    ->Name("campaign_b1/resnet8/ws")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(campaign, b1_os, "resnet8", kOs, 1)
    ->Name("campaign_b1/resnet8/os")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(campaign, b32_ws, "resnet8", kWs, 32)
    ->Name("campaign_b32/resnet8/ws")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(campaign, b32_os, "resnet8", kOs, 32)
    ->Name("campaign_b32/resnet8/os")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tilestrike::bridge

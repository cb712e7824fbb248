// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Outcomes of strikes for the time of one clean image of the int8 network, at the batch that suits
// it best, in the same process. With differential inference, and without (`whole`).
//   campaign/NETWORK/DATAFLOW/DRAWS: drawn transients, so many an image, everything counted: golden
//     runs, strikes, judging, rows in the file, the summary. Not the start.
//   campaign_activated/NETWORK/DATAFLOW: those that are activated alone, golden runs apart.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/yaml.h"
#include "benchmarks/paired.h"
#include "bridge/study/golden_tapes.h"
#include "bridge/study/torch_call.h"
#include "bridge/study/workload.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/mesh_trials.h"
#include "bridge/trial/waiting_trials.h"
#include "campaigns/run/runner.h"
#include "dnn/executor.h"

namespace tilestrike {
namespace {

using bridge::torch_call;

constexpr std::int64_t kImages = 256;

std::string root() {
  const char* folder = std::getenv("TILESTRIKE_ROOT");
  return folder == nullptr ? TS_SOURCE_FOLDER : folder;
}

/// The int8 network, and what an image costs that nothing strikes.
class Clean {
 public:
  explicit Clean(const std::string& model)
      : load_(bridge::load_workload(source_of(model), true)), executor_(load_.network) {}

  double seconds_per_image() const {
    double least = std::numeric_limits<double>::infinity();
    for (const std::int64_t batch : {1, 8, 32, 64}) {
      const double all = seconds([&] {
        for (std::int64_t first = 0; first < kImages; first += batch) {
          benchmark::DoNotOptimize(executor_.run(load_.inputs.narrow(first, batch)));
        }
      });
      least = std::min(least, all / static_cast<double>(kImages));
    }
    return least;
  }

  const bridge::Workload& load() const { return load_; }
  const dnn::Executor& executor() const { return executor_; }

 private:
  static bridge::NetworkSource source_of(const std::string& model) {
    bridge::NetworkSource source;
    source.model = root() + "/zoo/" + model + ".pt2";
    source.images = "fashion_mnist/test";
    source.calibrate = "fashion_mnist/train";
    source.use = kImages;
    source.device = "cpu";
    return source;
  }

  bridge::Workload load_;
  dnn::Executor executor_;
};

/// A study that outlives the campaigns which run on it.
class Borrowed final : public bridge::Study {
 public:
  explicit Borrowed(bridge::Study& study) : Study(sim::MeshConfig()), study_(study) {
    facts_ = study.facts();
  }
  std::vector<bridge::JobResult> strike(std::span<const bridge::StrikeJob> jobs,
                                        bridge::RunObserver* observer) override {
    return study_.strike(jobs, observer);
  }
  void expect(std::vector<ImageId> images) override { study_.expect(std::move(images)); }
  std::vector<float> golden_answer(ImageId image) override { return study_.golden_answer(image); }
  bool stored(ImageId image, std::size_t memory, CodewordBit bit, Cycle cycle) override {
    return study_.stored(image, memory, bit, cycle);
  }

 private:
  bridge::Study& study_;
};

/// A campaign that can be run again and again.
class Campaign {
 public:
  Campaign(const std::string& model, const std::string& dataflow, std::int64_t draws,
           bool is_differential)
      : campaign_(campaigns::read_campaign(
            parse_yaml("model: " + model + "\ndata: {use: " + std::to_string(kImages) +
                           "}\naccelerator: {mesh: {dataflow: " + dataflow +
                           "}}\ndevice: cpu\ntrials: " + std::to_string(draws * kImages) +
                           "\ndifferential: " + (is_differential ? "on" : "off") + "\n",
                       "campaign"),
            sim::builtin_engines())),
        trials_(draws * kImages) {
    study_ = bridge::Study::open(
        campaigns::study_inputs(campaign_.points.front().scenario, sim::builtin_engines()));
  }

  double seconds_per_outcome() {
    const std::string path =
        (std::filesystem::temp_directory_path() / ("campaign_" + std::to_string(::getpid())))
            .string();
    const double all = seconds([&] {
      auto results = campaigns::Results::for_campaign(path, campaign_);
      campaigns::Surroundings around;
      around.engines = sim::builtin_engines();
      around.open_study = [&](const bridge::StudyInputs&) {
        return std::make_unique<Borrowed>(*study_);
      };
      benchmark::DoNotOptimize(campaigns::run_campaign(campaign_, *results, around));
    });
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(path + suffix);
    }
    return all / static_cast<double>(trials_);
  }

 private:
  campaigns::Campaign campaign_;
  std::int64_t trials_;
  std::unique_ptr<bridge::Study> study_;
};

void report(benchmark::State& state, std::vector<double> ours, std::vector<double> whole,
            std::vector<double> clean, double goal) {
  const double image = median(std::move(clean)), outcome = median(std::move(ours));
  state.counters["outcomes_per_clean_image"] = image / outcome;
  state.counters["whole"] = image / median(std::move(whole));
  state.counters["us_per_outcome"] = 1e6 * outcome;
  state.counters["us_per_clean_image"] = 1e6 * image;
  state.counters["goal"] = goal;
  state.counters["of_goal"] = image / outcome / goal;
}

void campaign(benchmark::State& state, const std::string& model, const std::string& dataflow,
              std::int64_t draws, double goal) {
  const Clean image(model);
  Campaign on(model, dataflow, draws, true);
  Campaign off(model, dataflow, draws, false);
  std::vector<double> ours, whole, clean;
  std::size_t turn = 0;
  for (auto _ : state) {
    in_turn(
        turn++, [&] { ours.push_back(on.seconds_per_outcome()); },
        [&] { whole.push_back(off.seconds_per_outcome()); });
    clean.push_back(torch_call([&] { return image.seconds_per_image(); }));
    state.SetIterationTime(ours.back());
  }
  report(state, std::move(ours), std::move(whole), std::move(clean), goal);
}

void campaign_activated(benchmark::State& state, const std::string& model, sim::Dataflow dataflow,
                        double goal) {
  constexpr std::int64_t kTapes = 16;
  constexpr std::size_t kStrikes = 256;
  const bridge::TopKJudge top_k{};
  torch_call([&] {
    const Clean image(model);
    const dnn::Network& network = image.load().network;
    std::vector<dnn::Tape> tapes;
    for (std::int64_t i = 0; i < kTapes; ++i) {
      tapes.push_back(image.executor().record(image.load().inputs.narrow(i, 1)));
    }
    bridge::AcceleratorConfig accelerator;
    accelerator.mesh.dataflow = dataflow;
    const bridge::Mapping mapping(network, tapes.front(), accelerator);
    dnn::Differential differential(network);
    bridge::MeshTrials on(network, mapping, sim::builtin_engines(), "systemc", top_k,
                          &differential);
    bridge::MeshTrials off(network, mapping, sim::builtin_engines(), "systemc", top_k);
    const sim::MeshSites sites(accelerator.mesh);
    RandomStream random(1, 0, Purpose::kTest);
    std::vector<RegisterFault> faults;
    std::int64_t drawn = 0;
    const auto tape_of = [&](std::size_t strike) -> const dnn::Tape& {
      return tapes[strike * kTapes / kStrikes];
    };
    while (faults.size() < kStrikes) {
      RegisterFault fault;
      fault.site = SiteId(random.below(sites.total_bits()));
      fault.when.from = static_cast<Cycle>(
          random.below(static_cast<std::uint64_t>(mapping.schedule().cycles_per_inference())));
      ++drawn;
      if (on.run(tape_of(faults.size()), {&fault, 1}, nullptr).activated) {
        faults.push_back(fault);
      }
    }
    // As a study runs them: side by side where a batch gives the bits of each image alone.
    bridge::GoldenTapes golden(image.executor(), image.load().inputs, std::int64_t{1} << 30);
    golden.of(ImageId(0));
    const bool is_side_by_side = golden.block() > 1;
    const auto per_outcome = [&](bridge::MeshTrials& trials, dnn::Differential* lists) {
      return seconds([&] {
               for (std::size_t i = 0; !is_side_by_side && i < kStrikes; ++i) {
                 benchmark::DoNotOptimize(trials.run(tape_of(i), {&faults[i], 1}, nullptr));
               }
               bridge::WaitingTrials waiting(trials.guard(), top_k,
                                             [](std::size_t, const bridge::TrialResult& result) {
                                               benchmark::DoNotOptimize(result);
                                             });
               for (std::size_t i = 0; is_side_by_side && i < kStrikes; ++i) {
                 waiting.add(i,
                             std::make_unique<bridge::TrialRun>(network, mapping, tape_of(i),
                                                                nullptr, ImageId(0), lists),
                             trials.path({&faults[i], 1}));
               }
               waiting.finish();
             }) /
             static_cast<double>(kStrikes);
    };
    std::vector<double> ours, whole, clean;
    std::size_t turn = 0;
    for (auto _ : state) {
      in_turn(
          turn++, [&] { ours.push_back(per_outcome(on, &differential)); },
          [&] { whole.push_back(per_outcome(off, nullptr)); });
      clean.push_back(image.seconds_per_image());
      state.SetIterationTime(ours.back());
    }
    report(state, std::move(ours), std::move(whole), std::move(clean), goal);
    state.counters["activated_share"] = static_cast<double>(kStrikes) / static_cast<double>(drawn);
  });
}

const bool kRegistered = [] {
  const std::string ws = "ws", os = "os";
  const auto drawn = [](const std::string& model, const std::string& dataflow, const char* name,
                        std::int64_t draws, double goal) {
    benchmark::RegisterBenchmark(
        ("campaign/" + model + "/" + name + "/" + std::to_string(draws)).c_str(),
        [=](benchmark::State& state) { campaign(state, model, dataflow, draws, goal); })
        ->UseManualTime()
        ->Iterations(5)
        ->Unit(benchmark::kMicrosecond);
  };
  drawn("resnet8", ws, "ws", 10, 5.0);
  drawn("resnet8", ws, "ws", 40, 10.0);
  drawn("resnet8", os, "os", 10, 5.0);
  drawn("resnet8", os, "os", 40, 10.0);
  const auto activated = [](const std::string& model, sim::Dataflow dataflow, const char* name,
                            double goal) {
    benchmark::RegisterBenchmark(
        ("campaign_activated/" + model + "/" + name).c_str(),
        [=](benchmark::State& state) { campaign_activated(state, model, dataflow, goal); })
        ->UseManualTime()
        ->Iterations(5)
        ->Unit(benchmark::kMicrosecond);
  };
  activated("resnet8", sim::Dataflow::kWeightStationary, "ws", 12.0);
  activated("resnet8", sim::Dataflow::kOutputStationary, "os", 12.0);
  activated("mobilenet", sim::Dataflow::kWeightStationary, "ws", 4.0);
  activated("vit", sim::Dataflow::kWeightStationary, "ws", 3.0);
  return true;
}();

}  // namespace
}  // namespace tilestrike

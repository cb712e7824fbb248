// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Campaigns on a chip of neuromorphic cores, the zoo's 784-256-10 on core_1024x64.
//   core_campaign/ENGINE: uniform flips in all storage of the chip, everything counted but the
//     start: drawing, strikes, judging, rows in the file, the summary; activated trials per second
//     of processor time. What is written at boot is written before each inference; in
//     `systemc_boot` once, and what is struck there is judged on later inferences of 32 images,
//     too.
//   core_lasting/ENGINE: a stuck bit of one core on 1000 images, whose golden runs are there:
//     seconds a fault, of bits that are drawn and read.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/yaml.h"
#include "benchmarks/borrowed_study.h"
#include "benchmarks/paired.h"
#include "bridge/accelerator/engines.h"
#include "campaigns/run/runner.h"

namespace tilestrike {
namespace {

constexpr double kGoalOfCampaign = 1500.0;  // activated trials per second, systemc
constexpr double kGoalOfSystemc = 0.3;      // seconds a lasting fault on 1000 images
constexpr double kGoalOfRtl = 3.0;

struct Opened {
  Opened(const std::string& engine, std::int64_t images, const std::string& keys,
         const std::string& reload = "boot")
      : campaign(campaigns::read_campaign(
            parse_yaml("model: snn_fc\naccelerator: {base: core_1024x64, chip: {reload: " + reload +
                           "}}\ndevice: cpu\nengine: " + engine +
                           "\ndata: {use: " + std::to_string(images) + "}\n" + keys,
                       "core_campaign"),
            bridge::engines_of_this_build())),
        study(bridge::Study::open(campaigns::study_inputs(campaign.points.front().scenario,
                                                          bridge::engines_of_this_build()))) {}
  campaigns::Campaign campaign;
  std::unique_ptr<bridge::Study> study;
};

void core_campaign(benchmark::State& state, const std::string& engine, const std::string& reload) {
  constexpr std::int64_t kTrials = 4000;
  Opened opened(engine, 32, "trials: " + std::to_string(kTrials) + "\n", reload);
  const std::string path =
      (std::filesystem::temp_directory_path() / ("core_campaign_" + std::to_string(::getpid())))
          .string();
  double spent = 0.0, activated = 0.0, trials = 0.0;
  for (auto _ : state) {
    spent += processor_seconds([&] {
      auto results = campaigns::Results::for_campaign(path, opened.campaign);
      campaigns::Surroundings around;
      around.engines = bridge::engines_of_this_build();
      around.open_study = [&](const bridge::StudyInputs&) {
        return std::make_unique<BorrowedStudy>(*opened.study);
      };
      const campaigns::RunReport report =
          campaigns::run_campaign(opened.campaign, *results, around);
      activated += static_cast<double>(report.summaries.front().activated);
      trials += static_cast<double>(report.summaries.front().counted);
    });
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(path + suffix);
    }
  }
  state.counters["activated_per_s"] = activated / spent;
  state.counters["trials_per_s"] = trials / spent;
  if (engine == "systemc" && reload == "inference") {
    state.counters["goal"] = kGoalOfCampaign;
    state.counters["of_goal"] = activated / spent / kGoalOfCampaign;
  }
}

/// Faults of a plan, so many, each on all images.
void core_lasting(benchmark::State& state, const std::string& engine) {
  const sim::EngineSet engines = bridge::engines_of_this_build();
  if (engines.find(engine) == nullptr || !engines.at(engine).make_core) {
    state.SkipWithError("this build has no such engine");
    return;
  }
  Opened opened(
      engine, 1000,
      "memory: 8GiB\ntrials: 1000\nstrike: {where: {core: {field: [threshold, synapse]}}, "
      "fault: [stuck_at_0, stuck_at_1]}\n");
  const campaigns::Plan plan(opened.campaign.points.front().scenario, opened.study->facts());
  double spent = 0.0, images = 0.0;
  std::int64_t faults = 0;
  std::uint64_t trial = 0;
  for (auto _ : state) {
    const bridge::StrikeJob job = plan.draw(TrialId(trial++)).job();
    bridge::JobResult result;
    const double own = processor_seconds([&] {
      result = std::move(opened.study->strike({&job, 1}).front());
    });
    const auto live = std::ranges::count(result.images, true, &bridge::TrialResult::activated);
    if (live > 0) {  // a synapse of no use to the network costs nothing
      spent += own;
      images += static_cast<double>(live);
      ++faults;
    }
  }
  const double each = spent / static_cast<double>(std::max<std::int64_t>(faults, 1));
  const double goal = engine == "rtl" ? kGoalOfRtl : kGoalOfSystemc;
  state.counters["seconds_per_fault"] = each;
  state.counters["images_activated"] =
      images / static_cast<double>(std::max<std::int64_t>(faults, 1));
  state.counters["goal"] = goal;
  state.counters["of_goal"] = goal / each;
}

BENCHMARK_CAPTURE(core_campaign, systemc, "systemc", "inference")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(core_campaign, closed_form, "closed_form", "inference")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(core_campaign, systemc_boot, "systemc", "boot")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(core_lasting, systemc, "systemc")->Unit(benchmark::kMillisecond)->Iterations(40);
BENCHMARK_CAPTURE(core_lasting, closed_form, "closed_form")
    ->Unit(benchmark::kMillisecond)
    ->Iterations(40);
BENCHMARK_CAPTURE(core_lasting, rtl, "rtl")->Unit(benchmark::kMillisecond)->Iterations(8);

}  // namespace
}  // namespace tilestrike

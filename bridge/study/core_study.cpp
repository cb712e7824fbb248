// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/core_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "base/error.h"
#include "bridge/accelerator/core_arrays.h"
#include "bridge/schedule/mapping.h"
#include "bridge/study/judging.h"
#include "bridge/study/spiking_workload.h"
#include "bridge/study/torch_call.h"
#include "bridge/study/workload.h"
#include "bridge/trial/core_trials.h"

namespace tilestrike::bridge {
namespace {

constexpr std::int64_t kBatch = 50;  // images at a time of the golden pass over all images
/// What the fault-free inference of one image keeps of each core, roughly: all storage of the core
/// at each tick, and who sends what when.
constexpr std::int64_t kBytesOfCore = std::int64_t{64} << 10;

/// On the CPU: what cores send is put together on the host.
Workload load_of(const StudyInputs& inputs) {
  check_is_nir(inputs.model);
  NetworkSource on_cpu = inputs;
  on_cpu.device = "cpu";
  const bool is_on_host =
      inputs.device == "auto" || dnn::device_of(inputs.device) == c10::Device(c10::kCPU);
  Workload load = load_workload(on_cpu, true);
  if (!is_on_host) {
    load.warnings.push_back("device: " + inputs.device +
                            ": networks on cores are computed on the CPU");
  }
  return load;
}

class CoreStudy final : public Study {
 public:
  explicit CoreStudy(const StudyInputs& inputs)
      : Study(inputs.accelerator.mesh), load_(load_of(inputs)), executor_(load_.network) {
    facts_.hashes = hashes_of(load_, inputs.model);
    facts_.images = load_.images();
    GoldenRun golden = run_golden(load_, executor_, kBatch, inputs, "int8");
    judge_ = judge_of(inputs.judge, golden.answers, load_);
    trials_ = std::make_unique<CoreTrials>(load_.network, *load_.spiking, inputs.accelerator,
                                           inputs.engines, inputs.engine, *judge_);
    most_kept_ = static_cast<std::size_t>(
        std::max<std::int64_t>(1, inputs.memory_bytes / (kBytesOfCore * trials_->chip()->cores())));
    facts_.golden = std::move(golden.report);
    for (std::string& note : answer_notes(load_.network, golden.answers)) {
      facts_.golden.warnings.push_back(std::move(note));
    }
    judge_golden(*judge_, golden.answers, facts_);
    facts_.layers = summarise(load_.network, of(ImageId(0)).tape, nullptr);
    find_cores(inputs.accelerator);
  }

  std::vector<JobResult> strike(std::span<const StrikeJob> jobs, RunObserver* observer) override {
    return torch_call([&] {
      std::vector<JobResult> results;
      for (const StrikeJob& job : jobs) {
        std::optional<JobResult> result =
            !results.empty() && is_interrupted(observer) ? std::nullopt : result_of(job, observer);
        if (!result) {
          break;
        }
        set_score(*judge_, *result);
        results.push_back(std::move(*result));
      }
      return results;
    });
  }

  std::vector<float> golden_answer(ImageId image) override {
    return torch_call([&] { return floats(of(image).tape.tensor(load_.network.output)); });
  }

  bool stored(ImageId image, std::size_t memory, CodewordBit bit, Cycle cycle) override {
    return torch_call([&] { return trials_->stored(*of(image).run, memory, bit, cycle); });
  }

 private:
  /// The fault-free inference of an image.
  struct Golden {
    dnn::Tape tape;
    std::unique_ptr<const sim::ChipRun> run;
  };

  static bool is_interrupted(const RunObserver* observer) {
    return observer != nullptr && observer->is_interrupted();
  }

  /// Kept until too many others have been asked for.
  const Golden& of(ImageId image) {
    const auto found = kept_.find(image.value);
    if (found != kept_.end()) {
      return found->second;
    }
    while (kept_.size() >= most_kept_) {
      kept_.erase(order_.front());
      order_.pop_front();
    }
    Golden golden;
    golden.tape = executor_.record(load_.inputs.narrow(image.value, 1).to(load_.network.device));
    golden.run = trials_->run_of(golden.tape);
    order_.push_back(image.value);
    return kept_.emplace(image.value, std::move(golden)).first->second;
  }

  /// Nothing where the observer said is_interrupted().
  std::optional<JobResult> result_of(const StrikeJob& job, RunObserver* observer) {
    TS_CHECK(job.strike.words.empty(), "words of tensors are struck where there is no accelerator");
    JobResult result;
    if (job.image) {
      result.images.push_back(run(job, *job.image, observer));
      if (result.images.front().outlives) {
        const Strike left = trials_->left_for_later(job.strike, job.scrub_phases);
        for (ImageId image(0); image.value < facts_.images; ++image.value) {
          if (is_interrupted(observer)) {
            return std::nullopt;
          }
          const Golden& golden = of(image);
          result.later.push_back(trials_->run_later(*golden.run, golden.tape, left, image));
        }
      }
      return result;
    }
    for (ImageId image(0); image.value < facts_.images; ++image.value) {
      if (is_interrupted(observer)) {
        return std::nullopt;
      }
      result.images.push_back(run(job, image, image == job.watched ? observer : nullptr));
    }
    return result;
  }

  TrialResult run(const StrikeJob& job, ImageId image, RunObserver* observer) {
    const Golden& golden = of(image);
    return trials_->run(*golden.run, golden.tape, job.strike, job.scrub_phases, observer, image);
  }

  void find_cores(const AcceleratorConfig& accelerator) {
    const CoreLayout& layout = trials_->layout();
    StudyCores& cores = facts_.cores.emplace(accelerator.core);
    for (const CoreShare& share : layout.cores) {
      cores.layers.push_back(load_.spiking->layers[share.layer].name);
    }
    Cycle all = 0;
    for (ImageId image(0); image.value < facts_.images; ++image.value) {
      const sim::ChipRun& run = *of(image).run;
      std::vector<Cycle>& ticks = cores.ticks.emplace_back();
      for (std::int32_t tick = -1; tick <= run.ticks(); ++tick) {
        ticks.push_back(run.cycle_of({tick, 1}) - 1);
      }
      ticks.push_back(run.cycles());
      all += run.cycles();
    }
    facts_.cycles = (all + facts_.images / 2) / facts_.images;
    const bool stays = accelerator.chip.reload == CoreReload::kAtBoot;
    for (const auto& [name, memory] : core_arrays(accelerator, layout.cores.size())) {
      const sim::CoreBlock& array = *cores.sites.block_named(name);
      const std::uint64_t codewords = sim::ArrayGeometry(memory.array()).codewords();
      const bool is_resident = stays && array.is_boot_array();
      const std::uint64_t read = codewords_read(layout, cores.sites, array, codewords);
      facts_.memories.push_back(
          {name, memory, codewords, is_resident ? read : 0, is_resident ? 0 : read});
    }
  }

  /// Codewords that an inference may read: of synapses those of axons in use, all groups of them;
  /// of other arrays all.
  static std::uint64_t codewords_read(const CoreLayout& layout, const sim::CoreSites& sites,
                                      const sim::CoreBlock& array, std::uint64_t codewords) {
    if (array.storage != sim::CoreStorage::kSynapses) {
      return codewords;
    }
    std::uint64_t axons = 0;
    for (const CoreShare& share : layout.cores) {
      axons += share.axons.size();
    }
    return axons * static_cast<std::uint64_t>(sites.config().groups());
  }

  Workload load_;
  dnn::Executor executor_;
  std::unique_ptr<Judge> judge_;
  std::unique_ptr<CoreTrials> trials_;
  std::size_t most_kept_ = 1;
  std::map<std::int64_t, Golden> kept_;
  std::deque<std::int64_t> order_;
};

}  // namespace

std::unique_ptr<Study> open_core_study(const StudyInputs& inputs) {
  return std::make_unique<CoreStudy>(inputs);
}

}  // namespace tilestrike::bridge

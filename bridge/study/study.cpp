// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/study.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "bridge/exposure/contents.h"
#include "bridge/schedule/mapping.h"
#include "bridge/study/core_study.h"
#include "bridge/study/golden_tapes.h"
#include "bridge/study/judging.h"
#include "bridge/study/tensor_study.h"
#include "bridge/study/torch_call.h"
#include "bridge/study/workload.h"
#include "bridge/trial/memory_trials.h"
#include "bridge/trial/mesh_trials.h"
#include "bridge/trial/waiting_trials.h"

namespace tilestrike::bridge {
namespace {

constexpr std::int64_t kBatch = 50;  // images at a time of the golden pass over all images

Workload load_for_mesh(const StudyInputs& inputs) {
  Workload load = load_workload(inputs, true);
  check_takes_one_image(load.network, inputs.model);
  return load;
}

class MeshStudy final : public Study {
 public:
  explicit MeshStudy(const StudyInputs& inputs)
      : Study(inputs.accelerator.mesh),
        load_(load_for_mesh(inputs)),
        executor_(load_.network),
        tapes_(executor_, load_.inputs, inputs.memory_bytes) {
    facts_.hashes = hashes_of(load_, inputs.model);
    facts_.images = load_.images();
    judge_ = judge_of(inputs.judge, answer_of(ImageId(0)), load_);
    mapping_ = std::make_unique<Mapping>(load_.network, tape_of(ImageId(0)), inputs.accelerator);
    facts_.cycles = mapping_->schedule().cycles_per_inference();
    if (inputs.is_differential) {
      differential_ = std::make_unique<dnn::Differential>(load_.network);
    }
    mesh_ = std::make_unique<MeshTrials>(load_.network, *mapping_, inputs.engines, inputs.engine,
                                         *judge_, differential_.get());
    if (mapping_->schedule().memory() != nullptr) {
      cells_ = std::make_unique<MemoryTrials>(
          load_.network, *mapping_, inputs.engines.at(inputs.engine), *judge_, differential_.get());
      find_memories(inputs.accelerator);
    }
    facts_.layers = summarise(load_.network, tape_of(ImageId(0)), mapping_.get());
    GoldenRun golden = run_golden(load_, executor_, kBatch, inputs, "int8");
    facts_.golden = std::move(golden.report);
    judge_golden(*judge_, golden.answers, facts_);
  }

  std::vector<JobResult> strike(std::span<const StrikeJob> jobs, RunObserver* observer) override {
    return torch_call([&] {
      std::vector<JobResult> results;
      while (results.size() < jobs.size()) {
        if (!results.empty() && is_interrupted(observer)) {
          break;
        }
        const auto left = jobs.subspan(results.size());
        if (const std::size_t count = side_by_side(left, observer); count > 1) {
          strike_side_by_side(left.first(count), results);
          continue;
        }
        std::optional<JobResult> result = result_of(left.front(), observer);
        if (!result) {
          break;
        }
        set_score(*judge_, *result);
        results.push_back(std::move(*result));
      }
      return results;
    });
  }

  void expect(std::vector<ImageId> images) override { tapes_.expect(std::move(images)); }

  std::vector<float> golden_answer(ImageId image) override {
    return torch_call([&] { return floats(answer_of(image)); });
  }

  bool stored(ImageId image, std::size_t memory, CodewordBit bit, Cycle cycle) override {
    TS_CHECK(cells_ != nullptr, "a study with memories");
    return torch_call([&] {
      return cells_->contents().cells(tape_of(image), memory, bit.codeword, cycle).test(bit.bit);
    });
  }

 private:
  static bool is_interrupted(const RunObserver* observer) {
    return observer != nullptr && observer->is_interrupted();
  }

  /// How many of the jobs, from the first on, may run side by side: those on the mesh whose golden
  /// runs are kept, where a batch gives the bits that each image alone gives.
  std::size_t side_by_side(std::span<const StrikeJob> jobs, const RunObserver* observer) {
    if ((observer != nullptr && observer->looks_on()) || !jobs.front().image) {
      return 1;
    }
    tape_of(*jobs.front().image);
    if (tapes_.block() < 2) {
      return 1;
    }
    const auto first_other = std::ranges::find_if_not(jobs, [this](const StrikeJob& job) {
      return job.image && !job.strike.registers.empty() && tapes_.holds(*job.image);
    });
    return static_cast<std::size_t>(first_other - jobs.begin());
  }

  void strike_side_by_side(std::span<const StrikeJob> jobs, std::vector<JobResult>& results) {
    const std::size_t first = results.size();
    results.resize(first + jobs.size());
    WaitingTrials trials(mesh_->guard(), *judge_, [&](std::size_t number, TrialResult result) {
      results[first + number].images.push_back(std::move(result));
      set_score(*judge_, results[first + number]);
    });
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const ImageId image = *jobs[i].image;
      trials.add(i,
                 std::make_unique<TrialRun>(load_.network, *mapping_, tape_of(image), nullptr,
                                            image, differential_.get()),
                 mesh_->path(jobs[i].strike.registers));
    }
    trials.finish();
  }

  /// Nothing where the observer said is_interrupted().
  std::optional<JobResult> result_of(const StrikeJob& job, RunObserver* observer) {
    TS_CHECK(job.strike.words.empty(), "words of tensors are struck where there is no accelerator");
    TS_CHECK(job.strike.registers.empty() || job.strike.cells.empty(),
             "a job strikes the mesh or memories");
    JobResult result;
    if (job.image) {
      result.images.push_back(run(job, *job.image, observer));
      if (result.images.front().outlives) {
        result.later = later_inferences({job.strike.cells, job.scrub_phases});
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
    if (job.strike.cells.empty()) {
      return mesh_->run(tape_of(image), job.strike.registers, observer, image);
    }
    TS_CHECK(cells_ != nullptr, "a study with memories");
    return cells_->run(tape_of(image), {job.strike.cells, job.scrub_phases}, observer, image);
  }

  std::vector<TrialResult> later_inferences(const CellStrike& strike) {
    const std::vector<CellFault> left = cells_->left_for_later(strike);
    const ScrubPhases none(facts_.memories.size());
    std::vector<TrialResult> results;
    for (ImageId image(0); image.value < facts_.images; ++image.value) {
      results.push_back(cells_->run(tape_of(image), {left, none}, nullptr, image));
    }
    return results;
  }

  void find_memories(const AcceleratorConfig& accelerator) {
    const Placement& placement = cells_->residency().placement();
    const auto answer = static_cast<std::size_t>(load_.network.output.value);
    const InferenceContents contents =
        contents_of(mapping_->schedule(), std::vector<std::string>(load_.network.layers.size()),
                    mapping_->work().tensor_of[answer]);
    for (std::size_t i = 0; i < accelerator.memory.size(); ++i) {
      const auto& [name, memory] = accelerator.memory[i];
      const CodewordsInUse in_use =
          codewords_in_use(contents.memories[i], contents.period, placement.codeword_bytes(i));
      facts_.memories.push_back(
          {name, memory, placement.used_codewords(i), in_use.resident, in_use.renewed});
    }
  }

  at::Tensor answer_of(ImageId id) {
    return tape_of(id).values[static_cast<std::size_t>(load_.network.output.value)].toTensor();
  }

  /// Kept until another is asked for.
  const dnn::Tape& tape_of(ImageId id) { return tapes_.of(id); }

  Workload load_;
  dnn::Executor executor_;
  GoldenTapes tapes_;
  std::unique_ptr<Mapping> mapping_;
  std::unique_ptr<Judge> judge_;
  std::unique_ptr<dnn::Differential> differential_;  // null: every layer is computed whole
  std::unique_ptr<MeshTrials> mesh_;
  std::unique_ptr<MemoryTrials> cells_;  // where there are memories
};

}  // namespace

std::unique_ptr<Study> Study::open(const StudyInputs& inputs) {
  return torch_call([&]() -> std::unique_ptr<Study> {
    if (inputs.strikes_tensors) {
      return open_tensor_study(inputs);
    }
    if (inputs.accelerator.has_core) {
      return open_core_study(inputs);
    }
    return std::make_unique<MeshStudy>(inputs);
  });
}

}  // namespace tilestrike::bridge

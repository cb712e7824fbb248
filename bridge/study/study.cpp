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
#include "bridge/study/golden_tapes.h"
#include "bridge/study/judging.h"
#include "bridge/study/tensor_study.h"
#include "bridge/study/torch_call.h"
#include "bridge/study/workload.h"
#include "bridge/trial/memory_trials.h"
#include "bridge/trial/mesh_trials.h"

namespace tilestrike::bridge {
namespace {

constexpr std::int64_t kTapeBytes = std::int64_t{512} << 20;
constexpr std::int64_t kBatch = 50;  // images at a time of the golden pass over all images

class MeshStudy final : public Study {
 public:
  explicit MeshStudy(const StudyInputs& inputs)
      : Study(inputs.accelerator.mesh),
        load_(load_workload(inputs, true)),
        executor_(load_.network),
        tapes_(executor_, load_.inputs, kTapeBytes) {
    check_takes_one_image(load_.network, inputs.model);
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
    GoldenRun golden = run_golden(load_, executor_, kBatch);
    facts_.golden = std::move(golden.report);
    judge_golden(*judge_, golden.answers, facts_);
  }

  std::vector<JobResult> strike(std::span<const StrikeJob> jobs, RunObserver* observer) override {
    return torch_call([&] {
      std::vector<JobResult> results;
      for (const StrikeJob& job : jobs) {
        if (!results.empty() && is_interrupted(observer)) {
          break;
        }
        std::optional<JobResult> result = result_of(job, observer);
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
    return std::make_unique<MeshStudy>(inputs);
  });
}

}  // namespace tilestrike::bridge

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
#include "bridge/study/tensor_study.h"
#include "bridge/study/torch_call.h"
#include "bridge/study/workload.h"
#include "bridge/trial/memory_trials.h"
#include "bridge/trial/mesh_trials.h"

namespace tilestrike::bridge {
namespace {

constexpr std::int64_t kBatch = 50;  // images at a time of the golden pass over all images

class MeshStudy final : public Study {
 public:
  explicit MeshStudy(const StudyInputs& inputs)
      : load_(load_workload(inputs, true)),
        executor_(load_.network),
        sites_(inputs.accelerator.mesh),
        judge_(Judge::make(inputs.judge)) {
    hashes_ = hashes_of(load_, inputs.model);
    mapping_ = std::make_unique<Mapping>(load_.network, tape_of(ImageId(0)), inputs.accelerator);
    mesh_ = std::make_unique<MeshTrials>(load_.network, *mapping_, inputs.engines, inputs.engine,
                                         *judge_);
    if (mapping_->schedule().memory() != nullptr) {
      cells_ = std::make_unique<MemoryTrials>(load_.network, *mapping_,
                                              inputs.engines.at(inputs.engine), *judge_);
      find_memories(inputs.accelerator);
    }
    layers_ = summarise(load_.network, tape_of(ImageId(0)), mapping_.get());
    golden_ = run_golden(load_, executor_, kBatch).report;
  }

  const GoldenReport& golden() const override { return golden_; }
  const std::vector<LayerSummary>& layers() const override { return layers_; }
  const sim::MeshSites& sites() const override { return sites_; }
  std::int64_t images() const override { return load_.images(); }
  Cycle cycles_per_inference() const override {
    return mapping_->schedule().cycles_per_inference();
  }
  std::vector<std::pair<std::string, std::string>> hashes() const override { return hashes_; }

  std::vector<float> golden_logits(ImageId image) override {
    return torch_call([&] {
      return floats(
          tape_of(image).values[static_cast<std::size_t>(load_.network.output.value)].toTensor());
    });
  }

  std::int64_t label(ImageId image) const override { return load_.label(image); }

  TrialResult strike(ImageId image, std::span<const RegisterFault> faults,
                     RunObserver* observer) override {
    TS_CHECK(image.value >= 0 && image.value < images(), "an image of the study");
    return torch_call([&] { return mesh_->run(tape_of(image), faults, observer); });
  }

  const std::vector<StudyMemory>& memories() const override { return memories_; }

  TrialResult strike_cells(ImageId image, const CellStrike& strike,
                           RunObserver* observer) override {
    TS_CHECK(image.value >= 0 && image.value < images(), "an image of the study");
    TS_CHECK(cells_ != nullptr, "a study with memories");
    return torch_call([&] { return cells_->run(tape_of(image), strike, observer); });
  }

  bool stored(ImageId image, std::size_t memory, sim::CodewordBit bit, Cycle cycle) override {
    TS_CHECK(image.value >= 0 && image.value < images(), "an image of the study");
    TS_CHECK(cells_ != nullptr, "a study with memories");
    return torch_call([&] {
      return cells_->contents().cells(tape_of(image), memory, bit.codeword, cycle).test(bit.bit);
    });
  }

  std::vector<TrialResult> later_inferences(const CellStrike& strike) override {
    TS_CHECK(cells_ != nullptr, "a study with memories");
    const std::vector<CellFault> left = torch_call([&] { return cells_->left_for_later(strike); });
    const ScrubPhases none(memories_.size());
    std::vector<TrialResult> results;
    for (std::int64_t image = 0; image < images(); ++image) {
      results.push_back(strike_cells(ImageId(image), {left, none}, nullptr));
    }
    return results;
  }

 private:
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
      memories_.push_back(
          {name, memory, placement.used_codewords(i), in_use.resident, in_use.renewed});
    }
  }

  dnn::Inputs image(ImageId id) const { return load_.inputs.narrow(id.value, 1); }

  // The golden run of one image, kept until another is asked for.
  const dnn::Tape& tape_of(ImageId id) {
    if (!tape_ || tape_image_ != id) {
      tape_ = executor_.record(image(id));
      tape_image_ = id;
    }
    return *tape_;
  }

  Workload load_;
  dnn::Executor executor_;
  sim::MeshSites sites_;
  std::vector<std::pair<std::string, std::string>> hashes_;
  std::unique_ptr<Mapping> mapping_;
  std::unique_ptr<Judge> judge_;
  std::unique_ptr<MeshTrials> mesh_;
  std::unique_ptr<MemoryTrials> cells_;  // where there are memories
  std::vector<StudyMemory> memories_;
  std::vector<LayerSummary> layers_;
  GoldenReport golden_;
  std::optional<dnn::Tape> tape_;
  ImageId tape_image_;
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

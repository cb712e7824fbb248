// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A study: one network on one accelerator with one set of images, ready to be struck. What runs
// trials is seen through this header; no LibTorch and no SystemC in it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "base/ids.h"
#include "base/input_files.h"
#include "base/number_format.h"
#include "base/tensor_store.h"
#include "bridge/accelerator/accelerator.h"
#include "bridge/trial/run_observer.h"
#include "bridge/words/judge_config.h"
#include "bridge/words/layer_summary.h"
#include "bridge/words/network_source.h"
#include "bridge/words/strike_job.h"
#include "bridge/words/study_facts.h"
#include "bridge/words/trial_result.h"
#include "sim/mesh/engine_set.h"

namespace tilestrike::bridge {

inline constexpr std::int64_t kGoldenBytes = std::int64_t{1} << 30;

struct StudyInputs : NetworkSource {
  AcceleratorConfig accelerator;
  bool has_accelerator = true;
  bool strikes_tensors = false;  // the words of tensors, not the registers of the mesh
  NumberFormat format = NumberFormat::integer(8);  // in which tensors are stored
  std::int64_t batch = 1;       // images of one inference; of strikes on tensors 0: as many as suit
  bool is_batch_shared = true;  // by several trials; no: each has one to itself
  JudgeConfig judge;
  bool is_differential = true;               // false: layers that read a change are computed whole
  std::int64_t memory_bytes = kGoldenBytes;  // that golden runs kept at one time may hold
  bool is_fixed_order = false;               // sums of float32 numbers in an order of our own
  sim::EngineSet engines;
  std::string engine;  // one of them
};

class Study {
 public:
  /// Imports, quantises, schedules and runs the golden inference of the first images twice.
  /// Throws Failure for anything that is wrong with the inputs.
  static std::unique_ptr<Study> open(const StudyInputs& inputs);
  virtual ~Study() = default;

  const StudyFacts& facts() const { return facts_; }

  /// Computes jobs that do not depend on one another: one result each, in order. Cycles count from
  /// the start of the struck inference, 0 .. facts().cycles - 1 (a stuck-at for ever reaches
  /// beyond). Jobs on one image in a row share its golden run; jobs on activations share batches.
  /// `observer` may be null. Where it says is_interrupted(), the last result is that of the job
  /// before.
  virtual std::vector<JobResult> strike(std::span<const StrikeJob> jobs,
                                        RunObserver* observer = nullptr) = 0;

  /// The images of the jobs to come, in their order: what can be computed for several at once is.
  virtual void expect(std::vector<ImageId> /*images*/) {}

  virtual std::vector<float> golden_answer(ImageId image) = 0;

  /// What a cell of a memory holds just after the clock edge of `cycle` in a fault-free inference
  /// of the image; the one before it is taken to be of the same image.
  virtual bool stored(ImageId image, std::size_t memory, CodewordBit bit, Cycle cycle) = 0;

 protected:
  explicit Study(const sim::MeshConfig& mesh) : facts_(mesh) {}
  StudyFacts facts_;
};

/// Torch-free face of plain inference, for `tilestrike infer`.
struct InferInputs : NetworkSource {
  std::string out, dump;
  std::string expect;  // .npy of the logits that the original gives; empty: not compared
  JudgeConfig judge;   // whose metric is told where there are labels
  bool int8 = false;
  /// Not empty: every tile runs through this engine on this accelerator, one image at a time, and
  /// every accumulator is compared with the bulk path's ("all tiles" mode; needs int8).
  std::string engine;
  sim::EngineSet engines;  // that it is one of
  std::optional<AcceleratorConfig> accelerator;
};
/// The spikes of a layer of an integer spiking network beside those of the float one, over all
/// images and ticks.
struct ImportError {
  std::string layer;
  std::int64_t places = 0;  // neurons x images x ticks
  std::int64_t float_spikes = 0, integer_spikes = 0, different = 0;
};
struct InferReport {
  std::int64_t images = 0;
  Metric metric;  // of the task; without a name: nothing was measured
  std::optional<double> score;
  double seconds = 0.0;
  std::string device;
  std::vector<std::string> warnings;
  // Compared with InferInputs::expect: logits whose bits differ, of how many, and the largest
  // difference relative to the largest expected magnitude (infinite: one of the two is no number).
  std::int64_t different_logits = 0, compared_logits = 0;
  double largest_difference = 0.0;
  std::vector<ImportError> import_errors;  // of an integer spiking network, by layer that fires
  // All tiles mode only:
  std::int64_t passes = 0;
  std::int64_t accumulators = 0, different_accumulators = 0;
  std::int64_t different_outputs = 0;  // of the network
};
/// Plain inference; logits go to `out` (.npy), a dump of the first kDumpedImages images to `dump`.
inline constexpr std::int64_t kDumpedImages = 16;
InferReport infer(const InferInputs& inputs);

/// The layers of a model: of the float network; with an accelerator, those of the integer network,
/// whose scales come from one made-up image and are not shown. Only a TorchScript file needs
/// images, for it does not say what shape they have.
std::vector<LayerSummary> inspect(const NetworkSource& source,
                                  const std::optional<AcceleratorConfig>& accelerator);

struct TensorList {
  std::vector<TensorStore> stores;       // that can be struck
  std::vector<UnstruckTensor> unstruck;  // stored beside them
};
/// The tensors of a model where it is stored in `format`; int8: those of the integer network.
/// Images as for inspect().
TensorList inspect_tensors(const NetworkSource& source, const NumberFormat& format);

struct OperatorSummary {
  std::string name, help, quantised;
};
std::vector<OperatorSummary> list_operators();

}  // namespace tilestrike::bridge

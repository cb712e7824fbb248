// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A study: one network on one accelerator with one set of images, ready to be struck. This is all
// that campaigns/ sees of tensors and hardware; no LibTorch and no SystemC in this header.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/fault.h"
#include "base/ids.h"
#include "base/input_files.h"
#include "base/number_format.h"
#include "base/outcome.h"
#include "base/tensor_store.h"
#include "bridge/accelerator/accelerator.h"
#include "bridge/trial/run_observer.h"
#include "bridge/words/cell_strike.h"
#include "bridge/words/layer_summary.h"
#include "bridge/words/network_source.h"
#include "bridge/words/trial_result.h"
#include "sim/memory/array_geometry.h"
#include "sim/memory/memory_config.h"
#include "sim/mesh/engine_set.h"
#include "sim/mesh/mesh_sites.h"

namespace tilestrike::bridge {

struct StudyInputs : NetworkSource {
  AcceleratorConfig accelerator;
  bool has_accelerator = true;
  bool strikes_tensors = false;  // the words of tensors, not the registers of the mesh
  NumberFormat format = NumberFormat::integer(8);  // in which tensors are stored
  std::int64_t batch = 1;                          // images of one inference
  JudgeKind judge = JudgeKind::kTopK;
  sim::EngineSet engines;
  std::string engine;  // one of them
};

struct GoldenReport {
  std::int64_t images = 0;
  double accuracy = -1.0;  // of the integer network on the images in use; -1: no labels
  double milliseconds_per_image = 0.0;
  std::string device;
  std::vector<std::string> warnings;  // calibration on evaluation images, what stays in float, ...
};

class Study {
 public:
  /// Imports, quantises, schedules and runs the golden inference of the first images twice.
  /// Throws Failure for anything that is wrong with the inputs.
  static std::unique_ptr<Study> open(const StudyInputs& inputs);
  virtual ~Study() = default;

  virtual const GoldenReport& golden() const = 0;
  virtual const std::vector<LayerSummary>& layers() const = 0;
  /// Of the mesh; none where tensors are struck.
  virtual const sim::MeshSites& sites() const = 0;
  virtual std::int64_t images() const = 0;
  /// Clock cycles of one inference, idle time until the next included: the strike's time is uniform
  /// over them.
  virtual Cycle cycles_per_inference() const = 0;
  /// Hashes of model and images (keys "model", "images", "calibrate"), for a results file's
  /// identity.
  virtual std::vector<std::pair<std::string, std::string>> hashes() const = 0;

  virtual std::vector<float> golden_logits(ImageId image) = 0;
  virtual std::int64_t label(ImageId image) const = 0;  // -1: the images have no labels

  /// Faults that act within one inference; cycles count from its start, 0 ..
  /// cycles_per_inference()-1 (a stuck-at for ever reaches beyond). Calls for one image in a row
  /// share its golden run. No random faults: the caller draws them as a flip or as nothing.
  /// `observer` may be null, as everywhere below.
  virtual TrialResult strike(ImageId image, std::span<const RegisterFault> faults,
                             RunObserver* observer = nullptr) = 0;

  /// Memories whose cells can be struck, in the order of the accelerator's file; none where it has
  /// none.
  virtual const std::vector<StudyMemory>& memories() const {
    static const std::vector<StudyMemory> none;
    return none;
  }
  /// What a strike on cells does to the inference of an image, and what the scrubbers find of it
  /// until it is gone (docs/memory_schedule.md, "Scrubbers").
  virtual TrialResult strike_cells(ImageId image, const CellStrike& strike,
                                   RunObserver* observer = nullptr) {
    (void)image, (void)strike, (void)observer;
    TS_CHECK(false, "a study without memories");
  }
  /// What a cell holds just after the clock edge of `cycle` in a fault-free inference of the image;
  /// the one before it is taken to be of the same image.
  virtual bool stored(ImageId image, std::size_t memory, sim::CodewordBit bit, Cycle cycle) {
    (void)image, (void)memory, (void)bit, (void)cycle;
    TS_CHECK(false, "a study without memories");
  }
  /// What is left of the same strike does to an inference of each image in use that comes after the
  /// struck one and a visit of the scrubber, and before the contents are renewed. What scrubbers
  /// find does not count: it counts once, in strike_cells().
  virtual std::vector<TrialResult> later_inferences(const CellStrike& strike) {
    (void)strike;
    TS_CHECK(false, "a study without memories");
  }

  /// Tensors whose words can be struck; none where the mesh is.
  virtual const std::vector<TensorStore>& stores() const {
    static const std::vector<TensorStore> none;
    return none;
  }
  /// Images of one inference. Results depend on it in the last bits of floating point.
  virtual std::int64_t batch() const { return 1; }
  /// Faults on constants, judged on all images: one result each. Sorted by store and word, no word
  /// twice. Undone before it returns. Only where there are stores, as the next one.
  virtual std::vector<TrialResult> strike_constants(std::span<const WordFault> faults,
                                                    RunObserver* observer = nullptr) {
    (void)faults, (void)observer;
    TS_CHECK(false, "a study of the mesh has no stores");
  }
  /// Inferences with faults on their activations, several in a batch where their images allow it:
  /// one result each, which does not depend on the others.
  virtual std::vector<TrialResult> strike_activations(std::span<const WordStrike> strikes,
                                                      RunObserver* observer = nullptr) {
    (void)strikes, (void)observer;
    TS_CHECK(false, "a study of the mesh has no stores");
  }
};

/// Torch-free face of plain inference, for `tilestrike infer`.
struct InferInputs : NetworkSource {
  std::string out, dump;
  std::string expect;  // .npy of the logits that the original gives; empty: not compared
  bool int8 = false;
  /// Not empty: every tile runs through this engine on this accelerator, one image at a time, and
  /// every accumulator is compared with the bulk path's ("all tiles" mode; needs int8).
  std::string engine;
  sim::EngineSet engines;  // that it is one of
  std::optional<AcceleratorConfig> accelerator;
};
struct InferReport {
  std::int64_t images = 0;
  double accuracy = -1.0;
  double seconds = 0.0;
  std::string device;
  std::vector<std::string> warnings;
  // Compared with InferInputs::expect: logits whose bits differ, of how many, and the largest
  // difference relative to the largest expected magnitude (infinite: one of the two is no number).
  std::int64_t different_logits = 0, compared_logits = 0;
  double largest_difference = 0.0;
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

/// The tensors of a model that can be struck where it is stored in `format`; int8: those of the
/// integer network. Images as for inspect().
std::vector<TensorStore> inspect_tensors(const NetworkSource& source, const NumberFormat& format);

struct OperatorSummary {
  std::string name, help, quantised;
};
std::vector<OperatorSummary> list_operators();

}  // namespace tilestrike::bridge

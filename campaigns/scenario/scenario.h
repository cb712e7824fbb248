// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A scenario: one network, its data, one accelerator, one kind of strike, and how many trials
// (README.md). One field table reads it, checks it, writes it expanded and documents it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "base/field_table.h"
#include "base/input_files.h"
#include "bridge/study/study.h"
#include "campaigns/scenario/strike.h"
#include "campaigns/statistics/rates.h"
#include "sim/mesh/engine_set.h"

namespace tilestrike::campaigns {

struct DataConfig {
  InputFiles images;     // absolute paths or data sets; the zoo's test images by default
  std::string labels;    // may be empty
  InputFiles calibrate;  // images that fix the int8 scales; empty: `images`
  std::int64_t calibrate_use = bridge::kCalibrationImages;  // at most so many of them; 0: all
  std::int64_t use = 0;  // the first so many images are struck and judged; 0: all
};

/// How many trials: a number, or every member of the population once.
struct TrialCount {
  std::int64_t number = 1000;  // meaningless when exhaustive
  bool is_exhaustive = false;
};

/// Stop by precision: when the interval of the rate of `of` is narrow enough.
struct Until {
  double relative = 0.0;    // half-width over the rate; 0: not asked
  double half_width = 0.0;  // absolute; 0: not asked
  double confidence = 0.95;
  std::vector<Rate> of{Rate::kSdc};  // all of these are to be so precise
};

/// In place of a model: no network, but passes of the mesh with made-up operands.
inline constexpr std::string_view kNoModel = "none";

struct Scenario {
  std::string model;  // a zoo name, an absolute path, or kNoModel
  DataConfig data;
  Value spiking;       // of a .nir model: keys over those of its side file; null: none
  std::string output;  // which of several outputs is the answer; empty: there is one
  bridge::AcceleratorConfig accelerator;
  bool has_accelerator = true;
  std::string format = "auto";  // a number format; auto: int8 with an accelerator, else float32
  bool is_fixed_order = false;  // sums of float32 numbers in an order of our own, not PyTorch's
  std::int64_t batch = 0;       // images of one inference; 0: 1 on the mesh, else 32
  bridge::JudgeConfig judge;
  bool keeps_outcomes = true;  // a row per image that a lasting fault changed
  StrikeConfig strike;
  TrialCount trials;
  std::optional<Until> until;
  std::int64_t seed = 1;
  std::string device = "auto";
  bool is_differential = true;
  std::int64_t memory_bytes = bridge::kGoldenBytes;
  std::string engine = "systemc";
  double audit = 0.0;  // share of the trials that all other engines compute, too

  NumberFormat number_format() const;
  double confidence() const { return until ? until->confidence : 0.95; }
};

/// `engines`: that `engine` may name.
FieldTable<Scenario> scenario_fields(const sim::EngineSet& engines);

/// Whether bits of neuromorphic cores are struck.
bool strikes_cores(const Scenario& scenario);

/// Reads and checks `document` as a whole; every problem goes to `errors` with its place. Names and
/// paths become what the expanded form holds, defaults that depend on other keys are filled in.
/// `later`: addresses that settings and sweeps give a value afterwards; they are not missed here.
Scenario read_scenario(Value document, const sim::EngineSet& engines, ErrorList& errors,
                       const std::vector<std::string>& later = {});

/// The expanded form: reading it gives the same scenario, wherever it stands.
Value expanded(const Scenario& scenario);

/// What a study needs of a scenario. Throws Failure where it has no network.
bridge::StudyInputs study_inputs(const Scenario& scenario, const sim::EngineSet& engines);

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// `tilestrike infer`: plain inference of an imported network.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/yaml.h"
#include "bridge/study/study.h"
#include "campaigns/cli/commands.h"
#include "campaigns/scenario/judge_fields.h"
#include "campaigns/scenario/library.h"

namespace tilestrike::campaigns::cli {
namespace {

struct InferArguments {
  bridge::InferInputs inputs;
  std::vector<std::string> images, calibrate;
  std::string accelerator, judge;
  double tolerance = 0.0;
  bool is_json = false;
};

bool agrees(const bridge::InferReport& report, double tolerance) {
  return tolerance > 0.0 ? report.largest_difference <= tolerance : report.different_logits == 0;
}

nlohmann::ordered_json json_of(const bridge::InferReport& report, bool has_tiles) {
  nlohmann::ordered_json json;
  json["images"] = report.images;
  const bool is_accuracy = report.metric.name == bridge::kTop1Accuracy && report.score;
  json["accuracy"] = is_accuracy ? nlohmann::ordered_json(*report.score) : nlohmann::ordered_json();
  json["metric"] =
      report.score ? nlohmann::ordered_json(report.metric.name) : nlohmann::ordered_json();
  json["score"] = report.score ? nlohmann::ordered_json(*report.score) : nlohmann::ordered_json();
  json["seconds"] = report.seconds;
  json["device"] = report.device;
  if (has_tiles) {
    json["passes"] = report.passes;
    json["accumulators"] = report.accumulators;
    json["different_accumulators"] = report.different_accumulators;
    json["different_outputs"] = report.different_outputs;
  }
  if (report.compared_logits > 0) {
    json["compared_logits"] = report.compared_logits;
    json["different_logits"] = report.different_logits;
    json["largest_relative_difference"] = report.largest_difference;
  }
  json["warnings"] = report.warnings;
  return json;
}

std::string text_of(const bridge::InferReport& report, const bridge::InferInputs& inputs) {
  std::string text =
      fmt::format("{} images in {:.3g} s on {}\n", report.images, report.seconds, report.device);
  if (report.score) {
    text += report.metric.is_share ? fmt::format("{}: {:.2f} % of {} images\n", report.metric.name,
                                                 100.0 * *report.score, report.images)
                                   : fmt::format("{}: {:.6g} on {} images\n", report.metric.name,
                                                 *report.score, report.images);
  }
  if (!inputs.engine.empty()) {
    text += fmt::format(
        "all tiles through {}: {} passes; {} of {} accumulators and {} outputs "
        "differ from the bulk path\n",
        inputs.engine, report.passes, report.different_accumulators, report.accumulators,
        report.different_outputs);
  }
  if (report.compared_logits > 0) {
    text += fmt::format(
        "{} of {} logits differ from those expected, by at most {:.3g} of the largest of them\n",
        report.different_logits, report.compared_logits, report.largest_difference);
  }
  for (const std::string& warning : report.warnings) {
    text += "warning: " + warning + "\n";
  }
  if (!inputs.out.empty()) {
    text += "logits: " + inputs.out + "\n";
  }
  if (!inputs.dump.empty()) {
    text += "dump: " + inputs.dump + "\n";
  }
  return text;
}

int run(const InferArguments& arguments, const sim::EngineSet& engines) {
  bridge::InferInputs inputs = arguments.inputs;
  bool is_zoo = false;
  inputs.model = model_path(inputs.model, &is_zoo);
  inputs.images = files_of_flag(arguments.images);
  inputs.calibrate = files_of_flag(arguments.calibrate);
  if (inputs.images.empty()) {
    if (!is_zoo) {
      fail(ErrorCode::kInvalidInput, "a model of your own needs images", "--images",
           "add --images FILE.npy");
    }
    const ZooData own = zoo_data(inputs.model);
    inputs.images = own.images;
    if (inputs.labels.empty() && !arguments.judge.empty()) {
      inputs.labels = own.labels;
    }
    if (inputs.int8 && inputs.calibrate.empty()) {
      inputs.calibrate = own.calibrate;
    }
  }
  if (!inputs.calibrate.empty() && !inputs.int8) {
    fail(ErrorCode::kInvalidInput, "calibration fixes int8 scales", "--calibrate",
         "add --int8, or leave it out");
  }
  if (!arguments.judge.empty()) {
    ErrorList errors;
    inputs.judge = read_judge(parse_yaml(arguments.judge, "--judge"), "judge", errors);
    errors.throw_if_any();
  }
  if (!arguments.accelerator.empty()) {
    inputs.accelerator = accelerator_of_flag(arguments.accelerator);
  }
  inputs.engines = engines;
  const bridge::InferReport report = bridge::infer(inputs);
  const bool has_tiles = !inputs.engine.empty();
  print(arguments.is_json ? json_of(report, has_tiles).dump(2) + "\n" : text_of(report, inputs));
  const bool agrees_with_expected = inputs.expect.empty() || agrees(report, arguments.tolerance);
  return report.different_accumulators + report.different_outputs == 0 && agrees_with_expected ? 0
                                                                                               : 1;
}

}  // namespace

Command infer_command(const sim::EngineSet& engines) {
  const auto arguments = std::make_shared<InferArguments>();
  bridge::InferInputs& inputs = arguments->inputs;
  return {
      .name = "infer",
      .about = "Plain inference of an imported network",
      .options =
          {{"MODEL",
            &inputs.model,
            "Path of a .pt2 archive or of a TorchScript file, or a zoo model",
            {.is_required = true}},
           files_option("--images", arguments->images,
                        "Images: .npy, IDX, or a data set; a zoo model has its own, or "
                        "fashion_mnist/test. A model with several inputs takes one each: --images "
                        "NAME=FILE.npy --images "
                        "OTHER=FILE.npy"),
           {"--output", &inputs.output,
            "Which output is the answer, where the model has several: its key in what the model "
            "returns, or its place, from 0 on"},
           {"--labels", &inputs.labels,
            "What the answers should be, for the task's metric: class numbers (N), of pixels "
            "(N, H, W), of tokens (N, T), numbers, or boxes (docs/judges.md)"},
           {"--judge", &arguments->judge,
            "What an answer is, as in a scenario: top_k, binary, segmentation, tokens, regression, "
            "detection, or \"{kind: segmentation, ignore: 255}\" [top_k, where the answer is one "
            "vector of classes]"},
           {"--use", &inputs.use, "Only the first so many images [all]", {.is_not_negative = true}},
           {"--int8", &inputs.int8, "Quantise to int8 first"},
           files_option(
               "--calibrate", arguments->calibrate,
               "With --int8: images that fix the scales, as --images [the images themselves]"),
           {"--calibrate-use",
            &inputs.calibrate_use,
            fmt::format("At most so many of these, spread evenly over them; 0: all [{}]",
                        bridge::kCalibrationImages),
            {.is_not_negative = true, .needs = "--int8"}},
           {"--out", &inputs.out, "Write the logits to this .npy file"},
           {"--expect", &inputs.expect,
            "Logits that the original gives on the same images (.npy): compare; exit code 1 where "
            "they differ. PyTorch's bits depend on its threads and its batch: give it one thread "
            "(OMP_NUM_THREADS=1 here, torch.set_num_threads(1) there) and at most 100 images"},
           {"--tolerance",
            &arguments->tolerance,
            "With --expect: largest difference allowed, relative to the largest expected logit [0: "
            "every bit]",
            {.is_not_negative = true, .needs = "--expect"}},
           {"--dump", &inputs.dump,
            "Write accumulators and outputs of every layer to this folder as .npy "
            "(python/check_dump.py checks them)"},
           {"--device", &inputs.device, "auto, cpu or cuda:N [auto]"},
           {"--engine", &inputs.engine,
            "With --int8 and --accelerator: run every tile through this engine and compare with "
            "the bulk path; exit code 1 where they differ"},
           {"--accelerator", &arguments->accelerator, "Name or YAML file, for --engine"},
           {"--json", &arguments->is_json, "Print JSON"}},
      .run = [arguments, &engines] { return run(*arguments, engines); },
  };
}

}  // namespace tilestrike::campaigns::cli

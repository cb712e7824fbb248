// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// `tilestrike infer`: plain inference of an imported network.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "bridge/study.h"
#include "campaigns/cli/commands.h"
#include "campaigns/library.h"

namespace tilestrike::campaigns::cli {
namespace {

struct InferArguments {
  bridge::InferInputs inputs;
  std::string accelerator;
  bool is_json = false;
};

nlohmann::ordered_json json_of(const bridge::InferReport& report, bool has_tiles) {
  nlohmann::ordered_json json;
  json["images"] = report.images;
  json["accuracy"] =
      report.accuracy < 0.0 ? nlohmann::ordered_json() : nlohmann::ordered_json(report.accuracy);
  json["seconds"] = report.seconds;
  json["device"] = report.device;
  if (has_tiles) {
    json["passes"] = report.passes;
    json["accumulators"] = report.accumulators;
    json["different_accumulators"] = report.different_accumulators;
    json["different_outputs"] = report.different_outputs;
  }
  json["warnings"] = report.warnings;
  return json;
}

std::string text_of(const bridge::InferReport& report, const bridge::InferInputs& inputs) {
  std::string text =
      fmt::format("{} images in {:.3g} s on {}\n", report.images, report.seconds, report.device);
  if (report.accuracy >= 0.0) {
    text += fmt::format("top-1 accuracy: {:.2f} % of {} images\n", 100.0 * report.accuracy,
                        report.images);
  }
  if (!inputs.engine.empty()) {
    text += fmt::format(
        "all tiles through {}: {} passes; {} of {} accumulators and {} outputs "
        "differ from the bulk path\n",
        inputs.engine, report.passes, report.different_accumulators, report.accumulators,
        report.different_outputs);
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

int run(const InferArguments& arguments) {
  bridge::InferInputs inputs = arguments.inputs;
  bool is_zoo = false;
  inputs.model = model_path(inputs.model, &is_zoo);
  if (inputs.images.empty()) {
    if (!is_zoo) {
      fail(ErrorCode::kInvalidInput, "a model of your own needs images", "--images",
           "add --images FILE.npy");
    }
    inputs.images = kZooImages;
    if (inputs.int8 && inputs.calibrate.empty()) {
      inputs.calibrate = kZooCalibration;
    }
  }
  if (!inputs.calibrate.empty() && !inputs.int8) {
    fail(ErrorCode::kInvalidInput, "calibration fixes int8 scales", "--calibrate",
         "add --int8, or leave it out");
  }
  if (!arguments.accelerator.empty()) {
    inputs.accelerator = accelerator_of_flag(arguments.accelerator);
  }
  const bridge::InferReport report = bridge::infer(inputs);
  const bool has_tiles = !inputs.engine.empty();
  print(arguments.is_json ? json_of(report, has_tiles).dump(2) + "\n" : text_of(report, inputs));
  return report.different_accumulators + report.different_outputs == 0 ? 0 : 1;
}

}  // namespace

void add_infer(CLI::App& program, Action& chosen) {
  const auto arguments = std::make_shared<InferArguments>();
  bridge::InferInputs& inputs = arguments->inputs;
  CLI::App* command = program.add_subcommand("infer", "Plain inference of an imported network");
  command->add_option("MODEL", inputs.model, "Path of a .pt2 archive, or a zoo model")->required();
  command->add_option("--images", inputs.images,
                      "Images: .npy, IDX, or a data set; a zoo model has fashion_mnist/test");
  command->add_option("--labels", inputs.labels, "Class numbers, for the accuracy");
  command->add_option("--use", inputs.use, "Only the first so many images [all]")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--int8", inputs.int8, "Quantise to int8 first");
  command->add_option("--calibrate", inputs.calibrate,
                      "With --int8: images that fix the scales [the images themselves]");
  command->add_option("--out", inputs.out, "Write the logits to this .npy file");
  command->add_option("--dump", inputs.dump,
                      "Write accumulators and outputs of every layer to this folder as .npy "
                      "(python/check_dump.py checks them)");
  command->add_option("--device", inputs.device, "auto, cpu or cuda:N [auto]");
  command->add_option("--engine", inputs.engine,
                      "With --int8 and --accelerator: run every tile through this engine and "
                      "compare with the bulk path; exit code 1 where they differ");
  command->add_option("--accelerator", arguments->accelerator, "Name or YAML file, for --engine");
  command->add_flag("--json", arguments->is_json, "Print JSON");
  command->callback([arguments, &chosen] { chosen = [arguments] { return run(*arguments); }; });
}

}  // namespace tilestrike::campaigns::cli

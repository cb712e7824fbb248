// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/cli/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>

#include "base/error.h"
#include "campaigns/cli/commands.h"
#include "campaigns/results/version.h"
#include "campaigns/scenario/library.h"
#include "sim/mesh/engine_library.h"

namespace tilestrike::campaigns::cli {

Campaign load_campaign_of(const CampaignArguments& arguments, const sim::EngineSet& engines) {
  std::vector<Setting> settings;
  for (const std::string& text : arguments.settings) {
    settings.push_back(parse_setting(text, "--set"));
  }
  if (!arguments.trials.empty()) {
    settings.push_back(parse_setting("trials=" + arguments.trials, "--trials"));
  }
  if (!arguments.seed.empty()) {
    settings.push_back(parse_setting("seed=" + arguments.seed, "--seed"));
  }
  return load_campaign(arguments.scenario, engines, settings);
}

std::string table_of(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

void print_error(const std::string& text) {
  std::fprintf(stderr, "tilestrike: error: %s\n", text.c_str());
}

std::string model_path(const std::string& text, bool* zoo) {
  ErrorList errors;
  const auto model = find_model(text, "MODEL", {"", 0, 0}, errors);
  errors.throw_if_any();
  if (zoo != nullptr) {
    *zoo = model->is_zoo;
  }
  return model->path;
}

Option files_option(const std::string& flag, std::vector<std::string>& given,
                    const std::string& help) {
  return {flag, &given, help, {.type_name = "[NAME=]FILE", .words = Words::kOnePerInput}};
}

InputFiles files_of_flag(const std::vector<std::string>& given) {
  std::vector<InputFile> files;
  for (const std::string& text : given) {
    const std::size_t end = text.find('=');
    std::error_code ignored;
    const bool has_name = end != std::string::npos && end > 0 &&
                          !std::filesystem::exists(text, ignored) &&
                          std::ranges::all_of(text.substr(0, end), [](unsigned char letter) {
                            return std::isalnum(letter) != 0 || letter == '_';
                          });
    files.push_back(has_name ? InputFile{text.substr(0, end), text.substr(end + 1)}
                             : InputFile{"", text});
  }
  return InputFiles(std::move(files));
}

namespace {

constexpr int kUsage = 2;
constexpr int kMachine = 3;

std::string version_text() {
  std::string text;
  for (const auto& [name, version] : versions()) {
    text += (text.empty() ? "" : "\n") + name + " " + version;
  }
  return text;
}

Program program_with(const sim::EngineSet& engines, std::vector<std::string>& libraries) {
  return {
      .name = "tilestrike",
      .about =
          "What a hardware fault does to a neural network: strikes cells of memories, registers of "
          "a systolic mesh or words of tensors, simulates the struck tile passes, and judges the "
          "network's answer.",
      .version = version_text(),
      .footer =
          "Exit codes: 0 done; 1 done, and the answer is no; 2 bad input or usage; 3 the "
          "machine failed us; 130 interrupted, and resumable.\n"
          "`tilestrike COMMAND --help` explains a command.",
      .options = {{"--load",
                   &libraries,
                   "Library of engines of one's own, in RTL (docs/own_rtl.md); may be repeated",
                   {.type_name = "FILE", .words = Words::kOneEachTime}}},
      .commands = {run_command(engines), replay_command(engines), infer_command(engines),
                   inspect_command(), list_command(engines), locate_command(),
                   compare_command(engines), correlate_command(engines, libraries)},
  };
}

int parse_and_run(int argc, char** argv, sim::EngineSet& engines) {
  std::vector<std::string> libraries;
  const Program program = program_with(engines, libraries);
  const Parsed parsed = parse(program, argc, argv);
  if (!parsed.error.empty()) {
    print_error(parsed.error);
    return kUsage;
  }
  if (parsed.command == nullptr) {
    return 0;
  }
  for (const std::string& library : libraries) {
    sim::load_engines(library, engines);
  }
  return parsed.command->run();
}

}  // namespace

int run_program(int argc, char** argv, sim::EngineSet engines) {
  try {
    return parse_and_run(argc, argv, engines);
  } catch (const Failure& failure) {
    for (const Error& error : failure.errors()) {
      print_error(error.text());
    }
    return failure.exit_code();
  } catch (const std::bad_alloc&) {
    print_error("not enough memory; use fewer images (data.use) or a machine with more");
  } catch (const std::exception& error) {
    print_error(error.what());
  }
  return kMachine;
}

}  // namespace tilestrike::campaigns::cli

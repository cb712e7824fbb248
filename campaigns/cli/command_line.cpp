// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <type_traits>

namespace tilestrike::campaigns::cli {
namespace {

/// Checks a whole number. (CLI11's own check names the largest double there is.)
CLI::Validator not_negative() {
  return {[](std::string& text) {
            return !text.empty() && text.front() == '-' ? "must be 0 or more, and is " + text : "";
          },
          "NONNEGATIVE"};
}

CLI::Option* added(CLI::App& app, const Option& option) {
  return std::visit(
      [&](auto* value) {
        if constexpr (std::is_same_v<decltype(value), bool*>) {
          return app.add_flag(option.name, *value, option.help);
        } else {
          return app.add_option(option.name, *value, option.help);
        }
      },
      option.target);
}

void set_words(CLI::Option& added, Words words) {
  switch (words) {
    case Words::kSeveral:
      return;
    case Words::kOneEachTime:
      added.allow_extra_args(false);
      return;
    case Words::kOnePerInput:
      added.expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      return;
  }
}

void apply(const OptionRules& rules, CLI::Option& added) {
  added.required(rules.is_required);
  if (!rules.type_name.empty()) {
    added.type_name(rules.type_name);
  }
  if (rules.is_not_negative) {
    added.check(not_negative());
  }
  if (!rules.one_of.empty()) {
    added.check(CLI::IsMember(rules.one_of));
  }
  if (rules.between) {
    added.check(CLI::Range(rules.between->first, rules.between->second));
  }
  if (rules.delimiter) {
    added.delimiter(*rules.delimiter);
  }
  set_words(added, rules.words);
}

void add_options(CLI::App& app, const std::vector<Option>& options) {
  for (const Option& option : options) {
    CLI::Option* const one = added(app, option);
    apply(option.rules, *one);
    if (!option.rules.needs.empty()) {
      one->needs(app.get_option(option.rules.needs));
    }
  }
}

void add_command(CLI::App& program, const Command& command) {
  CLI::App* const app = program.add_subcommand(command.name, command.about);
  app->fallthrough();  // the program's options may come after the command
  add_options(*app, command.options);
  if (!command.footer.empty()) {
    app->footer(command.footer);
  }
  if (command.explanation) {
    app->footer(command.explanation);
  }
}

}  // namespace

Parsed parse(const Program& program, int argc, const char* const* argv) {
  CLI::App app(program.about, program.name);
  app.require_subcommand(1);
  app.set_version_flag("--version", program.version);
  app.footer(program.footer);
  add_options(app, program.options);
  for (const Command& command : program.commands) {
    add_command(app, command);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      app.exit(error);  // prints help or version
      return {};
    }
    std::string name = program.name;
    for (const CLI::App* used : app.get_subcommands()) {
      name += " " + used->get_name();
    }
    return {nullptr, std::string(error.what()) + "; see `" + name + " --help`"};
  }
  const std::string name = app.get_subcommands().front()->get_name();
  return {&*std::ranges::find(program.commands, name, &Command::name), ""};
}

}  // namespace tilestrike::campaigns::cli

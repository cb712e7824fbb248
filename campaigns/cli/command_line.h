// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a command line may hold, as data: commands, their options and flags, and where the values
// go. command_line.cpp alone knows the library that reads them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tilestrike::campaigns::cli {

/// Where a value goes; the type says what is accepted. A bool is a flag, which takes no value.
using Target =
    std::variant<bool*, int*, std::int64_t*, double*, std::string*, std::vector<std::string>*,
                 std::optional<int>*, std::optional<std::int64_t>*, std::optional<std::uint64_t>*>;

/// How a list of words is given; an option of one may be repeated.
enum class Words {
  kSeveral,      // one or more each time
  kOneEachTime,  // one each time
  kOnePerInput,  // one each time; help shows it as given once, as most models have one input
};

/// What a value must be beyond its type, and how help calls it.
struct OptionRules {
  bool is_required = false;
  bool is_not_negative = false;
  std::vector<std::string> one_of = {};                   // empty: any
  std::optional<std::pair<double, double>> between = {};  // both ends are allowed
  std::string needs = {};                                 // another option of the command
  std::string type_name = {};                             // empty: that of its type
  Words words = Words::kSeveral;                          // of a list
  std::optional<char> delimiter = {};                     // of a list: parts one word
};

/// An option, or an argument that is known by its place.
struct Option {
  std::string name;  // "--json", or "RESULTS" of an argument
  Target target;     // must outlive the parsing
  std::string help;
  OptionRules rules = {};
};

struct Command {
  std::string name, about;
  std::vector<Option> options;
  std::function<int()> run;                            // gives the exit code
  std::string footer = {};                             // empty: the program's
  std::function<std::string()> explanation = nullptr;  // stands before the footer
};

struct Program {
  std::string name, about, version, footer;
  std::vector<Option> options;  // may stand after the command, too
  std::vector<Command> commands;
};

struct Parsed {
  const Command* command = nullptr;  // of the program; none: its help or version was printed
  std::string error;                 // empty: none
};

/// Fills what the options point to. Prints help and version where they are asked for.
Parsed parse(const Program& program, int argc, const char* const* argv);

}  // namespace tilestrike::campaigns::cli

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// `tilestrike locate`: where a bit lies in an accelerator's memories, asked from either side.
#include "campaigns/locate.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "campaigns/array_picture.h"
#include "campaigns/cli/commands.h"
#include "campaigns/library.h"

namespace tilestrike::campaigns::cli {
namespace {

struct LocateArguments {
  std::string accelerator = std::string(kDefaultAccelerator);
  std::string memory, cell, svg;
  std::optional<std::uint64_t> codeword;
  std::optional<std::int64_t> byte;
  std::optional<int> bit;
  bool is_json = false;
};

/// The cells that are meant, the one that was asked for first.
std::vector<LocatedCell> cells_of(const LocateArguments& arguments,
                                  const sim::MemoryConfig& memory) {
  const int ways =
      (arguments.cell.empty() ? 0 : 1) + (arguments.codeword ? 1 : 0) + (arguments.byte ? 1 : 0);
  if (ways != 1) {
    fail(ErrorCode::kInvalidInput,
         ways == 0 ? "nothing says which bit" : "a bit is named in more than one way",
         "tilestrike locate", "give one of --cell, --codeword and --byte");
  }
  if (!arguments.cell.empty()) {
    return with_neighbours(memory, parse_cell(arguments.cell, sim::ArrayGeometry(memory.array())));
  }
  if (arguments.codeword) {
    return located_codeword(memory, *arguments.codeword, arguments.bit);
  }
  const sim::CodewordBit bit = bit_of_byte(memory, *arguments.byte, arguments.bit.value_or(0));
  return located_codeword(memory, bit.codeword.value, bit.bit);
}

std::string json_of(const std::string& memory, const std::vector<LocatedCell>& cells) {
  auto json = nlohmann::ordered_json::array();
  for (const LocatedCell& cell : cells) {
    nlohmann::ordered_json entry = {
        {"where", cell.where},  {"memory", memory},           {"bank", cell.cell.bank},
        {"row", cell.cell.row}, {"column", cell.cell.column}, {"codeword", cell.bit.codeword.value},
        {"bit", cell.bit.bit},  {"is_check", cell.byte < 0}};
    if (cell.byte >= 0) {
      entry["byte"] = cell.byte;
      entry["bit_of_byte"] = cell.bit_of_byte;
    }
    json.push_back(std::move(entry));
  }
  return json.dump(2) + "\n";
}

int run(const LocateArguments& arguments) {
  const bridge::AcceleratorConfig accelerator = accelerator_of_flag(arguments.accelerator);
  const sim::MemoryConfig& memory = find_memory(accelerator, arguments.memory);
  const std::vector<LocatedCell> cells = cells_of(arguments, memory);
  if (!arguments.svg.empty()) {
    const sim::Cell struck = cells.front().cell;
    draw_array({fmt::format("{} of {}", arguments.memory, accelerator.name), &memory, {&struck, 1}})
        .write(arguments.svg);
  }
  print(arguments.is_json ? json_of(arguments.memory, cells)
                          : cli::table_of(campaigns::table_of(cells)));
  return 0;
}

}  // namespace

void add_locate(CLI::App& program, Action& chosen) {
  const auto arguments = std::make_shared<LocateArguments>();
  CLI::App* command = program.add_subcommand(
      "locate", "Where a bit lies in a memory: cell to codeword, codeword or byte to cell");
  command->add_option("--accelerator", arguments->accelerator,
                      "Whose memories [" + std::string(kDefaultAccelerator) + "]");
  command
      ->add_option("--memory", arguments->memory,
                   "Name of the memory, as `tilestrike list memories` has it")
      ->required();
  command->add_option("--cell", arguments->cell, "A cell: which codeword, and what lies beside it")
      ->type_name("BANK,ROW,COLUMN");
  command->add_option("--codeword", arguments->codeword,
                      "A codeword: the cells of its bits, or of one of them");
  command->add_option("--byte", arguments->byte,
                      "A byte of the memory's data, counted from its start");
  command->add_option("--bit", arguments->bit, "Bit of the codeword, or of the byte [0]");
  command->add_option("--svg", arguments->svg, "Draw the cell and its neighbourhood to this file");
  command->add_flag("--json", arguments->is_json, "Print JSON");
  command->callback([arguments, &chosen] { chosen = [arguments] { return run(*arguments); }; });
}

}  // namespace tilestrike::campaigns::cli

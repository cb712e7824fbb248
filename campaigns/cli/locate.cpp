// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// `tilestrike locate`: where a bit lies in an accelerator's memories, asked from either side; of a
// network what it holds there and when, or where an element of a tensor lies.
#include "campaigns/pictures/locate.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "bridge/accelerator/core_arrays.h"
#include "bridge/study/core_places.h"
#include "bridge/study/network_places.h"
#include "campaigns/cli/commands.h"
#include "campaigns/pictures/array_picture.h"
#include "campaigns/scenario/library.h"

namespace tilestrike::campaigns::cli {
namespace {

constexpr std::size_t kMostToldReads = 12;

using bridge::HeldContent;
using Json = nlohmann::ordered_json;

struct LocateArguments {
  bridge::NetworkSource source;  // no model: the memories alone
  std::vector<std::string> images;
  std::string accelerator = std::string(kDefaultAccelerator);
  std::string memory, cell, tensor, svg;
  std::optional<std::uint64_t> codeword;
  std::optional<std::int64_t> byte, element, cycle;
  std::optional<int> bit;
  bool is_json = false;
};

/// The cells that are meant, the one that was asked for first.
std::vector<LocatedCell> cells_of(const LocateArguments& arguments,
                                  const sim::MemoryConfig& memory) {
  if (!arguments.cell.empty()) {
    return with_neighbours(memory, parse_cell(arguments.cell, sim::ArrayGeometry(memory.array())));
  }
  if (arguments.codeword) {
    return located_codeword(memory, *arguments.codeword, arguments.bit);
  }
  const sim::CodewordBit bit = bit_of_byte(memory, *arguments.byte, arguments.bit.value_or(0));
  return located_codeword(memory, bit.codeword.value, bit.bit);
}

void draw(const LocateArguments& arguments, const sim::MemoryConfig& memory,
          const LocatedCell& struck, const std::string& accelerator) {
  if (!arguments.svg.empty()) {
    draw_array({fmt::format("{} of {}", arguments.memory, accelerator), &memory, {&struck.cell, 1}})
        .write(arguments.svg);
  }
}

void check(const LocateArguments& arguments) {
  const int ways = (arguments.cell.empty() ? 0 : 1) + (arguments.codeword ? 1 : 0) +
                   (arguments.byte ? 1 : 0) + (arguments.tensor.empty() ? 0 : 1);
  const char* command = "tilestrike locate";
  if (ways != 1) {
    fail(ErrorCode::kInvalidInput,
         ways == 0 ? "nothing says which bit" : "a bit is named in more than one way", command,
         "give one of --cell, --codeword, --byte and --tensor");
  }
  if (arguments.tensor.empty() == arguments.memory.empty()) {
    fail(ErrorCode::kInvalidInput,
         arguments.memory.empty() ? "nothing says which memory"
                                  : "a tensor lies where it lies, not in one memory",
         "--memory",
         arguments.memory.empty() ? "add --memory NAME (`tilestrike list memories`)"
                                  : "leave it out");
  }
  if (!arguments.tensor.empty() && !arguments.element) {
    fail(ErrorCode::kInvalidInput, "nothing says which element of the tensor", "--element",
         "add --element NUMBER, in the order of its memory");
  }
  const bool needs_model = !arguments.tensor.empty() || arguments.cycle;
  if (needs_model && arguments.source.model.empty()) {
    fail(ErrorCode::kInvalidInput, "tensors and cycles are those of a network", command,
         "name a MODEL");
  }
}

Json json_of(const std::string& memory, const LocatedCell& cell) {
  Json entry = {{"where", cell.where},        {"memory", memory},
                {"bank", cell.cell.bank},     {"row", cell.cell.row},
                {"column", cell.cell.column}, {"codeword", cell.bit.codeword.value},
                {"bit", cell.bit.bit},        {"is_check", cell.byte < 0}};
  if (cell.byte >= 0) {
    entry["byte"] = cell.byte;
    entry["bit_of_byte"] = cell.bit_of_byte;
  }
  return entry;
}

Json json_of(const HeldContent& held) {
  Json entry = {{"holds", held.kind}};
  if (!held.layer.empty()) {
    entry["layer"] = held.layer;
  }
  if (!held.tensor.empty()) {
    entry["tensor"] = held.tensor;
    entry["element"] = held.element;
    entry["bit_of_element"] = held.bit;
  }
  entry["written"] = held.at_boot ? Json("boot") : Json(held.written);
  entry["until"] = held.stays ? Json("stays") : Json(held.until);
  entry["reads"] = held.reads;
  return entry;
}

const std::vector<std::string> kHeldColumns = {"holds",   "layer", "tensor", "element", "bit",
                                               "written", "until", "reads",  "first",   "last"};

std::vector<std::string> row_of(const HeldContent& held) {
  const bool is_read = !held.reads.empty();
  const bool is_element = !held.tensor.empty();
  return {held.kind,
          held.layer.empty() ? "-" : held.layer,
          is_element ? held.tensor : "-",
          is_element ? std::to_string(held.element) : "-",
          is_element ? std::to_string(held.bit) : "-",
          held.at_boot ? "boot" : std::to_string(held.written),
          held.stays ? "stays" : std::to_string(held.until),
          std::to_string(held.reads.size()),
          is_read ? std::to_string(held.reads.front()) : "-",
          is_read ? std::to_string(held.reads.back()) : "-"};
}

/// What the bit holds just after the edge of a cycle; nothing where nothing was written by then.
std::optional<HeldContent> held_at(const std::vector<HeldContent>& all, Cycle cycle) {
  std::optional<HeldContent> found;
  for (const HeldContent& held : all) {
    if (held.at_boot || held.written <= cycle) {
      found = held;
    }
  }
  return found;
}

std::string told_at(const std::optional<HeldContent>& held, Cycle cycle) {
  if (!held) {
    return fmt::format("\nA strike in cycle {} meets nothing that an inference has written.\n",
                       cycle);
  }
  std::vector<std::string> later;
  std::size_t count = 0;
  for (const Cycle read : held->reads) {
    if (read > cycle && ++count <= kMostToldReads) {
      later.push_back(std::to_string(read));
    }
  }
  const std::string what =
      held->tensor.empty()
          ? held->kind + (held->layer.empty() ? "" : " of " + held->layer)
          : fmt::format("bit {} of element {} of {}", held->bit, held->element, held->tensor);
  if (count == 0) {
    return fmt::format("\nA strike in cycle {} meets {}; nobody reads it any more{}.\n", cycle,
                       what, held->stays ? " in this inference" : "");
  }
  return fmt::format("\nA strike in cycle {} meets {}; {} {} it, in cycle {}{}.\n", cycle, what,
                     count, count == 1 ? "read meets" : "reads meet", join(later, ", "),
                     count > kMostToldReads ? " ..." : "");
}

int print_held(const LocateArguments& arguments, const bridge::AcceleratorConfig& accelerator,
               const LocatedCell& cell) {
  const auto places = bridge::NetworkPlaces::open(arguments.source, accelerator);
  const std::size_t memory = find_memory(accelerator.memory, accelerator.name, arguments.memory);
  if (arguments.cycle && (*arguments.cycle < 0 || *arguments.cycle >= places->period())) {
    fail(ErrorCode::kInvalidInput,
         std::to_string(*arguments.cycle) + " is no cycle of an inference", "--cycle",
         "allowed: 0 to " + std::to_string(places->period() - 1));
  }
  std::vector<HeldContent> all = places->held_in(memory, cell.bit);
  std::optional<HeldContent> struck;
  if (arguments.cycle) {
    struck = held_at(all, *arguments.cycle);
    all = struck ? std::vector<HeldContent>{*struck} : std::vector<HeldContent>{};
  }
  if (arguments.is_json) {
    Json json = json_of(arguments.memory, cell);
    json["period"] = places->period();
    json["held"] = Json::array();
    for (const HeldContent& held : all) {
      json["held"].push_back(json_of(held));
    }
    print(json.dump(2) + "\n");
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {kHeldColumns};
  for (const HeldContent& held : all) {
    rows.push_back(row_of(held));
  }
  print(cli::table_of(campaigns::table_of({cell})) + "\n");
  print(all.empty() ? "It holds nothing in an inference.\n" : cli::table_of(rows));
  if (arguments.cycle) {
    print(told_at(struck, *arguments.cycle));
  }
  return 0;
}

int print_places(const LocateArguments& arguments, const bridge::AcceleratorConfig& accelerator) {
  const auto places = bridge::NetworkPlaces::open(arguments.source, accelerator);
  const auto found =
      places->places_of(arguments.tensor, *arguments.element, arguments.bit.value_or(0));
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows = {{"memory", "bank", "row", "column", "codeword",
                                                 "bit", "holds", "layer", "written", "until",
                                                 "reads", "first", "last"}};
  for (const bridge::ElementLocation& place : found) {
    const auto& [name, memory] = accelerator.memory[place.memory];
    const sim::ArrayGeometry geometry(memory.array());
    const LocatedCell cell = located(memory, geometry, geometry.cell_of(place.bit), "here");
    Json entry = json_of(name, cell);
    entry.erase("where");
    entry.update(json_of(place.held));
    json.push_back(std::move(entry));
    const std::vector<std::string> held = row_of(place.held);
    std::vector<std::string> row = {name,
                                    std::to_string(cell.cell.bank),
                                    std::to_string(cell.cell.row),
                                    std::to_string(cell.cell.column),
                                    std::to_string(cell.bit.codeword.value),
                                    std::to_string(cell.bit.bit),
                                    held[0],
                                    held[1]};
    row.insert(row.end(), held.begin() + 5, held.end());
    rows.push_back(std::move(row));
  }
  print(arguments.is_json ? json.dump(2) + "\n"
        : found.empty()   ? "No memory of " + accelerator.name + " holds it.\n"
                          : cli::table_of(rows));
  return 0;
}

Json json_of(const bridge::HeldInCore& held) {
  Json entry = {{"core", held.core},   {"holds", held.field},     {"place", held.place},
                {"layer", held.layer}, {"is_used", held.is_used}, {"neuron", nullptr},
                {"input", nullptr},    {"value", nullptr}};
  if (held.neuron >= 0) {
    entry["neuron"] = held.neuron;
  }
  if (held.input >= 0) {
    entry["input"] = held.input;
  }
  if (held.value) {
    entry["value"] = *held.value;
  }
  return entry;
}

std::vector<std::string> row_of(const bridge::HeldInCore& held) {
  const auto number = [](std::int64_t of) { return of < 0 ? "-" : std::to_string(of); };
  return {std::to_string(held.core),
          held.is_check ? "check bit of " + held.field : held.field,
          held.place,
          held.layer,
          number(held.neuron),
          number(held.input),
          held.value ? fmt::format("0x{:x}", *held.value) : "-",
          held.is_used ? "yes" : "no"};
}

/// With a network the bank of a cell is its core.
int print_in_core(const LocateArguments& arguments, const bridge::AcceleratorConfig& accelerator) {
  if (!arguments.tensor.empty()) {
    fail(ErrorCode::kUnsupported, "what lies in cores is asked for by its cell", "--tensor",
         "give --memory and --cell CORE,ROW,COLUMN; `tilestrike inspect MODEL --accelerator " +
             accelerator.name + "` says which cores a layer has");
  }
  if (arguments.cycle) {
    fail(ErrorCode::kUnsupported, "what a core does in a cycle depends on the image", "--cycle",
         "leave it out; `tilestrike replay` says what the strike of a trial met");
  }
  find_memory(bridge::memories_of(accelerator), accelerator.name, arguments.memory);  // of cells
  const auto places = bridge::CorePlaces::open(arguments.source, accelerator);
  const std::size_t number = find_memory(places->memories(), accelerator.name, arguments.memory);
  const sim::MemoryConfig& memory = places->memories()[number].second;
  const std::vector<LocatedCell> cells = cells_of(arguments, memory);
  draw(arguments, memory, cells.front(), accelerator.name);
  const bridge::HeldInCore held = places->held_in(number, cells.front().bit);
  if (arguments.is_json) {
    Json json = json_of(arguments.memory, cells.front());
    json["held"] = json_of(held);
    print(json.dump(2) + "\n");
    return 0;
  }
  print(cli::table_of(campaigns::table_of({cells.front()})) + "\n" +
        cli::table_of({{"core", "holds", "place", "layer", "neuron", "input", "boot value", "used"},
                       row_of(held)}));
  return 0;
}

int run(LocateArguments& arguments) {
  check(arguments);
  const bridge::AcceleratorConfig accelerator = accelerator_of_flag(arguments.accelerator);
  if (!arguments.source.model.empty()) {
    arguments.source.model = model_path(arguments.source.model);
    arguments.source.images = files_of_flag(arguments.images);
    arguments.source.use = 1;
  }
  if (accelerator.has_core && !arguments.source.model.empty()) {
    return print_in_core(arguments, accelerator);
  }
  if (!arguments.tensor.empty()) {
    return print_places(arguments, accelerator);
  }
  const NamedMemories memories = bridge::memories_of(accelerator);
  const sim::MemoryConfig& memory =
      memories[find_memory(memories, accelerator.name, arguments.memory)].second;
  const std::vector<LocatedCell> cells = cells_of(arguments, memory);
  draw(arguments, memory, cells.front(), accelerator.name);
  if (!arguments.source.model.empty()) {
    return print_held(arguments, accelerator, cells.front());
  }
  Json json = Json::array();
  for (const LocatedCell& cell : cells) {
    json.push_back(json_of(arguments.memory, cell));
  }
  print(arguments.is_json ? json.dump(2) + "\n" : cli::table_of(campaigns::table_of(cells)));
  return 0;
}

}  // namespace

Command locate_command() {
  const auto arguments = std::make_shared<LocateArguments>();
  return {
      .name = "locate",
      .about =
          "Where a bit lies in a memory: cell to codeword, codeword or byte to cell; of a "
          "network what lies there when, and where an element of a tensor lies",
      .options =
          {{"MODEL", &arguments->source.model,
            "A zoo model, or the path of a .pt2 archive, of a TorchScript file or of a .nir file"},
           files_option("--images", arguments->images,
                        "Of a TorchScript file: images whose shape it takes, which it does not say "
                        "itself"),
           {"--output", &arguments->source.output,
            "Which output is the answer, where the model has several"},
           {"--accelerator", &arguments->accelerator,
            "Whose memories [" + std::string(kDefaultAccelerator) + "]"},
           {"--memory", &arguments->memory,
            "Name of the memory, as `tilestrike list memories` has it"},
           {"--cell",
            &arguments->cell,
            "A cell: which codeword, and what lies beside it; of a MODEL on cores BANK is the core",
            {.type_name = "BANK,ROW,COLUMN"}},
           {"--codeword", &arguments->codeword,
            "A codeword: the cells of its bits, or of one of them"},
           {"--byte", &arguments->byte, "A byte of the memory's data, counted from its start"},
           {"--bit", &arguments->bit, "Bit of the codeword, byte or element [0]"},
           {"--cycle", &arguments->cycle,
            "With MODEL, on a mesh: what the cell holds then, and who reads it later"},
           {"--tensor", &arguments->tensor,
            "With MODEL, on a mesh: weights (LAYER.weight), an input, or what a layer computes"},
           {"--element", &arguments->element, "Of the tensor, counted in the order of its memory"},
           {"--svg", &arguments->svg, "Draw the cell and its neighbourhood to this file"},
           {"--json", &arguments->is_json, "Print JSON"}},
      .run = [arguments] { return run(*arguments); },
  };
}

}  // namespace tilestrike::campaigns::cli

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// `tilestrike list`: what there is.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/outcome.h"
#include "bridge/study.h"
#include "campaigns/campaign.h"
#include "campaigns/cli/commands.h"
#include "campaigns/cli/list_codes.h"
#include "campaigns/library.h"
#include "sim/mesh_sites.h"

namespace tilestrike::campaigns::cli {
namespace {

/// A table of text, whose first row names the columns.
using Table = std::vector<std::vector<std::string>>;

Table models() {
  Table table = {{"name", "file"}};
  for (const std::string& name : zoo_models()) {
    table.push_back({name, model_path(name)});
  }
  return table;
}

Table accelerators() {
  Table table = {{"name", "mesh", "dataflow", "about"}};
  for (const std::string& name : named_accelerators()) {
    const bridge::AcceleratorConfig config = accelerator_of_flag(name);
    table.push_back({name, fmt::format("{} x {}", config.mesh.rows, config.mesh.columns),
                     config.mesh.is_weight_stationary() ? "ws" : "os", config.about});
  }
  return table;
}

Table registers(const std::string& accelerator) {
  Table table = {{"name", "registers", "bits", "sites", "about"}};
  const sim::MeshSites sites(accelerator_of_flag(accelerator).mesh);
  for (const sim::RegisterBlock& block : sites.blocks()) {
    table.push_back({block.name, std::to_string(block.cells), std::to_string(block.bits),
                     std::to_string(block.size()), block.about});
  }
  table.push_back({"all", "", "", std::to_string(sites.total_bits()), "of " + accelerator});
  return table;
}

Table operators() {
  Table table = {{"name", "int8", "help"}};
  for (const bridge::OperatorSummary& operation : bridge::list_operators()) {
    table.push_back({operation.name, operation.quantised, operation.help});
  }
  return table;
}

Table outcomes() {
  Table table = {{"kind", "name", "help"}};
  for (const Term& term : kOutcomeTerms) {
    table.push_back({"outcome", std::string(term.name), std::string(term.help)});
  }
  for (const Term& term : kMaskedAtTerms) {
    if (!term.name.empty()) {
      table.push_back({"masked_at", std::string(term.name), std::string(term.help)});
    }
  }
  table.push_back({"refinement", "sdc_1", "the top class differs from the golden run's"});
  table.push_back({"refinement", "sdc_5", "the top class is not among the golden top five"});
  table.push_back(
      {"refinement", "sdc_10", "the golden class's confidence moved by more than 10 % of itself"});
  table.push_back({"refinement", "sdc_20", "by more than 20 %"});
  return table;
}

Table fields() {
  Table table = {{"key", "type", "unit", "default", "range", "help"}};
  for (const FieldHelp& field : campaign_help()) {
    table.push_back(
        {field.name, field.type, field.unit, field.default_text, field.range, field.help});
  }
  return table;
}

std::vector<sim::TechnologyNode> nodes_of(const std::string& file) {
  return file.empty() ? technology_nodes() : sim::read_technology_nodes(file);
}

/// "0.277 Q2": what a reader must know of every number.
std::string tagged(const Sourced& number) {
  return fmt::format("{:g} {}", number.value, tag_of(number.provenance));
}

/// All columns of the file for a script, the main ones with their tags for a reader.
Table nodes(const std::string& file, bool is_json) {
  Table table;
  std::vector<std::string> heading = {"name", "device"};
  if (!is_json) {
    heading.insert(heading.end(), {"vdd", "neutron", "band", "alpha", "flip_flop", "multi_cell",
                                   "mean_cells", "most", "word_line", "zero_to_one"});
  }
  for (const sim::NodeColumn& column : sim::node_columns()) {
    if (is_json) {
      heading.emplace_back(column.name);
      if (column.source != nullptr) {
        heading.emplace_back(std::string(column.name) + "_from");
      }
    }
  }
  table.push_back(std::move(heading));
  for (const sim::TechnologyNode& node : nodes_of(file)) {
    std::vector<std::string> row = {node.name, node.device};
    if (is_json) {
      for (const sim::NodeColumn& column : sim::node_columns()) {
        const Sourced& number = node.*column.member;
        row.push_back(fmt::format("{:g}", number.value));
        if (column.source != nullptr) {
          row.push_back(number.source);
        }
      }
    } else {
      row.insert(row.end(),
                 {tagged(node.vdd), tagged(node.neutron_rate),
                  fmt::format("{:g} to {:g}", node.neutron_low.value, node.neutron_high.value),
                  tagged(node.alpha_rate), tagged(node.flip_flop_rate),
                  tagged(node.multi_cell_share), tagged(node.mean_cells), tagged(node.most_cells),
                  tagged(node.word_line_share), tagged(node.zero_to_one)});
    }
    table.push_back(std::move(row));
  }
  return table;
}

/// What the tags and columns of nodes mean.
std::string node_footnotes() {
  std::string text =
      "\nvdd in V; neutron, alpha and flip_flop in FIT/Mbit (1e6 bits), neutron events at sea "
      "level;\nmulti_cell: share of events that upset several cells; word_line: share of a "
      "cluster's steps\nalong the word line; --json has all columns with their sources\n";
  for (const ProvenanceTerm& term : kProvenanceTerms) {
    text += fmt::format("{:<3} {}\n", term.tag, term.help);
  }
  return text;
}

std::string text_of(const Table& table) {
  return table_of(table) + (table.size() == 1 ? "none yet\n" : "");
}

std::string json_of(const Table& table) {
  auto json = nlohmann::ordered_json::array();
  for (std::size_t i = 1; i < table.size(); ++i) {
    nlohmann::ordered_json entry;
    for (std::size_t j = 0; j < table[i].size(); ++j) {
      entry[table.front()[j]] = table[i][j];
    }
    json.push_back(std::move(entry));
  }
  return json.dump(2) + "\n";
}

struct ListArguments {
  std::string what;
  std::string accelerator = std::string(kDefaultAccelerator);
  bool patterns = false;
  int data_bits = 64;
  std::string nodes_file;  // empty: those that ship
  bool is_json = false;
};

const std::vector<std::pair<std::string, std::function<Table(const ListArguments&)>>>& lists() {
  static const std::vector<std::pair<std::string, std::function<Table(const ListArguments&)>>> all =
      {
          {"models", [](const ListArguments&) { return models(); }},
          {"accelerators", [](const ListArguments&) { return accelerators(); }},
          {"registers",
           [](const ListArguments& arguments) { return registers(arguments.accelerator); }},
          {"operators", [](const ListArguments&) { return operators(); }},
          {"outcomes", [](const ListArguments&) { return outcomes(); }},
          {"fields", [](const ListArguments&) { return fields(); }},
          {"nodes",
           [](const ListArguments& arguments) {
             return nodes(arguments.nodes_file, arguments.is_json);
           }},
          {"codes",
           [](const ListArguments& arguments) {
             return arguments.patterns ? code_patterns_table(arguments.data_bits) : codes_table();
           }},
      };
  return all;
}

int run(const ListArguments& arguments) {
  for (const auto& [name, make] : lists()) {
    if (name == arguments.what) {
      const Table table = make(arguments);
      print(arguments.is_json ? json_of(table) : text_of(table));
      if (name == "nodes" && !arguments.is_json) {
        print(node_footnotes());
      }
    }
  }
  return 0;
}

}  // namespace

void add_list(CLI::App& program, Action& chosen) {
  const auto arguments = std::make_shared<ListArguments>();
  std::vector<std::string> names;
  for (const auto& [name, make] : lists()) {
    names.push_back(name);
  }
  CLI::App* command = program.add_subcommand("list", "What there is");
  command->add_option("WHAT", arguments->what, join(names, ", "))
      ->required()
      ->check(CLI::IsMember(names));
  command->add_option("--accelerator", arguments->accelerator,
                      "Whose registers [" + std::string(kDefaultAccelerator) + "]");
  CLI::Option* patterns = command->add_flag(
      "--patterns", arguments->patterns,
      "Of codes: count what each makes of every pattern of flipped bits (docs/ecc.md)");
  command->add_option("--data-bits", arguments->data_bits, "Width of the data with --patterns [64]")
      ->needs(patterns);
  command->add_option("--file", arguments->nodes_file,
                      "CSV file of your own with the nodes [data/technology_nodes.csv]");
  command->add_flag("--json", arguments->is_json, "Print JSON");
  command->callback([arguments, &chosen] { chosen = [arguments] { return run(*arguments); }; });
}

}  // namespace tilestrike::campaigns::cli

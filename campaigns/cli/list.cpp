// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// `tilestrike list`: what there is.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/outcome.h"
#include "bridge/study/study.h"
#include "campaigns/cli/commands.h"
#include "campaigns/cli/list_codes.h"
#include "campaigns/cli/list_cores.h"
#include "campaigns/cli/list_memories.h"
#include "campaigns/cli/list_nodes.h"
#include "campaigns/cli/list_table.h"
#include "campaigns/results/trial_tables.h"
#include "campaigns/scenario/campaign.h"
#include "campaigns/scenario/library.h"
#include "sim/mesh/mesh_sites.h"
#include "sim/strikes/rates.h"

namespace tilestrike::campaigns::cli {
namespace {

using Json = nlohmann::ordered_json;

/// A table of text alone.
ListTable listed(const std::vector<std::vector<std::string>>& rows) {
  ListTable table;
  for (const std::vector<std::string>& row : rows) {
    table.emplace_back(row.begin(), row.end());
  }
  return table;
}

ListTable models() {
  ListTable table = {{"name", "file"}};
  for (const std::string& name : zoo_models()) {
    table.push_back({name, model_path(name)});
  }
  return table;
}

ListTable accelerators() {
  ListTable table = {{"name", "mesh", "dataflow", "about"}};
  for (const std::string& name : named_accelerators()) {
    const bridge::AcceleratorConfig config = accelerator_of_flag(name);
    if (config.has_core) {
      table.push_back({name, ListCell("-", std::monostate()), ListCell("cores", std::monostate()),
                       config.about});
      continue;
    }
    table.push_back({name,
                     {fmt::format("{} x {}", config.mesh.rows, config.mesh.columns),
                      NamedNumbers{{"rows", config.mesh.rows}, {"columns", config.mesh.columns}}},
                     config.mesh.is_weight_stationary() ? "ws" : "os",
                     config.about});
  }
  return table;
}

ListTable registers(const std::string& accelerator) {
  if (const auto config = accelerator_of_flag(accelerator); config.has_core) {
    return core_storage_table(config);
  }
  ListTable table = {{"name", "registers", "bits", "sites", "about"}};
  const sim::MeshSites sites(accelerator_of_flag(accelerator).mesh);
  for (const sim::RegisterBlock& block : sites.blocks()) {
    table.push_back({block.name, block.cells, block.bits, block.size(), block.about});
  }
  table.push_back({"all", {}, {}, sites.total_bits(), "of " + accelerator});
  return table;
}

ListTable operators() {
  ListTable table = {{"name", "int8", "help"}};
  for (const bridge::OperatorSummary& operation : bridge::list_operators()) {
    table.push_back({operation.name, operation.quantised, operation.help});
  }
  return table;
}

ListTable outcomes() {
  ListTable table = {{"kind", "name", "help"}};
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

ListTable fields(const sim::EngineSet& engines) {
  ListTable table = {{"key", "type", "unit", "default", "range", "help"}};
  for (const FieldHelp& field : campaign_help(engines)) {
    table.push_back(
        {field.name, field.type, field.unit, field.default_text, field.range, field.help});
  }
  return table;
}

ListTable columns() {
  ListTable table = {{"table", "column", "type", "help"}};
  for_each_table([&](const auto& of) {
    for (const auto& column : of.columns) {
      table.push_back({of.name, column.name, column.type, column.help});
    }
  });
  return table;
}

std::string text_of(const ListTable& table) {
  std::vector<std::vector<std::string>> rows;
  for (const std::vector<ListCell>& row : table) {
    auto& texts = rows.emplace_back();
    for (const ListCell& cell : row) {
      texts.push_back(cell.text);
    }
  }
  return table_of(rows) + (table.size() == 1 ? "none yet\n" : "");
}

Json json_of(const ListValue& value) {
  return std::visit(
      [](const auto& exact) -> Json {
        using Exact = std::decay_t<decltype(exact)>;
        if constexpr (std::is_same_v<Exact, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<Exact, NamedNumbers>) {
          Json json;
          for (const auto& [name, number] : exact) {
            json[name] = number;
          }
          return json;
        } else {
          return exact;
        }
      },
      value);
}

std::string json_of(const ListTable& table) {
  Json json = Json::array();
  for (std::size_t i = 1; i < table.size(); ++i) {
    Json entry;
    for (std::size_t j = 0; j < table[i].size(); ++j) {
      entry[table.front()[j].text] = json_of(table[i][j].value);
    }
    json.push_back(std::move(entry));
  }
  return json.dump(2) + "\n";
}

struct ListArguments {
  const sim::EngineSet* engines = nullptr;
  std::string what;
  std::string accelerator = std::string(kDefaultAccelerator);
  bool patterns = false;
  int data_bits = 64;
  std::string nodes_file;  // empty: those that ship
  std::string code = "secded";
  double altitude = 0.0;
  bool is_json = false;
};

const std::vector<std::pair<std::string, std::function<ListTable(const ListArguments&)>>>& lists() {
  static const std::vector<std::pair<std::string, std::function<ListTable(const ListArguments&)>>>
      all = {
          {"models", [](const ListArguments&) { return models(); }},
          {"accelerators", [](const ListArguments&) { return accelerators(); }},
          {"registers",
           [](const ListArguments& arguments) { return registers(arguments.accelerator); }},
          {"memories",
           [](const ListArguments& arguments) {
             return memories_table(accelerator_of_flag(arguments.accelerator), arguments.altitude);
           }},
          {"presets", [](const ListArguments&) { return presets_table(); }},
          {"operators", [](const ListArguments&) { return operators(); }},
          {"outcomes", [](const ListArguments&) { return outcomes(); }},
          {"fields", [](const ListArguments& arguments) { return fields(*arguments.engines); }},
          {"columns", [](const ListArguments&) { return columns(); }},
          {"nodes",
           [](const ListArguments& arguments) {
             return listed(nodes_table(arguments.nodes_file));
           }},
          {"clusters",
           [](const ListArguments& arguments) {
             return listed(
                 clusters_table(arguments.nodes_file, arguments.code, arguments.data_bits));
           }},
          {"codes",
           [](const ListArguments& arguments) {
             return arguments.patterns ? code_patterns_table(arguments.data_bits) : codes_table();
           }},
      };
  return all;
}

std::string footnote_of(const ListArguments& arguments) {
  return arguments.what == "nodes"      ? nodes_footnote()
         : arguments.what == "clusters" ? clusters_footnote()
         : arguments.what == "memories"
             ? memories_footnote(accelerator_of_flag(arguments.accelerator), arguments.altitude)
         : arguments.what == "columns"
             ? "the view trials_wide has those of trials, mesh_trials, memory_trials, "
               "tensor_trials and core_trials in one row per trial\n"
             : "";
}

int run(const ListArguments& arguments) {
  if (arguments.is_json && (arguments.what == "nodes" || arguments.what == "clusters")) {
    const nlohmann::ordered_json json =
        arguments.what == "nodes"
            ? nodes_json(arguments.nodes_file)
            : clusters_json(arguments.nodes_file, arguments.code, arguments.data_bits);
    print(json.dump(2) + "\n");
    return 0;
  }
  for (const auto& [name, make] : lists()) {
    if (name == arguments.what) {
      const ListTable table = make(arguments);
      print(arguments.is_json ? json_of(table) : text_of(table));
      if (!arguments.is_json) {
        print(footnote_of(arguments));
      }
    }
  }
  return 0;
}

}  // namespace

Command list_command(const sim::EngineSet& engines) {
  const auto arguments = std::make_shared<ListArguments>();
  arguments->engines = &engines;
  std::vector<std::string> names;
  for (const auto& [name, make] : lists()) {
    names.push_back(name);
  }
  return {
      .name = "list",
      .about = "What there is",
      .options =
          {{"WHAT", &arguments->what, join(names, ", "), {.is_required = true, .one_of = names}},
           {"--accelerator", &arguments->accelerator,
            "Whose registers and memories [" + std::string(kDefaultAccelerator) + "]"},
           {"--patterns", &arguments->patterns,
            "Of codes: count what each makes of every pattern of flipped bits (docs/ecc.md)"},
           {"--data-bits", &arguments->data_bits,
            "Width of a codeword's data, with --patterns and for clusters [64]"},
           {"--code", &arguments->code, "Whose codewords clusters meet [secded]"},
           {"--file", &arguments->nodes_file,
            "CSV file of your own, for nodes and clusters [data/technology_nodes.csv]"},
           {"--altitude",
            &arguments->altitude,
            "In metres, for the strikes on memories [0]",
            {.between = {{sim::kLowestAltitude, sim::kHighestAltitude}}}},
           {"--json", &arguments->is_json, "Print JSON"}},
      .run = [arguments] { return run(*arguments); },
  };
}

}  // namespace tilestrike::campaigns::cli

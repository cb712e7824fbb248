// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/cli/list_nodes.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "campaigns/scenario/library.h"
#include "sim/strikes/cluster_shapes.h"

namespace tilestrike::campaigns::cli {
namespace {

using Table = std::vector<std::vector<std::string>>;
using Json = nlohmann::ordered_json;

constexpr int kInterleaves[] = {1, 2, 4, 8};

std::vector<sim::TechnologyNode> nodes_of(const std::string& file) {
  return file.empty() ? technology_nodes() : sim::read_technology_nodes(file);
}

/// "0.277 Q2": what a reader must know of every number; "-" where there is none.
std::string tagged(const Sourced& number) {
  return is_known(number) ? fmt::format("{:g} {}", number.value, tag_of(number.provenance)) : "-";
}

/// In full; null where nothing is known.
Json json_of(const Sourced& number) { return is_known(number) ? Json(number.value) : Json(); }

sim::EccKind code_named(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [known, kind] : sim::ecc_choices()) {
    if (known == name) {
      return kind;
    }
    names.push_back(known);
  }
  fail(ErrorCode::kInvalidInput, "no code is named '" + name + "'", "--code",
       suggestion(name, names));
}

/// A probability; a plain 0 where there is no way.
std::string chance(double probability) {
  return probability > 0.0 ? fmt::format("{:.2e}", probability) : "0";
}

}  // namespace

Table nodes_table(const std::string& file) {
  Table table = {{"name", "device", "vdd", "neutron", "band", "alpha", "thermal", "ff_neutron",
                  "ff_alpha", "ff_thermal", "multi_cell", "mean_cells", "most", "word_line",
                  "zero_to_one"}};
  for (const sim::TechnologyNode& node : nodes_of(file)) {
    table.push_back({node.name, node.device, tagged(node.vdd), tagged(node.neutron_rate),
                     fmt::format("{:g} to {:g}", node.neutron_low.value, node.neutron_high.value),
                     tagged(node.alpha_rate), tagged(node.thermal_rate),
                     tagged(node.flip_flop_neutron_rate), tagged(node.flip_flop_alpha_rate),
                     tagged(node.flip_flop_thermal_rate), tagged(node.multi_cell_share),
                     tagged(node.mean_cells), tagged(node.most_cells), tagged(node.word_line_share),
                     tagged(node.zero_to_one)});
  }
  return table;
}

Json nodes_json(const std::string& file) {
  Json json = Json::array();
  for (const sim::TechnologyNode& node : nodes_of(file)) {
    Json& entry = json.emplace_back();
    entry["name"] = node.name;
    entry["device"] = node.device;
    for (const sim::NodeColumn& column : sim::node_columns()) {
      const Sourced& number = node.*column.member;
      entry[column.name] = json_of(number);
      if (column.source != nullptr) {
        entry[std::string(column.name) + "_from"] = number.source;
      }
    }
  }
  return json;
}

std::string nodes_footnote() {
  std::string text =
      "\nvdd in V; neutron, alpha and thermal (neutrons) in FIT/Mbit (1e6 bits) of memories, with "
      "ff_ of\nflip-flops: events at sea level; multi_cell: share of events that upset several "
      "cells;\nword_line: share of a cluster's steps along the word line; --json has all columns "
      "with their\nsources and bands\n";
  for (const ProvenanceTerm& term : kProvenanceTerms) {
    text += fmt::format("{:<3} {}\n", term.tag, term.help);
  }
  return text;
}

namespace {

/// What strikes of one node do to codewords at each interleave.
struct ClusterRow {
  std::string node;
  std::vector<sim::EventProbabilities> events;
};

std::vector<ClusterRow> cluster_rows(const std::string& file, const std::string& code_name,
                                     int data_bits) {
  const sim::EccCode& code = sim::EccCode::make(code_named(code_name), data_bits, "--data-bits");
  const sim::JudgeCodeword judge = sim::judge_by(code);
  std::vector<ClusterRow> rows;
  for (const sim::TechnologyNode& node : nodes_of(file)) {
    ClusterRow& row = rows.emplace_back();
    row.node = node.name;
    for (const int interleave : kInterleaves) {
      row.events.push_back(sim::enumerate_events(sim::cluster_law(node, sim::Radiation::kNeutron),
                                                 {code.codeword_bits(), interleave, 0}, judge));
    }
  }
  return rows;
}

constexpr std::pair<const char*, double sim::EventProbabilities::*> kClusterColumns[] = {
    {"several", &sim::EventProbabilities::several_bits},
    {"due", &sim::EventProbabilities::detected},
    {"silent", &sim::EventProbabilities::silent_only}};

std::string column_name(const char* what, int interleave) {
  return fmt::format("{}_{}", what, interleave);
}

}  // namespace

Table clusters_table(const std::string& file, const std::string& code_name, int data_bits) {
  Table table = {{"name"}};
  for (const auto& [what, member] : kClusterColumns) {
    for (const int interleave : kInterleaves) {
      table.front().push_back(column_name(what, interleave));
    }
  }
  for (const ClusterRow& row : cluster_rows(file, code_name, data_bits)) {
    table.push_back({row.node});
    for (const auto& [what, member] : kClusterColumns) {
      for (const sim::EventProbabilities& events : row.events) {
        table.back().push_back(chance(events.*member));
      }
    }
  }
  return table;
}

Json clusters_json(const std::string& file, const std::string& code_name, int data_bits) {
  Json json = Json::array();
  for (const ClusterRow& row : cluster_rows(file, code_name, data_bits)) {
    Json& entry = json.emplace_back();
    entry["name"] = row.node;
    for (const auto& [what, member] : kClusterColumns) {
      for (std::size_t i = 0; i < row.events.size(); ++i) {
        entry[column_name(what, kInterleaves[i])] = row.events[i].*member;
      }
    }
  }
  return json;
}

std::string clusters_footnote() {
  return "\nProbabilities per neutron event, enumerated over all shapes of up to 10 cells, before\n"
         "clusters are cut off at edges and well taps, if every codeword is read; _1 to _8: the\n"
         "interleave. several: two or more bits of a codeword; due: a codeword is reported; "
         "silent:\n"
         "wrong data in a codeword, and none is reported (docs/technology_nodes.md)\n";
}

}  // namespace tilestrike::campaigns::cli

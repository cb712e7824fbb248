// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/cli/list_nodes.h"

#include <fmt/format.h>

#include "base/text.h"
#include "campaigns/library.h"
#include "sim/memory/cluster_shapes.h"

namespace tilestrike::campaigns::cli {
namespace {

using Table = std::vector<std::vector<std::string>>;

constexpr int kInterleaves[] = {1, 2, 4, 8};

std::vector<sim::TechnologyNode> nodes_of(const std::string& file) {
  return file.empty() ? technology_nodes() : sim::read_technology_nodes(file);
}

/// "0.277 Q2": what a reader must know of every number.
std::string tagged(const Sourced& number) {
  return fmt::format("{:g} {}", number.value, tag_of(number.provenance));
}

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

Table nodes_table(const std::string& file, bool is_json) {
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

std::string nodes_footnote() {
  std::string text =
      "\nvdd in V; neutron, alpha and flip_flop in FIT/Mbit (1e6 bits), neutron events at sea "
      "level;\nmulti_cell: share of events that upset several cells; word_line: share of a "
      "cluster's steps\nalong the word line; --json has all columns with their sources\n";
  for (const ProvenanceTerm& term : kProvenanceTerms) {
    text += fmt::format("{:<3} {}\n", term.tag, term.help);
  }
  return text;
}

Table clusters_table(const std::string& file, const std::string& code_name, int data_bits) {
  const sim::EccCode& code = sim::EccCode::make(code_named(code_name), data_bits, "--data-bits");
  const sim::JudgeCodeword judge = sim::judge_by(code);
  Table table = {{"name"}};
  for (const char* what : {"several", "due", "silent"}) {
    for (const int interleave : kInterleaves) {
      table.front().push_back(fmt::format("{}_{}", what, interleave));
    }
  }
  for (const sim::TechnologyNode& node : nodes_of(file)) {
    std::vector<std::string> several, due, silent;
    for (const int interleave : kInterleaves) {
      const sim::EventProbabilities events =
          sim::enumerate_events(sim::cluster_law(node, sim::Radiation::kNeutron),
                                {code.codeword_bits(), interleave, 0}, judge);
      several.push_back(chance(events.several_bits));
      due.push_back(chance(events.detected));
      silent.push_back(chance(events.silent_only));
    }
    table.push_back({node.name});
    for (const auto& part : {several, due, silent}) {
      table.back().insert(table.back().end(), part.begin(), part.end());
    }
  }
  return table;
}

std::string clusters_footnote() {
  return "\nProbabilities per neutron event, enumerated over all shapes of up to 10 cells, before\n"
         "clusters are cut off at edges and well taps, if every codeword is read; _1 to _8: the\n"
         "interleave. several: two or more bits of a codeword; due: a codeword is reported; "
         "silent:\n"
         "wrong data in a codeword, and none is reported (docs/technology_nodes.md)\n";
}

}  // namespace tilestrike::campaigns::cli

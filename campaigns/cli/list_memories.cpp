// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/cli/list_memories.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "bridge/accelerator/core_arrays.h"
#include "campaigns/scenario/library.h"
#include "sim/strikes/rates.h"
#include "sim/strikes/strike_strata.h"

namespace tilestrike::campaigns::cli {
namespace {

/// In FIT, of all cells of one memory.
struct MemoryFit {
  double events = 0.0, detected = 0.0, silent = 0.0;
};

sim::TechnologyNode node_of(const bridge::AcceleratorConfig& accelerator) {
  ErrorList errors;
  const auto node = find_node(accelerator.node, "accelerator.node", {}, errors);
  errors.throw_if_any();
  return *node;
}

MemoryFit fit_of(const sim::MemoryConfig& memory, const sim::TechnologyNode& node,
                 double altitude_m) {
  const sim::ArrayGeometry geometry(memory.array());
  const sim::EventRates rates = sim::memory_rates(node, {.altitude_m = altitude_m});
  MemoryFit fit;
  for (const sim::Radiation radiation :
       {sim::Radiation::kNeutron, sim::Radiation::kAlpha, sim::Radiation::kThermal}) {
    const double events = sim::fit_of(rates.of(radiation), geometry.cells());
    if (events == 0.0) {
      continue;
    }
    const sim::StrikeStrata strata(sim::cluster_law(node, radiation), geometry,
                                   static_cast<int>(node.tap_rows.value),
                                   sim::judge_by(memory.code()));
    const double both = strata.probability(sim::Stratum::kBoth);
    fit.events += events;
    fit.detected += events * (strata.probability(sim::Stratum::kDetected) + both);
    fit.silent += events * (strata.probability(sim::Stratum::kSilent) + both);
  }
  return fit;
}

/// Rounded for a reader.
ListCell rate(double fit) { return {fit == 0.0 ? "0" : fmt::format("{:.3g}", fit), fit}; }

}  // namespace

ListTable memories_table(const bridge::AcceleratorConfig& accelerator, double altitude_m) {
  const sim::TechnologyNode node = node_of(accelerator);
  ListTable table = {{"name", "holds", "capacity", "banks", "rows", "columns", "codeword", "ecc",
                      "interleave", "data_cells", "check_cells", "fit", "fit_due", "fit_silent"}};
  std::uint64_t data = 0, check = 0;
  MemoryFit all;
  for (const auto& [name, memory] : bridge::memories_of(accelerator)) {
    const sim::ArrayGeometry geometry(memory.array());
    const MemoryFit fit = fit_of(memory, node, altitude_m);
    std::vector<std::string> holds;
    for (const sim::MemoryContent content : memory.holds) {
      holds.emplace_back(sim::name_of(content));
    }
    const int check_bits = memory.code().check_bits();
    table.push_back({name,
                     {join(holds, ", "), holds},
                     {field_detail::bytes_text(memory.capacity_bytes), memory.capacity_bytes},
                     geometry.banks(),
                     geometry.rows(),
                     geometry.columns(),
                     {fmt::format("{} + {}", memory.data_bits, check_bits),
                      NamedNumbers{{"data_bits", memory.data_bits}, {"check_bits", check_bits}}},
                     std::string(sim::info_of(memory.ecc).name),
                     memory.interleave,
                     geometry.data_cells(),
                     geometry.check_cells(),
                     rate(fit.events),
                     rate(fit.detected),
                     rate(fit.silent)});
    data += geometry.data_cells();
    check += geometry.check_cells();
    all.events += fit.events;
    all.detected += fit.detected;
    all.silent += fit.silent;
  }
  std::vector<ListCell> total(table.front().size());
  total.front() = "all";
  const std::vector<ListCell> sums = {data, check, rate(all.events), rate(all.detected),
                                      rate(all.silent)};
  std::ranges::copy(sums, total.end() - std::ssize(sums));
  table.push_back(std::move(total));
  return table;
}

std::string memories_footnote(const bridge::AcceleratorConfig& accelerator, double altitude_m) {
  const sim::TechnologyNode node = node_of(accelerator);
  const sim::RateBand band = sim::memory_rate_band(node, {.altitude_m = altitude_m});
  const auto told = [](const Sourced& value) {
    return is_known(value)
               ? fmt::format("{:g} {} ({})", value.value, tag_of(value.provenance), value.source)
               : std::string("-");
  };
  std::string text = fmt::format(
      "\nfit: strikes in 1e9 hours on all cells, data and check, at {} and {:g} m: {:.4g} per Mbit "
      "(1e6 bits),\nband {:.4g} to {:.4g}; neutron {}, alpha {}, thermal {}\n",
      node.name, altitude_m, sim::memory_rates(node, {.altitude_m = altitude_m}).total(), band.low,
      band.high, told(node.neutron_rate), told(node.alpha_rate), told(node.thermal_rate));
  if (altitude_m != 0.0) {
    const sim::Surroundings surroundings{.altitude_m = altitude_m};
    text += fmt::format(
        "neutrons: {:.4g} times sea level's by the air above ({}),\ntimes {:.4g} by rigidity "
        "beneath it ({})\n",
        sim::altitude_factor(altitude_m), sim::kAltitudeSource, sim::place_factor(surroundings),
        sim::kPlaceSource);
  }
  if (const std::vector<std::string> unknown = sim::unknown_rates(node, false, true);
      !unknown.empty()) {
    text += "not in it: " + join(unknown, "; ") + "\n";
  }
  text += fmt::format(
      "clusters: several cells {}, ratio {}, along the word line {}, well taps {} rows\n"
      "fit_due, fit_silent: of these, what would be reported, and silently wrong, if every "
      "codeword "
      "were\nread while upset: enumerated, an upper bound for any network. What a network makes of "
      "it is not in it.\n",
      told(node.multi_cell_share), told(node.tail_ratio), told(node.word_line_share),
      told(node.tap_rows));
  return text;
}

}  // namespace tilestrike::campaigns::cli

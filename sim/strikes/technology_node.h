// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Technology nodes: how often a cell is struck, and what an upset looks like there. Data, not code:
// data/technology_nodes.csv or a user's own file of its columns (docs/technology_nodes.md).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/provenance.h"

namespace tilestrike::sim {

/// Rates are events in FIT (events in 1e9 hours) per 1e6 bits, neutrons' at sea level. A rate or
/// band of which nothing is known is not is_known(), and 0.
struct TechnologyNode {
  std::string name;    // as scenarios say it: "28nm"
  std::string device;  // planar, trigate, finfet ...
  Sourced size_nm;
  Sourced vdd;           // V
  Sourced neutron_rate;  // events, not flipped bits; the band around it:
  Sourced neutron_low, neutron_high;
  Sourced alpha_rate;
  Sourced thermal_rate;
  Sourced multi_cell_share;  // of neutron events that upset several cells, at vdd
  Sourced multi_cell_low, multi_cell_high;
  Sourced tail_ratio;  // P(one cell more) / P(this many), of several cells
  Sourced tail_low, tail_high;
  Sourced most_cells;      // of an event
  Sourced mean_cells;      // follows from the three above; kept to check them
  Sourced cell_width_um;   // pitch along the word line
  Sourced cell_height_um;  // pitch along the bit line
  Sourced flip_flop_neutron_rate;
  Sourced flip_flop_alpha_rate;
  Sourced flip_flop_thermal_rate;
  Sourced word_line_share;  // of the steps by which a cluster grows
  Sourced word_line_low, word_line_high;
  Sourced tap_rows;                // rows between well taps, where clusters end; 0: none
  Sourced share_logit_per_volt;    // by which the multi-cell share rises as the voltage falls
  Sourced alpha_multi_cell_share;  // of alpha (and thermal) events
  Sourced zero_to_one;             // sensitivity of a stored 0 over that of a stored 1
  Sourced rate_counts;             // its source says why rates count events, not flipped bits
};

/// What a file must say in a column.
enum class Given {
  kNumber,    // a number in every cell
  kCell,      // a number, or '-': unknown
  kOptional,  // the column may be missing, too: unknown at all nodes
};

/// One column with a number, for reading, listing and documentation.
struct NodeColumn {
  const char* name;    // in the file
  const char* source;  // the column that says where it comes from
  Sourced TechnologyNode::*member;
  double least, most;
  bool is_whole;
  const char* unit;
  const char* help;
  Given given = Given::kNumber;
  const char* radiation = nullptr;  // of a rate: what its source must not contradict
};
std::span<const NodeColumn> node_columns();

/// All nodes of a file. Errors name file, line and column; throws Failure with all of them.
std::vector<TechnologyNode> read_technology_nodes(const std::string& file);
/// The same of its text.
std::vector<TechnologyNode> parse_technology_nodes(const std::string& text,
                                                   const std::string& file);

/// Mean number of cells of an event by its law of multiplicity: one with probability 1 - share,
/// else m >= 2 with probability proportional to ratio^(m - 2), up to `most`.
double mean_cells(double share, double ratio, int most);

}  // namespace tilestrike::sim

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The tables of `tilestrike list nodes` and `list clusters`; the first row names the columns.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace tilestrike::campaigns::cli {

/// One row per node of `file` (empty: those that ship): the main columns with their tags of
/// provenance, '-' where nothing is known.
std::vector<std::vector<std::string>> nodes_table(const std::string& file);
/// All columns of the file with their sources, for a script: numbers in full, null where nothing is
/// known.
nlohmann::ordered_json nodes_json(const std::string& file);
std::string nodes_footnote();  // what columns and tags mean

/// One row per node: what its clusters do to codewords of this code, by interleave. Throws Failure,
/// naming --code or --data-bits.
std::vector<std::vector<std::string>> clusters_table(const std::string& file,
                                                     const std::string& code_name, int data_bits);
/// The same with probabilities in full.
nlohmann::ordered_json clusters_json(const std::string& file, const std::string& code_name,
                                     int data_bits);
std::string clusters_footnote();

}  // namespace tilestrike::campaigns::cli

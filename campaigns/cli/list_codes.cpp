// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/cli/list_codes.h"

#include <fmt/format.h>

#include "sim/ecc/ecc_code.h"
#include "sim/strikes/ecc_enumeration.h"

namespace tilestrike::campaigns::cli {
namespace {

std::vector<ListCell> pattern_row(const sim::EccCode& code, const std::string& flipped,
                                  const sim::PatternCounts& counts) {
  return {std::string(sim::info_of(code.kind()).name),
          code.codeword_bits(),
          flipped,
          counts.patterns,
          counts.corrected,
          counts.miscorrected,
          counts.undetected,
          counts.detected,
          counts.detected_clean};
}

}  // namespace

ListTable codes_table() {
  constexpr int kWidths[] = {8, 32, 64, 128};
  ListTable table = {{"name", "corrects", "detects"}};
  for (const int width : kWidths) {
    table.front().push_back(fmt::format("check_bits_{}", width));
  }
  table.front().emplace_back("about");
  for (const sim::EccKindInfo& code : sim::ecc_kinds()) {
    auto& row = table.emplace_back();
    row = {std::string(code.name), std::string(code.corrects), std::string(code.detects)};
    for (const int width : kWidths) {
      row.emplace_back(sim::EccCode::make(code.kind, width).check_bits());
    }
    row.emplace_back(std::string(code.about));
  }
  return table;
}

ListTable code_patterns_table(int data_bits) {
  ListTable table = {{"name", "bits", "flipped", "patterns", "corrected", "miscorrected",
                      "undetected", "detected", "detected_data_right"}};
  for (const sim::EccKindInfo& kind : sim::ecc_kinds()) {
    if (kind.kind != sim::EccKind::kNone && !sim::EccCode::has_width(kind.kind, data_bits)) {
      continue;
    }
    const sim::EccCode& code = sim::EccCode::make(kind.kind, data_bits, "--data-bits");
    for (int bits = 1; bits <= 4; ++bits) {
      table.push_back(
          pattern_row(code, fmt::format("any {}", bits), sim::enumerate_patterns(code, bits)));
    }
    for (int bits = 2; bits <= 4; ++bits) {
      table.push_back(
          pattern_row(code, fmt::format("{} neighbours", bits), sim::enumerate_runs(code, bits)));
    }
    for (int cells = 2; cells <= 4; ++cells) {
      table.push_back(pattern_row(code, fmt::format("cluster of {}", cells),
                                  sim::enumerate_clusters(code, cells).codewords));
    }
  }
  return table;
}

}  // namespace tilestrike::campaigns::cli

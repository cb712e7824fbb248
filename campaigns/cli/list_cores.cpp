// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/cli/list_cores.h"

#include <fmt/format.h>

#include "base/text.h"
#include "campaigns/scenario/core_presets.h"
#include "sim/core/core_sites.h"

namespace tilestrike::campaigns::cli {
namespace {

const char* text_of(sim::CoreCells cells) {
  return cells == sim::CoreCells::kSram ? "sram" : "flip_flop";
}

/// The fields of a lane with their bits: "threshold 24, bias 24, ...".
std::string fields_text(const sim::CoreSites& sites, const sim::CoreBlock& block) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < block.fields; ++i) {
    const sim::CoreField& field = sites.fields()[block.field + i];
    names.push_back(fmt::format("{} {}", field.name, field.bits));
  }
  return join(names, ", ");
}

}  // namespace

ListTable core_storage_table(const bridge::AcceleratorConfig& accelerator) {
  const sim::CoreSites sites(accelerator.core);
  ListTable table = {
      {"name", "kind", "words", "bits", "lanes", "sites", "cells", "fields", "about"}};
  for (const sim::CoreBlock& block : sites.blocks()) {
    table.push_back({block.name, block.is_array() ? "array" : "register", block.words, block.bits,
                     block.lanes, block.size(), text_of(block.cells), fields_text(sites, block),
                     block.about});
  }
  for (const sim::CoreCells cells : {sim::CoreCells::kSram, sim::CoreCells::kFlipFlop}) {
    table.push_back({"all",
                     text_of(cells),
                     {},
                     {},
                     {},
                     sites.total_bits(cells),
                     text_of(cells),
                     {},
                     "of one core of " + accelerator.name});
  }
  return table;
}

ListTable presets_table() {
  ListTable table = {{"name", "strike", "about"}};
  for (const CorePreset& preset : core_presets()) {
    table.push_back({preset.name,
                     *preset.strike == '\0' ? ListCell("(no bit of a core)", std::monostate())
                                            : ListCell(preset.strike),
                     preset.about});
  }
  return table;
}

}  // namespace tilestrike::campaigns::cli

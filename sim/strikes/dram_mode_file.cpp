// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The file of DRAM failure modes: data/dram_modes.csv, or a user's own.
#include <algorithm>
#include <array>
#include <map>

#include "base/csv.h"
#include "base/text.h"
#include "sim/strikes/dram_modes.h"

namespace tilestrike::sim {
namespace {

constexpr const char* kKey = "dram mode";
constexpr double kMostFit = 1e9;

constexpr std::array<std::string_view, kDramModes> kNames = {
    "bit", "word", "column", "row", "bank", "multi_bank", "multi_rank"};
const std::vector<std::string> kColumns = {"mode", "transient_fit", "transient_src",
                                           "permanent_fit", "permanent_src"};

/// Where each column stands; empty where the header is not what it should be.
std::map<std::string, std::size_t> columns_of(const CsvTable& table, const std::string& file,
                                              ErrorList& errors) {
  std::map<std::string, std::size_t> columns;
  bool is_sound = true;
  for (std::size_t i = 0; i < table.header.size(); ++i) {
    const CsvCell& cell = table.header[i];
    if (std::ranges::find(kColumns, cell.text) == kColumns.end()) {
      errors.add(ErrorCode::kInvalidInput,
                 std::string(kKey) + ": unknown column '" + cell.text + "'", cell.place.text(),
                 suggestion(cell.text, kColumns));
      is_sound = false;
    } else if (!columns.emplace(cell.text, i).second) {
      errors.add(ErrorCode::kInvalidInput,
                 std::string(kKey) + ": the column '" + cell.text + "' is there twice",
                 cell.place.text(), "keep one of the two");
      is_sound = false;
    }
  }
  for (const std::string& name : kColumns) {
    if (!columns.contains(name)) {
      errors.add(ErrorCode::kInvalidInput,
                 std::string(kKey) + ": the column '" + name + "' is missing", file,
                 "the columns are " + join(kColumns, ", "));
      is_sound = false;
    }
  }
  return is_sound ? columns : std::map<std::string, std::size_t>();
}

Sourced read_rate(const CsvCell& number, const CsvCell& source, const std::string& name,
                  ErrorList& errors) {
  Sourced rate;
  const std::optional<double> value = parse_real(number.text);
  if (!value || *value < 0.0 || *value > kMostFit) {
    errors.add(ErrorCode::kInvalidInput,
               std::string(kKey) + ": " + name + "_fit: '" + number.text + "' is not a rate",
               number.place.text(), "give failures of one device in 1e9 hours, 0 to 1e9");
  } else {
    rate.value = *value;
  }
  rate.source = source.text;
  if (const auto provenance = provenance_of(source.text);
      provenance && *provenance != Provenance::kUnknown) {
    rate.provenance = *provenance;
  } else {
    errors.add(ErrorCode::kInvalidInput,
               std::string(kKey) + ": " + name + "_src: '" + source.text +
                   "' begins with no tag of provenance",
               source.place.text(), "write TAG or TAG:SOURCE, such as A:guess");
  }
  return rate;
}

}  // namespace

std::string_view name_of(DramMode mode) { return kNames[static_cast<std::size_t>(mode)]; }

std::vector<DramModeRate> parse_dram_modes(const std::string& text, const std::string& file) {
  ErrorList errors;
  const CsvTable table = parse_csv(text, file, kKey, errors);
  const auto columns = columns_of(table, file, errors);
  errors.throw_if_any();
  std::vector<DramModeRate> rates(kDramModes);
  std::array<int, kDramModes> lines{};
  for (std::size_t i = 0; i < kDramModes; ++i) {
    rates[i].mode = static_cast<DramMode>(i);
    rates[i].transient.source = rates[i].permanent.source = "A:not given";
  }
  for (const std::vector<CsvCell>& row : table.rows) {
    const auto cell = [&](const char* name) -> const CsvCell& { return row[columns.at(name)]; };
    const CsvCell& mode = cell("mode");
    const auto found = std::ranges::find(kNames, mode.text);
    if (found == kNames.end()) {
      const std::vector<std::string> names(kNames.begin(), kNames.end());
      errors.add(ErrorCode::kInvalidInput,
                 std::string(kKey) + ": '" + mode.text + "' is not a mode", mode.place.text(),
                 suggestion(mode.text, names));
      continue;
    }
    const auto i = static_cast<std::size_t>(found - kNames.begin());
    if (lines[i] != 0) {
      errors.add(ErrorCode::kInvalidInput,
                 std::string(kKey) + ": '" + mode.text + "' is there twice", mode.place.text(),
                 "it is also in line " + std::to_string(lines[i]) + "; keep one of the two");
      continue;
    }
    lines[i] = mode.place.line;
    rates[i].transient =
        read_rate(cell("transient_fit"), cell("transient_src"), "transient", errors);
    rates[i].permanent =
        read_rate(cell("permanent_fit"), cell("permanent_src"), "permanent", errors);
  }
  errors.throw_if_any();
  return rates;
}

std::vector<DramModeRate> read_dram_modes(const std::string& file) {
  return parse_dram_modes(read_text_file(file), file);
}

}  // namespace tilestrike::sim

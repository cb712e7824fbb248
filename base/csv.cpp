// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "base/csv.h"

#include <algorithm>

namespace tilestrike {
namespace {

std::vector<CsvCell> cells_of(const std::string& line, const std::string& file, int number) {
  constexpr const char* kWhite = " \t\r";
  std::vector<CsvCell> cells;
  std::size_t start = 0;
  while (start <= line.size()) {
    const std::size_t comma = std::min(line.find(',', start), line.size());
    const std::size_t first = std::min(line.find_first_not_of(kWhite, start), comma);
    const std::size_t last = comma == first ? first : line.find_last_not_of(kWhite, comma - 1) + 1;
    cells.push_back(
        {line.substr(first, last - first), {file, number, static_cast<int>(first) + 1}});
    start = comma + 1;
  }
  return cells;
}

}  // namespace

CsvTable parse_csv(const std::string& text, const std::string& file, const std::string& key,
                   ErrorList& errors) {
  CsvTable table;
  int number = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    std::vector<CsvCell> cells = cells_of(text.substr(start, end - start), file, ++number);
    start = end + 1;
    if (cells.size() == 1 && cells.front().text.empty()) {
      continue;
    }
    if (table.header.empty()) {
      table.header = std::move(cells);
    } else if (cells.size() == table.header.size()) {
      table.rows.push_back(std::move(cells));
    } else {
      errors.add(ErrorCode::kInvalidInput,
                 key + ": " + std::to_string(cells.size()) + " cells under " +
                     std::to_string(table.header.size()) + " column names",
                 Place{file, number, 1}.text(),
                 "give each row one cell per column; leave a cell empty to skip it");
    }
  }
  return table;
}

}  // namespace tilestrike

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Tables in comma-separated text: the first line that is not empty names the columns. Cells are cut
// free of white space and know their place; there is no quoting, so no cell holds a comma.
#pragma once

#include <string>
#include <vector>

#include "base/document.h"
#include "base/error.h"

namespace tilestrike {

struct CsvCell {
  std::string text;
  Place place;
};

struct CsvTable {
  std::vector<CsvCell> header;
  std::vector<std::vector<CsvCell>> rows;  // each as long as the header
};

/// Empty lines are skipped. A row with more or fewer cells than the header is left out and goes to
/// `errors` as one of `key`; `file` is the name in places.
CsvTable parse_csv(const std::string& text, const std::string& file, const std::string& key,
                   ErrorList& errors);

}  // namespace tilestrike

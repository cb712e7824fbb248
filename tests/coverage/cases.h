// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The campaigns whose intervals are tested, and the table of what came of it.
#pragma once

#include <string>
#include <vector>

#include "tests/coverage/repeated_campaigns.h"

namespace tilestrike::coverage {

/// A folder for results files, in memory where there is such a file system; removed at the end.
class CoverageFolder {
 public:
  CoverageFolder();
  ~CoverageFolder();
  CoverageFolder(const CoverageFolder&) = delete;
  CoverageFolder& operator=(const CoverageFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Transients and stuck-ats in the mesh.
std::vector<CoverageCase> mesh_cases(const std::string& folder);
/// Faults in weights.
std::vector<CoverageCase> tensor_cases(const std::string& folder);
/// Particles and low voltage in memories.
std::vector<CoverageCase> memory_cases(const std::string& folder);
/// All of these. They write their networks into the folder.
std::vector<CoverageCase> all_cases(const std::string& folder);

/// A table with a head, for a terminal or as Markdown.
std::string table_of(const std::vector<Coverage>& rows, bool is_markdown);

}  // namespace tilestrike::coverage

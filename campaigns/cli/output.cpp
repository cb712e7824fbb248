// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/cli/output.h"

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "campaigns/report/report.h"

namespace tilestrike::campaigns::cli {

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    fail(ErrorCode::kMachine, "cannot write", "stdout", "check where it is sent");
  }
}

void print(const Report& report, bool is_json) {
  print(is_json ? json_of(report).dump(2) + "\n" : text_of(report));
}

void write_page(const Report& report, const std::string& title, const std::string& path) {
  if (path.empty()) {
    return;
  }
  std::ofstream file(path);
  file << html_of(report, title);
  file.close();
  if (!file) {
    fail(ErrorCode::kInvalidInput, "cannot write the page", path,
         "name a file that can be written with --html");
  }
}

}  // namespace tilestrike::campaigns::cli

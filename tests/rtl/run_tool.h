// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Runs Yosys or Verilator and takes what they print.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace tilestrike::rtl {

struct Ran {
  int status = 0;
  std::string output;  // both streams
};

inline Ran run_tool(const std::string& command) {
  Ran ran;
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) {
    ran.output += buffer;
  }
  ran.status = pclose(pipe);
  return ran;
}

inline bool has_yosys() { return TS_YOSYS[0] != '\0'; }

}  // namespace tilestrike::rtl

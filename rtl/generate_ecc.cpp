// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// ts_generate_ecc FOLDER: writes the codecs of rtl/ into the folder (docs/rtl.md). A test compares
// the files of rtl/ with what it would write.
#include <cstdio>
#include <fstream>
#include <string>

#include "rtl/ecc_verilog.h"

int main(int argc, char** argv) {
  using tilestrike::sim::EccCode;
  using tilestrike::sim::EccKind;
  if (argc != 2) {
    std::fprintf(stderr, "usage: ts_generate_ecc FOLDER\n");
    return 2;
  }
  for (const int data_bits : {32, 64}) {
    const EccCode& code = EccCode::make(EccKind::kSecded, data_bits);
    const std::string path =
        std::string(argv[1]) + "/" + tilestrike::rtl::ecc_module_name(code) + ".sv";
    std::ofstream file(path);
    file << tilestrike::rtl::ecc_verilog(code);
    if (!file.flush()) {
      std::fprintf(stderr, "error: %s could not be written; check the folder\n", path.c_str());
      return 3;
    }
  }
  return 0;
}

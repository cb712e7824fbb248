// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// ECC codecs as SystemVerilog, from the tables of the C++ codec: one definition for both.
#pragma once

#include <string>

#include "sim/ecc/ecc_code.h"

namespace tilestrike::rtl {

/// "ts_secded_72_64": the module that holds encoder and decoder, and its file.
std::string ecc_module_name(const sim::EccCode& code);

/// The file with encoder, decoder and both as one module. Requires a code that corrects single bits
/// only.
std::string ecc_verilog(const sim::EccCode& code);

}  // namespace tilestrike::rtl

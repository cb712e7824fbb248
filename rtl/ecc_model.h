// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// An ECC codec in RTL, Verilated: the same questions and answers as sim::EccCode.
#pragma once

#include <cstddef>
#include <memory>

#include "sim/ecc/ecc_code.h"

namespace tilestrike::rtl {

/// What a Verilated codec shows of itself; the generated file of each implements it
/// (verilated_ecc.cpp.in).
class VerilatedEcc {
 public:
  struct Port {
    void* data = nullptr;
    std::size_t bytes = 0;
  };
  virtual ~VerilatedEcc() = default;
  virtual void eval() = 0;

  Port data_in, codeword_out;               // encoder
  Port codeword_in, data_out, flipped_out;  // decoder
  const unsigned char* is_corrected = nullptr;
  const unsigned char* is_detected = nullptr;
};

class EccModel {
 public:
  /// SEC-DED (Hsiao) of 32 or 64 data bits. Throws Failure for another width.
  explicit EccModel(int data_bits);

  sim::BitString encode(const sim::BitString& data);
  sim::Decoded decode(const sim::BitString& codeword);

 private:
  std::unique_ptr<VerilatedEcc> model_;
};

}  // namespace tilestrike::rtl

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "rtl/ecc_model.h"

#include <cstring>
#include <string>

#include "base/error.h"

namespace tilestrike::rtl {

// Of the generated files (CMakeLists.txt).
std::unique_ptr<VerilatedEcc> make_Vts_secded_39_32();
std::unique_ptr<VerilatedEcc> make_Vts_secded_72_64();

namespace {

// Ports are little-endian, and their unused bits are zero, as in a BitString.
void put(const sim::BitString& bits, const VerilatedEcc::Port& port) {
  std::memcpy(port.data, bits.words.data(), port.bytes);
}

sim::BitString get(const VerilatedEcc::Port& port) {
  sim::BitString bits;
  std::memcpy(bits.words.data(), port.data, port.bytes);
  return bits;
}

}  // namespace

EccModel::EccModel(int data_bits) {
  if (data_bits == 32) {
    model_ = make_Vts_secded_39_32();
  } else if (data_bits == 64) {
    model_ = make_Vts_secded_72_64();
  } else {
    fail(ErrorCode::kInvalidInput,
         "there is no RTL of SEC-DED with " + std::to_string(data_bits) + " data bits", "ecc",
         "use 32 or 64, or add it in rtl/generate_ecc.cpp and rtl/CMakeLists.txt");
  }
}

sim::BitString EccModel::encode(const sim::BitString& data) {
  put(data, model_->data_in);
  model_->eval();
  return get(model_->codeword_out);
}

sim::Decoded EccModel::decode(const sim::BitString& codeword) {
  put(codeword, model_->codeword_in);
  model_->eval();
  sim::Decoded decoded;
  decoded.data = get(model_->data_out);
  decoded.corrected = get(model_->flipped_out);
  decoded.status = *model_->is_detected != 0    ? sim::EccStatus::kDetected
                   : *model_->is_corrected != 0 ? sim::EccStatus::kCorrected
                                                : sim::EccStatus::kClean;
  return decoded;
}

}  // namespace tilestrike::rtl

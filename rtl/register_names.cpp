// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "rtl/register_names.h"

namespace tilestrike::rtl {

std::string_view array_of(sim::Register kind) {
  using sim::Register;
  switch (kind) {
    case Register::kActivation:
      return "a_q";
    case Register::kVertical:
      return "b_q";
    case Register::kLoad:
      return "d_q";
    case Register::kValid:
      return "v_q";
    case Register::kPropagate:
      return "s_q";
    case Register::kStationary0:
      return "c0_q";
    case Register::kStationary1:
      return "c1_q";
    case Register::kSkewActivation:
      return "skew_a_q";
    case Register::kSkewVertical:
      return "skew_b_q";
    case Register::kSkewLoad:
      return "skew_d_q";
    case Register::kSkewValid:
      return "skew_v_q";
    case Register::kSkewPropagate:
      return "skew_s_q";
    case Register::kOutput:
      return "out_q";
    case Register::kDeskew:
      return "deskew_q";
  }
  return {};
}

}  // namespace tilestrike::rtl

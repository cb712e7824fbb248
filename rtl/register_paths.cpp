// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "rtl/register_paths.h"

namespace tilestrike::rtl {
namespace {

std::string indexed(const char* name, int index) {
  return std::string(name) + "[" + std::to_string(index) + "]";
}

RegisterPath in_pe(const sim::MeshSite& site, const char* name) {
  return {indexed("gen_row", site.row) + "." + indexed("gen_column", site.column) + ".u_pe", name};
}

// A register of a chain (ts_delay.sv).
RegisterPath in_chain(const char* block, int index, const char* instance, int position) {
  return {
      indexed(block, index) + "." + instance + ".gen_chain." + indexed("gen_position", position),
      "data_q"};
}

}  // namespace

RegisterPath path_of(const sim::MeshSite& site) {
  using sim::Register;
  switch (site.kind) {
    case Register::kActivation:
      return in_pe(site, "a_q");
    case Register::kVertical:
      return in_pe(site, "b_q");
    case Register::kLoad:
      return in_pe(site, "d_q");
    case Register::kValid:
      return in_pe(site, "v_q");
    case Register::kPropagate:
      return in_pe(site, "s_q");
    case Register::kStationary0:
      return in_pe(site, "c0_q");
    case Register::kStationary1:
      return in_pe(site, "c1_q");
    case Register::kSkewActivation:
      return in_chain("gen_row", site.row, "u_skew_activation", site.position);
    case Register::kSkewVertical:
      return in_chain("gen_top", site.column, "u_skew_vertical", site.position);
    case Register::kSkewLoad:
      return in_chain("gen_top", site.column, "u_skew_load", site.position);
    case Register::kSkewValid:
      return in_chain("gen_top", site.column, "u_skew_valid", site.position);
    case Register::kSkewPropagate:
      return in_chain("gen_top", site.column, "u_skew_propagate", site.position);
    case Register::kOutput:
      return in_chain("gen_bottom", site.column, "u_output", 0);
    case Register::kDeskew:
      return in_chain("gen_deskew", site.column, "u_deskew", site.position);
  }
  return {};
}

}  // namespace tilestrike::rtl

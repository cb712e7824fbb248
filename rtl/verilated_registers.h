// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Finds registers of a Verilated design by their names: those that a `.vlt` file opens with
// `public_flat_rw`. For files that see Verilated headers anyway.
#pragma once

#include <verilated.h>
#include <verilated_sym_props.h>
#include <verilated_syms.h>

#include <string>

#include "rtl/storage.h"

namespace tilestrike::rtl {

/// `scope`: the instances from the top module on, "TOP.own_mesh.gen_row[3]"; `name`: the
/// register's. Null data: there is none that is open.
inline Storage find_register(const VerilatedContext& context, const std::string& scope,
                             const std::string& name) {
  const VerilatedScope* const found = context.scopeFind(scope.c_str());
  const VerilatedVar* const variable = found == nullptr ? nullptr : found->varFind(name.c_str());
  return variable == nullptr ? Storage{}
                             : Storage{variable->datap(), variable->packed().elements()};
}

}  // namespace tilestrike::rtl

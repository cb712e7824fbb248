// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A struck bit by the operand that its register holds, instead of by a cycle: how faults of this
// mesh are carried over to a mesh of another structure (docs/own_rtl.md).
#pragma once

#include <optional>

#include "base/fault.h"
#include "sim/mesh/mesh_run.h"
#include "sim/mesh/mesh_sites.h"

namespace tilestrike::rtl {

/// `site` as in sim::MeshSite, but of the two stationary registers kStationary0 is the one that the
/// pass computes with, and kStationary1 the one that is being loaded. What the bit belongs to:
///
/// | site.kind | WS: `index` of pass `pass` | OS |
/// |---|---|---|
/// | kActivation, kSkewActivation | row of A | step k of A |
/// | kVertical, kSkewVertical | row: the sum so far | step k of B |
/// | kOutput, kDeskew | row of the result | row of the result |
/// | kStationary0 | the weight just before this row is multiplied | the sum just before step k |
/// | kStationary1, kLoad, kSkewLoad | row of the weights, being loaded | none |
struct OperandSite {
  sim::MeshSite site;
  int pass = 0;
  int index = 0;
};

/// nullopt: the register holds no operand of a pass at that time (padding, the mesh idles, results
/// on their way through shadow registers), is `valid` or `propagate`, or the fault is no flip.
std::optional<OperandSite> operand_site(const sim::MeshRun& run, const sim::MeshSites& sites,
                                        const RegisterFault& fault);

}  // namespace tilestrike::rtl

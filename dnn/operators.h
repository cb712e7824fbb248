// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The operators of which more is known than LibTorch's schemas say: one table. Any other one may
// run as well (import/admission.h).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tilestrike::dnn {

enum class ImportAs {
  kCall,      // called through LibTorch's dispatcher
  kRename,    // the same as the operator `becomes`, whose arguments have the same names
  kIdentity,  // dropped: its output is its first input
  kSymbolic,  // arithmetic on sizes
  kIgnored,   // computes nothing: a check that the exporter has made
};

struct Operator {
  std::string_view target;
  ImportAs import_as;
  std::string_view becomes;  // of kRename, and of what is no identity for every layout
  std::string_view help;
  std::string_view
      quantised;  // "int8", "fused" (into the layer before it), "float", or "" (no layer)
};

/// The whole table, sorted for people. In-place forms ("aten.relu_.default") are not in it: each
/// operator's is known through its functional form.
std::span<const Operator> operators();

/// The entry of a target, or of its functional form; nullptr when there is none.
const Operator* find_operator(std::string_view target);

/// "aten.relu_.default" -> "aten.relu.default", "aten.__iand__.Tensor" -> "aten.__and__.Tensor";
/// other targets as they are.
std::string functional_form(std::string_view target);

/// "aten.relu_.default" -> "relu".
std::string short_name(std::string_view target);

}  // namespace tilestrike::dnn

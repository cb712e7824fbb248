// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Arguments of the file -> arguments of an operator's schema, checked against its types.
#pragma once

#include <ATen/core/function_schema.h>

#include <functional>
#include <optional>

#include "dnn/import/pt2_graph.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

/// The value of a name that is read as a tensor, or as an integer (a symbolic size).
using ReadName = std::function<ValueId(const std::string& name, bool as_tensor)>;

/// Empty when the argument does not fit the type of the formal one. A computed number where a
/// tensor is wanted is left as it is.
std::optional<Argument> fit_argument(const Pt2Argument& argument, const c10::Argument& formal,
                                     const ReadName& read, c10::Device device);

/// An argument that the file leaves out: its default in the schema; `false` for a flag without one
/// (a batch norm under another name says nothing of training); `device` where the operator makes a
/// tensor from nothing. Empty when there is none.
std::optional<Argument> default_argument(const c10::Argument& formal, c10::Device device);

/// Whether leaving the argument out changes nothing: no, zero, nothing.
bool is_neutral(const Pt2Argument& argument);

/// All values that the arguments read, each once.
std::vector<ValueId> values_of(const std::vector<Argument>& arguments);

}  // namespace tilestrike::dnn

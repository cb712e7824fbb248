// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which operators may run. The table (dnn/operators.cpp) names those of which more is known; any
// other one is LibTorch's own kernel, dense and in float, as long as it is functional and
// deterministic: its schema and its tags say so.
#pragma once

#include <optional>
#include <string>

#include "dnn/import/pt2_graph.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

struct Refusal {
  std::string what;
  std::string cure;
};

/// Why the node cannot be run, as far as its operator and the flags in the file say; empty: it can.
std::optional<Refusal> refusal_of(const Pt2Node& node);

/// Why the layer that a node has become cannot be run on what it reads: a shape or a number that
/// depends on the images, or statistics over the batch. Empty: it can.
std::optional<Refusal> refusal_of(const Pt2Node& node, const Layer& layer, const Network& network);

/// Whether the layer's operator gives memory that one of its inputs has although its schema says
/// nothing of it, as those do that are written with other operators (meshgrid).
bool may_hide_a_view(const std::string& target);

/// The argument of a node by its name; nullptr: it has none.
const Pt2Argument* given_argument(const Pt2Node& node, const std::string& name);

/// " in layer 'stage1.conv1' at train_zoo.py:67, self.conv1(x)".
std::string place_of(const Pt2Node& node);

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Parts of a graph that are called where they stand: torch.no_grad() within a model makes one.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace tilestrike::dnn {

/// Whether the graph calls parts that with_inlined_graphs() puts in their place.
bool has_inline_graphs(const nlohmann::json& graph);

/// The graph with these parts in the place of their calls; their values have the name of the part
/// before their own. Throws json::exception for what is damaged.
nlohmann::json with_inlined_graphs(const nlohmann::json& graph);

}  // namespace tilestrike::dnn

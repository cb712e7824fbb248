// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What each type of node of a NIR file means: a step of synapses, or neurons.
#pragma once

#include <string>

#include "dnn/nir/nir_file.h"
#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

enum class NirRole {
  kInput,
  kOutput,
  kNothing,  // hands on what it gets
  kSynapses,
  kNeurons,
};

/// What a node is for. Throws Failure where its type, or one of its values, is not known or not
/// supported; names the node and the cure.
NirRole role_of(const NirGraph& graph, const NirNode& node);

/// The shape that an Input or Output states; empty: none.
Sizes stated_sizes(const NirGraph& graph, const NirNode& node);

/// A step of synapses that gets values of `input_sizes`. Throws Failure where they do not fit.
SynapseStep synapses_from(const NirGraph& graph, const NirNode& node, const Sizes& input_sizes);

/// Neurons of `sizes`; parameters that are one number hold for all.
FloatNeurons neurons_from(const NirGraph& graph, const NirNode& node, const Sizes& sizes);

/// Fails where there are more than a network may have in one value.
void check_count(const Sizes& sizes, const std::string& where);

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a NIR file does not hold: ticks, their length, and what spikes, resets, inputs and answers
// mean. It stands in a side file, NAME.spiking.yaml; a scenario's `spiking:` goes over it.
#pragma once

#include <string>

#include "base/field_table.h"
#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

/// Keys that go over those of the side file: a map as the side file's, or null. A document, so that
/// rooms that do not see networks can hand it through, and errors still name its lines.
using SpikingOverrides = Value;

const FieldTable<SpikingSettings>& spiking_fields();

/// NAME.spiking.yaml, beside NAME.nir.
std::string side_file_of(const std::string& model_path);

/// Reads the side file of a model, which may be absent where `overrides` says all that is required,
/// and lays `overrides` over it. Throws Failure with the errors of both.
SpikingSettings read_spiking_settings(const std::string& model_path,
                                      const SpikingOverrides& overrides = {});

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Spiking networks from NIR files, as studies and plain inference take them (docs/spiking.md).
#pragma once

#include <string>
#include <vector>

#include "bridge/accelerator/accelerator.h"
#include "bridge/study/workload.h"
#include "dnn/spiking/integer_model.h"

namespace tilestrike::bridge {

/// Whether the model is a NIR file, by its name.
bool is_nir(const std::string& model);

/// Throws Failure for other models: neuromorphic cores take spiking networks alone.
void check_is_nir(const std::string& model);

/// The float network of a NIR file. Throws Failure, as import_nir() does, and for an `output`:
/// there is one.
dnn::Network import_spiking(const NetworkSource& source);

/// The integers of a NIR file. Throws Failure as import_spiking() and to_integer() do.
dnn::IntegerModel integer_model(const NetworkSource& source);

/// The same as an accelerator's cores compute them. Throws Failure for other models, too.
dnn::IntegerModel model_on_cores(const NetworkSource& source, const AcceleratorConfig& accelerator);

/// Their network, on the device that is asked for.
dnn::Network integer_network(const dnn::IntegerModel& model, const NetworkSource& source);

/// Hash of what the side file and the overrides say together.
std::string settings_hash(const NetworkSource& source);

/// Of a spiking network: what is worth a warning of its images; nothing of others.
std::vector<std::string> encoding_notes(const dnn::Network& network, const dnn::Inputs& images);

/// Of a spiking network: that more than one answer of a hundred is a tie, or all zeros; nothing of
/// others.
std::vector<std::string> answer_notes(const dnn::Network& network, const at::Tensor& answers);

/// The integer network of a NIR file beside its float one.
std::vector<ImportError> import_errors_of(const NetworkSource& source, const Workload& integer);

/// Throws Failure for a spiking network: a mesh computes no ticks.
void check_has_no_ticks(const dnn::Network& network, const std::string& model);

}  // namespace tilestrike::bridge

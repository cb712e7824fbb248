// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Copies of .pt2 archives with something changed in them, for tests of what the importer says.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dnn/inputs.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

inline const std::string kProgramRecord = "models/model.json";
inline const std::string kWeightsRecord = "data/weights/model_weights_config.json";

/// The names of an archive's records, without the folder that they lie in.
std::vector<std::string> records_of(const std::string& archive);

/// What a record becomes; nothing: it is left out.
using RecordChange = std::function<std::optional<std::string>(std::string bytes)>;
void write_changed(const std::string& from, const std::string& to, const std::string& record,
                   const RecordChange& change);
void write_changed_json(const std::string& from, const std::string& to, const std::string& record,
                        const std::function<void(nlohmann::json&)>& change);

/// One value of the record replaced by a strange one, both drawn by `trial`.
void write_mutated(const std::string& from, const std::string& to, const std::string& record,
                   std::uint64_t trial);

/// Zeros for every input of a network.
Inputs zeros_for(const Network& network, std::int64_t batch);

/// Imports the archive and runs it on zeros; false where that is a Failure. Nothing else is caught.
bool imports_and_runs(const std::string& path);

}  // namespace tilestrike::dnn

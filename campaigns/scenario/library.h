// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What ships with TileStrike and is known by name: zoo models, accelerators, data sets.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/error.h"
#include "bridge/accelerator/accelerator.h"
#include "sim/strikes/technology_node.h"

namespace tilestrike::campaigns {

inline constexpr std::string_view kDefaultAccelerator = "gemmini_16x16";
inline constexpr std::string_view kZooImages = "fashion_mnist/test";
inline constexpr std::string_view kZooCalibration = "fashion_mnist/train";

/// The folder that holds zoo/, accelerators/ and data/: TILESTRIKE_ROOT, else what was installed
/// with the program, else where this was built from.
std::filesystem::path root_folder();

std::vector<std::string> zoo_models();
std::vector<std::string> named_accelerators();
const std::vector<std::string>& data_sets();

bool is_data_set(std::string_view text);

/// The folder that paths written at `place` start from: that of the file, or the current one for
/// flags.
std::filesystem::path folder_of(const Place& place);

/// `path` from `folder`, absolute and without dots.
std::string absolute_path(const std::string& path, const std::filesystem::path& folder);

/// What a zoo model runs on where a user names nothing: the files beside it, MODEL_images.npy,
/// MODEL_labels.npy and MODEL_calibrate.npy, else Fashion-MNIST.
struct ZooData {
  std::string images = std::string(kZooImages), labels;
  std::string calibrate = std::string(kZooCalibration);
};
/// `path` is that of the archive.
ZooData zoo_data(const std::string& path);

struct ModelChoice {
  std::string name;  // as kept in expanded scenarios: a zoo name or an absolute path
  std::string path;  // of the archive
  bool is_zoo = false;
};
/// Finds the model that `text` names; a problem goes to `errors` as one of `key` at `place`.
std::optional<ModelChoice> find_model(const std::string& text, const std::string& key,
                                      const Place& place, ErrorList& errors);

/// The accelerator that `given` (a name, a path, or a map with an optional `base`) means, as one
/// map. Problems go to `errors`, and `given` comes back as it is.
Value resolve_accelerator(const Value& given, const std::string& key, ErrorList& errors);

/// The technology nodes that ship, from data/technology_nodes.csv. Throws Failure.
std::vector<sim::TechnologyNode> technology_nodes();

/// The node that `text` names: one that ships ("28nm"), or one of a file of the user's own
/// ("FILE.csv:NAME"). A problem goes to `errors` as one of `key` at `place`.
std::optional<sim::TechnologyNode> find_node(const std::string& text, const std::string& key,
                                             const Place& place, ErrorList& errors);

/// resolve_accelerator(), read and checked; the path of a node of the user's own becomes absolute.
bridge::AcceleratorConfig read_accelerator(const Value& given, const std::string& key,
                                           ErrorList& errors);
/// The same for a command-line flag. Throws Failure.
bridge::AcceleratorConfig accelerator_of_flag(const std::string& text);

}  // namespace tilestrike::campaigns

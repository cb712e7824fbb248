// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/library.h"

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "base/yaml.h"

namespace tilestrike::campaigns {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepestBase = 8;

std::vector<std::string> stems(const fs::path& folder, const std::string& extension) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator file(folder, error), end; !error && file != end;
       file.increment(error)) {
    if (file->path().extension() == extension) {
      names.push_back(file->path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

std::optional<std::string> accelerator_file(const Value& name, const std::string& key,
                                            ErrorList& errors) {
  const std::string& text = name.scalar;
  const bool is_path =
      text.find('/') != std::string::npos || ends_with(text, ".yaml") || ends_with(text, ".yml");
  const fs::path path = is_path ? fs::path(absolute_path(text, folder_of(name.place)))
                                : root_folder() / "accelerators" / (text + ".yaml");
  if (is_file(path)) {
    return path.string();
  }
  if (is_path) {
    errors.add(ErrorCode::kNotFound, key + ": no such file '" + path.string() + "'",
               name.place.text(), "check the path; it starts from the file that names it");
  } else {
    const std::vector<std::string> known = named_accelerators();
    errors.add(ErrorCode::kNotFound, key + ": no accelerator is named '" + text + "'",
               name.place.text(),
               (known.empty() ? "none are installed under " + root_folder().string()
                              : suggestion(text, known)) +
                   " (a path ends in .yaml or has a '/')");
  }
  return std::nullopt;
}

std::optional<Value> resolved(const Value& given, const std::string& key, int depth,
                              ErrorList& errors) {
  if (depth > kDeepestBase) {
    errors.add(ErrorCode::kInvalidInput, key + ": 'base' goes round in a circle",
               given.place.text(), "let one accelerator of the chain stand without 'base'");
    return std::nullopt;
  }
  if (given.is_scalar()) {
    const std::optional<std::string> path = accelerator_file(given, key, errors);
    if (!path) {
      return std::nullopt;
    }
    try {
      return resolved(load_yaml(*path), key, depth + 1, errors);
    } catch (const Failure& failure) {
      for (const Error& error : failure.errors()) {
        errors.add(error.code, key + ": " + error.what, error.where, error.cure);
      }
      return std::nullopt;
    }
  }
  if (!given.is_map()) {
    errors.add(ErrorCode::kInvalidInput, key + ": found neither a name nor a map",
               given.place.text(), "write an accelerator's name, a path, or {base: NAME, ...}");
    return std::nullopt;
  }
  Value own = given;
  const auto is_base = [](const Entry& entry) { return entry.key == "base"; };
  const auto base = std::find_if(own.entries.begin(), own.entries.end(), is_base);
  if (base == own.entries.end()) {
    return own;
  }
  const Value named = base->value;
  own.entries.erase(base);
  if (!named.is_scalar()) {
    errors.add(ErrorCode::kInvalidInput, key + ".base: found no name", named.place.text(),
               "write an accelerator's name or a path");
    return std::nullopt;
  }
  const std::optional<Value> under = resolved(named, key + ".base", depth + 1, errors);
  if (!under) {
    return std::nullopt;
  }
  return merged(*under, own);
}

}  // namespace

fs::path root_folder() {
  const char* root = std::getenv("TILESTRIKE_ROOT");
  if (root != nullptr && *root != '\0') {
    return root;
  }
  std::error_code error;
  const fs::path installed = fs::read_symlink("/proc/self/exe", error).parent_path().parent_path() /
                             "share" / "tilestrike";
  return !error && fs::is_directory(installed, error) ? installed : fs::path(TS_SOURCE_FOLDER);
}

std::vector<std::string> zoo_models() { return stems(root_folder() / "zoo", ".pt2"); }

std::vector<std::string> named_accelerators() {
  return stems(root_folder() / "accelerators", ".yaml");
}

const std::vector<std::string>& data_sets() {
  static const std::vector<std::string> names = {std::string(kZooImages),
                                                 std::string(kZooCalibration)};
  return names;
}

bool is_data_set(std::string_view text) {
  return std::find(data_sets().begin(), data_sets().end(), text) != data_sets().end();
}

fs::path folder_of(const Place& place) {
  std::error_code error;
  return place.line == 0 ? fs::current_path(error) : fs::path(place.file).parent_path();
}

std::string absolute_path(const std::string& path, const fs::path& folder) {
  std::error_code error;
  const fs::path whole = fs::absolute(folder / path, error);
  return (error ? folder / path : whole).lexically_normal().string();
}

std::optional<ModelChoice> find_model(const std::string& text, const std::string& key,
                                      const Place& place, ErrorList& errors) {
  const bool is_path = text.find('/') != std::string::npos || ends_with(text, ".pt2") ||
                       ends_with(text, ".pt") || ends_with(text, ".pth");
  if (is_path) {
    const std::string path = absolute_path(text, folder_of(place));
    if (!is_file(path)) {
      errors.add(ErrorCode::kNotFound, key + ": no such file '" + path + "'", place.text(),
                 "write a .pt2 archive of torch.export or a .pt file of torch.jit.save; paths "
                 "start from the scenario file");
      return std::nullopt;
    }
    return ModelChoice{path, path, false};
  }
  const fs::path path = root_folder() / "zoo" / (text + ".pt2");
  if (!is_file(path)) {
    const std::vector<std::string> known = zoo_models();
    errors.add(ErrorCode::kNotFound, key + ": no model of the zoo is named '" + text + "'",
               place.text(),
               (known.empty() ? "the zoo " + (root_folder() / "zoo").string() + " is empty"
                              : suggestion(text, known)) +
                   " (a path ends in .pt2 or .pt, or has a '/')");
    return std::nullopt;
  }
  return ModelChoice{text, path.string(), true};
}

ZooData zoo_data(const std::string& path) {
  const std::string stem = path.substr(0, path.rfind('.'));
  if (!is_file(stem + "_images.npy")) {
    return {};
  }
  return {stem + "_images.npy", stem + "_labels.npy", stem + "_calibrate.npy"};
}

Value resolve_accelerator(const Value& given, const std::string& key, ErrorList& errors) {
  std::optional<Value> whole = resolved(given, key, 0, errors);
  return whole ? std::move(*whole) : given;
}

std::vector<sim::TechnologyNode> technology_nodes() {
  return sim::read_technology_nodes((root_folder() / "data" / "technology_nodes.csv").string());
}

std::optional<sim::TechnologyNode> find_node(const std::string& text, const std::string& key,
                                             const Place& place, ErrorList& errors) {
  const std::size_t colon = text.rfind(".csv:");
  const bool is_own = colon != std::string::npos;
  const std::string name = is_own ? text.substr(colon + 5) : text;
  std::vector<sim::TechnologyNode> nodes;
  try {
    nodes =
        is_own
            ? sim::read_technology_nodes(absolute_path(text.substr(0, colon + 4), folder_of(place)))
            : technology_nodes();
  } catch (const Failure& failure) {
    for (const Error& error : failure.errors()) {
      errors.add(error.code, key + ": " + error.what, error.where, error.cure);
    }
    return std::nullopt;
  }
  std::vector<std::string> names;
  for (sim::TechnologyNode& node : nodes) {
    if (node.name == name) {
      return std::move(node);
    }
    names.push_back(node.name);
  }
  errors.add(ErrorCode::kNotFound, key + ": no technology node is named '" + name + "'",
             place.text(),
             suggestion(name, names) + " (one of a file of your own is FILE.csv:NAME)");
  return std::nullopt;
}

namespace {

/// Settings mean all memories by *; in a file each has its name.
void check_memory_names(const Value& accelerator, const std::string& key, ErrorList& errors) {
  const Value* memory = accelerator.find("memory");
  if (memory == nullptr || !memory->is_map()) {
    return;
  }
  std::vector<std::string> names;
  for (const Entry& entry : memory->entries) {
    if (entry.key != "*") {
      names.push_back(entry.key);
    }
  }
  for (const Entry& entry : memory->entries) {
    if (entry.key == "*") {
      const std::string all = join(names, ", ");
      errors.add(ErrorCode::kInvalidInput, key + ".memory.*: '*' is the name of no memory",
                 entry.place.text(),
                 (names.empty() ? "name the memories" : "name each of " + all) +
                     ", or set all at once with --set or sweep: '" + key + ".memory.*.KEY'");
    }
  }
}

}  // namespace

bridge::AcceleratorConfig read_accelerator(const Value& given, const std::string& key,
                                           ErrorList& errors) {
  bridge::AcceleratorConfig config;
  ErrorList own;
  const Value map = resolve_accelerator(given, key, own);
  check_memory_names(map, key, own);
  try {
    own.throw_if_any();
  } catch (const Failure& failure) {
    errors.add(failure);
    return config;
  }
  read_fields(bridge::accelerator_fields(), map, key, config, errors);
  bridge::convert_times(config, map, key, errors);
  if (const Value* node = map.find("node"); node != nullptr && node->is_scalar()) {
    find_node(config.node, key + ".node", node->place, errors);
    if (const std::size_t colon = config.node.rfind(".csv:"); colon != std::string::npos) {
      config.node = absolute_path(config.node.substr(0, colon + 4), folder_of(node->place)) +
                    config.node.substr(colon + 4);
    }
  }
  return config;
}

bridge::AcceleratorConfig accelerator_of_flag(const std::string& text) {
  Value name = Value::of(text);
  name.place = {"--accelerator", 0, 0};
  ErrorList errors;
  bridge::AcceleratorConfig config = read_accelerator(name, "accelerator", errors);
  errors.throw_if_any();
  return config;
}

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/start_cache.h"

#include <ATen/Version.h>
#include <ATen/core/List.h>
#include <torch/csrc/jit/serialization/pickle.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace tilestrike::bridge {
namespace {

constexpr std::size_t kHashLength = 32;

/// All numbers of a start depend on the program, which is built for one version of its libraries,
/// and on the processor.
const std::string& program_identity() {
  static const std::string identity =
      content_hash_of_file("/proc/self/exe") + " " + at::get_cpu_capability();
  return identity;
}

}  // namespace

StartCache::StartCache(std::string folder) : folder_(std::move(folder)) {}

std::string StartCache::path_of(const std::string& what, const std::string& key) const {
  return folder_ + "/" + what + "-" + content_hash(program_identity() + "\n" + key);
}

std::optional<c10::IValue> StartCache::find(const std::string& what, const std::string& key) const {
  std::error_code error;
  if (!is_on() || !std::filesystem::is_regular_file(path_of(what, key), error)) {
    return std::nullopt;
  }
  try {
    const std::string file = read_text_file(path_of(what, key));
    if (file.size() <= kHashLength ||
        content_hash(file.substr(kHashLength)) != file.substr(0, kHashLength)) {
      return std::nullopt;
    }
    return torch::jit::pickle_load({file.begin() + kHashLength, file.end()});
  } catch (const Failure&) {  // it cannot be read
    return std::nullopt;
  }
}

void StartCache::keep(const std::string& what, const std::string& key,
                      const c10::IValue& content) const {
  if (!is_on()) {
    return;
  }
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  const std::vector<char> bytes = torch::jit::pickle_save(content);
  // Another process may keep the same: each writes a file of its own, and the last one stays.
  const std::string path = path_of(what, key), written = path + "." + std::to_string(::getpid());
  std::ofstream file(written, std::ios::binary);
  file << content_hash({bytes.data(), bytes.size()});
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file) {
    std::filesystem::rename(written, path, error);
  }
  std::filesystem::remove(written, error);
}

c10::IValue Calibration::kept() const {
  c10::List<std::string> told;
  for (const std::string& warning : warnings) {
    told.push_back(warning);
  }
  c10::List<double> largest;
  c10::List<std::int64_t> kinds, sizes;  // sizes: how many, then each
  for (const dnn::ValueStatistics& value : values) {
    largest.push_back(value.largest);
    kinds.push_back(static_cast<std::int64_t>(value.type) * 4 + (value.is_tensor ? 2 : 0) +
                    (value.is_float ? 1 : 0));
    sizes.push_back(static_cast<std::int64_t>(value.sizes.size()));
    for (const std::int64_t size : value.sizes) {
      sizes.push_back(size);
    }
  }
  return c10::ivalue::Tuple::create({images_hash, told, largest, kinds, sizes});
}

Calibration Calibration::of(const c10::IValue& kept) {
  const auto& parts = kept.toTupleRef().elements();
  Calibration calibration;
  calibration.images_hash = parts[0].toStringRef();
  for (const c10::IValue& warning : parts[1].toListRef()) {
    calibration.warnings.push_back(warning.toStringRef());
  }
  const std::vector<double> largest = parts[2].toDoubleVector();
  const std::vector<std::int64_t> kinds = parts[3].toIntVector(), sizes = parts[4].toIntVector();
  auto size = sizes.begin();
  for (std::size_t i = 0; i < largest.size(); ++i) {
    dnn::ValueStatistics& value = calibration.values.emplace_back();
    value.largest = largest[i];
    value.type = static_cast<c10::ScalarType>(kinds[i] / 4);
    value.is_tensor = (kinds[i] & 2) != 0;
    value.is_float = (kinds[i] & 1) != 0;
    const std::int64_t dimensions = *size++;
    value.sizes.assign(size, size + dimensions);
    size += dimensions;
  }
  return calibration;
}

}  // namespace tilestrike::bridge

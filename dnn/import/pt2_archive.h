// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The container of a .pt2 file: a zip with a JSON graph and raw weights. Reads records and tensors,
// and refuses whatever does not fit together; knows nothing of operators.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace caffe2::serialize {
class PyTorchStreamReader;
}

namespace tilestrike::dnn {

/// The c10 type of a type code of the archive. Throws Failure for a code that is not known.
c10::ScalarType type_of_code(std::int64_t code, const std::string& what, const std::string& where);

/// An integer of the file, never a fraction or a number beyond 64 bits (throws json::type_error).
std::int64_t integer_of(const nlohmann::json& json);

class Pt2Archive {
 public:
  /// Throws Failure: no such file, a folder, not a zip, truncated, another kind of archive.
  explicit Pt2Archive(std::string path);
  ~Pt2Archive();

  const std::string& path() const { return path_; }
  /// The exported program. Throws Failure when it is damaged, or of another schema version.
  nlohmann::json program();
  /// A parameter, buffer or constant by its name in the module ("stage1.conv1.weight"). Entries
  /// that share bytes in the file (tied weights) share storage here.
  at::Tensor tensor(const std::string& name, c10::Device device);

 private:
  std::string record(const std::string& name);
  at::Tensor record_bytes(const std::string& name);
  nlohmann::json parsed(const std::string& name);
  [[noreturn]] void damaged(const std::string& what) const;

  std::string path_;
  std::int64_t file_bytes_ = 0;
  std::unique_ptr<caffe2::serialize::PyTorchStreamReader> reader_;
  std::map<std::string, std::uint32_t> checksums_;  // by record
  struct Entries;
  std::unique_ptr<Entries> entries_;
  std::map<std::string, at::Tensor> storages_;  // record -> its bytes
};

}  // namespace tilestrike::dnn

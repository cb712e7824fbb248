// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The container of a .pt2 file: a zip with a JSON graph and weights, in each of the layouts that
// torch.export.save has written since PyTorch 2.5: weights as raw bytes (2.9 and later), or as
// files of torch.save. Reads records and tensors, and refuses whatever does not fit together; knows
// nothing of operators.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "dnn/import/pickle.h"
#include "dnn/import/zip_file.h"

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
  /// A file of torch.save within the archive.
  struct Saved {
    std::string record;
    ZipFile zip;
    std::string folder;  // of its records: "archive/"
    std::unique_ptr<Pickle> pickle;
  };

  void find_program();
  [[noreturn]] void refuse_without_program() const;
  nlohmann::json parsed(const std::string& record);
  Saved& saved(const std::string& record);
  at::Tensor from_bytes(const std::string& name, const nlohmann::json& entry,
                        const std::string& folder, c10::Device device);
  at::Tensor from_pickle(const std::string& name, const PickleValue& value, Saved& file,
                         c10::Device device);
  /// The bytes of a record, on the device, read once.
  at::Tensor& storage(ZipFile& zip, const std::string& record, const std::string& key,
                      c10::Device device);
  at::Tensor view_of(const at::Tensor& bytes, const StoredTensor& stored,
                     const std::string& label) const;
  [[noreturn]] void damaged(const std::string& what) const;

  std::string path_;
  ZipFile zip_;
  std::string folder_;  // of all records, with its slash: "resnet8/"; there may be none
  std::string model_;   // "model"; empty in the oldest layout
  struct Entries;
  std::unique_ptr<Entries> entries_;
  std::map<std::string, std::unique_ptr<Saved>> saved_;  // by record
  std::map<std::string, at::Tensor> storages_;           // by record, within its file
};

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/pt2_archive.h"

#include <ATen/ops/empty.h>
#include <c10/core/CPUAllocator.h>
#include <caffe2/serialize/inline_container.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "dnn/import/zip_directory.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int64_t kSchemaMajor = 8;
constexpr std::int64_t kStrided = 7;  // the archive's code of a plain layout
constexpr int kDeepestJson = 200;
constexpr std::int64_t kMostInflation = 1032;  // deflate cannot do more
constexpr char kExportAgain[] =
    "write it again with torch.export.save(torch.export.export(model.eval(), ...), path)";

const std::string kProgram = "models/model.json";
const std::string kWeights = "data/weights/";
const std::string kConstants = "data/constants/";

std::string first_line(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

void check_is_zip(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    fail(ErrorCode::kNotFound, "there is no such file", path, "check the path of the model");
  }
  if (std::filesystem::is_directory(path, ignored)) {
    fail(ErrorCode::kInvalidInput, "this is a folder, not a .pt2 archive", path,
         "name the file that torch.export.save wrote");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    fail(ErrorCode::kMachine, "the file cannot be read", path, "check its permissions");
  }
  std::array<char, 4> magic{};
  file.read(magic.data(), magic.size());
  if (std::string_view(magic.data(), magic.size()) != std::string_view("PK\x03\x04", 4)) {
    fail(ErrorCode::kInvalidInput, "this is not a .pt2 archive (it is no zip file)", path,
         kExportAgain);
  }
}

}  // namespace

c10::ScalarType type_of_code(std::int64_t code, const std::string& what, const std::string& where) {
  switch (code) {
    case 1:
      return c10::kByte;
    case 2:
      return c10::kChar;
    case 3:
      return c10::kShort;
    case 4:
      return c10::kInt;
    case 5:
      return c10::kLong;
    case 6:
      return c10::kHalf;
    case 7:
      return c10::kFloat;
    case 8:
      return c10::kDouble;
    case 12:
      return c10::kBool;
    case 13:
      return c10::kBFloat16;
    default:
      fail(ErrorCode::kUnsupported,
           what + " has the element type with code " + std::to_string(code), where,
           "allowed: bool, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64");
  }
}

std::int64_t integer_of(const nlohmann::json& json) {
  if (!json.is_number_integer() ||
      (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX)) {
    throw nlohmann::json::type_error::create(302, "not a 64-bit integer: " + json.dump(), &json);
  }
  return json.get<std::int64_t>();
}

/// Of each weight and constant by its name: where its bytes are and what they mean.
struct Pt2Archive::Entries {
  nlohmann::json weights, constants;
};

Pt2Archive::Pt2Archive(std::string path)
    : path_(std::move(path)), entries_(std::make_unique<Entries>()) {
  check_is_zip(path_);
  std::error_code ignored;
  file_bytes_ = static_cast<std::int64_t>(std::filesystem::file_size(path_, ignored));
  try {
    reader_ = std::make_unique<caffe2::serialize::PyTorchStreamReader>(path_);
    if (!reader_->hasRecord(kProgram)) {
      if (reader_->hasRecord("constants.pkl")) {
        fail(ErrorCode::kUnsupported,
             "this is a TorchScript file, which does not say what shape its images have", path_,
             std::string("use it where images are given (infer, run), or ") + kExportAgain);
      }
      if (reader_->hasRecord("data.pkl")) {
        fail(ErrorCode::kUnsupported,
             "this is a pickle of torch.save (a state_dict or a whole module), which can run any "
             "code and is not read",
             path_, std::string("load it into the model in Python, then ") + kExportAgain);
      }
      fail(ErrorCode::kInvalidInput, "this archive holds no exported program (no " + kProgram + ")",
           path_, kExportAgain);
    }
    for (const auto& [name, checksum] : zip_checksums(path_)) {
      checksums_[name.substr(name.find('/') + 1)] = checksum;  // without the archive's own folder
    }
    if (reader_->hasRecord("byteorder") && record("byteorder") != "little") {
      fail(ErrorCode::kUnsupported, "its weights are not little-endian", path_,
           "export the model on a little-endian machine");
    }
  } catch (const c10::Error& error) {
    damaged(first_line(error));
  }
}

Pt2Archive::~Pt2Archive() = default;

void Pt2Archive::damaged(const std::string& what) const {
  fail(ErrorCode::kInvalidInput, "the archive is damaged or truncated: " + what, path_,
       std::string("copy the file again, or ") + kExportAgain);
}

at::Tensor Pt2Archive::record_bytes(const std::string& name) {
  try {
    if (!reader_->hasRecord(name)) {
      damaged("it has no record " + name);
    }
    const auto size = reader_->getRecordSize(name);
    if (size > static_cast<std::uint64_t>(file_bytes_) * kMostInflation) {
      damaged("record " + name + " claims more bytes than the file can hold");
    }
    auto [data, bytes] = reader_->getRecord(name);
    const auto checksum = checksums_.find(name);
    if (checksum == checksums_.end() || checksum->second != checksum_of(data.get(), bytes)) {
      damaged("the bytes of record " + name + " do not have their checksum (CRC-32)");
    }
    const c10::Storage storage(c10::Storage::use_byte_size_t(), bytes, std::move(data), nullptr,
                               false);
    return at::empty({0}, c10::kByte).set_(storage, 0, {static_cast<std::int64_t>(bytes)}, {1});
  } catch (const c10::Error& error) {
    damaged(name + ": " + first_line(error));
  }
}

std::string Pt2Archive::record(const std::string& name) {
  const at::Tensor bytes = record_bytes(name);
  return {static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()};
}

nlohmann::json Pt2Archive::parsed(const std::string& name) {
  // Copying or printing a value recurses, so that a stack's worth of brackets would end the
  // process.
  const auto check_depth = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > kDeepestJson) {
      damaged(name + ": its values are nested more than " + std::to_string(kDeepestJson) + " deep");
    }
    return true;
  };
  try {
    return nlohmann::json::parse(record(name), check_depth);
  } catch (const nlohmann::json::exception& error) {
    damaged(name + ": " + error.what());
  }
}

nlohmann::json Pt2Archive::program() {
  nlohmann::json program = parsed(kProgram);
  std::int64_t major = 0;
  try {
    major = integer_of(program.at("schema_version").at("major"));
    entries_->weights = parsed(kWeights + "model_weights_config.json").at("config");
    entries_->constants = parsed(kConstants + "model_constants_config.json").at("config");
  } catch (const nlohmann::json::exception& error) {
    damaged(error.what());
  }
  if (major != kSchemaMajor) {
    fail(ErrorCode::kVersionMismatch,
         "the archive has schema version " + std::to_string(major) + "; this program reads " +
             std::to_string(kSchemaMajor),
         path_, "export the model with PyTorch 2.13 (torch.export.save)");
  }
  return program;
}

at::Tensor Pt2Archive::tensor(const std::string& name, c10::Device device) {
  const auto& [weights, constants] = *entries_;
  const bool is_weight = weights.contains(name);
  if (!is_weight && !constants.contains(name)) {
    damaged("it has no weight '" + name + "'");
  }
  const nlohmann::json& entry = (is_weight ? weights : constants).at(name);
  const std::string label = "weight '" + name + "'";
  if (entry.at("use_pickle").get<bool>() || entry.at("tensor_meta").is_null()) {
    fail(ErrorCode::kUnsupported, label + " is stored as a pickle, which can run any code", path_,
         "save plain tensors: replace custom objects and tensor subclasses before torch.export");
  }
  const nlohmann::json& meta = entry.at("tensor_meta");
  const c10::ScalarType type = type_of_code(integer_of(meta.at("dtype")), label, path_);
  if (integer_of(meta.at("layout")) != kStrided) {
    fail(ErrorCode::kUnsupported, label + " is not a dense tensor", path_,
         "call .to_dense() on it before torch.export");
  }
  std::vector<std::int64_t> sizes, strides;
  for (const auto& size : meta.at("sizes")) {
    sizes.push_back(integer_of(size.at("as_int")));
  }
  for (const auto& stride : meta.at("strides")) {
    strides.push_back(integer_of(stride.at("as_int")));
  }
  const std::int64_t offset = integer_of(meta.at("storage_offset").at("as_int"));

  const std::string bytes_name =
      (is_weight ? kWeights : kConstants) + entry.at("path_name").get<std::string>();
  at::Tensor& bytes = storages_[bytes_name];
  if (!bytes.defined()) {
    bytes = record_bytes(bytes_name).to(device);
  }

  // The last element reached, in 128 bits, as the file may claim anything.
  bool is_sound = sizes.size() == strides.size() && offset >= 0;
  __int128 last = offset;
  bool is_empty = false;
  for (std::size_t i = 0; is_sound && i < sizes.size(); ++i) {
    is_sound = sizes[i] >= 0 && strides[i] >= 0;
    is_empty = is_empty || sizes[i] == 0;
    last += static_cast<__int128>(sizes[i] - 1) * strides[i];
    is_sound = is_sound && last < INT64_MAX;
  }
  const auto element = static_cast<std::int64_t>(c10::elementSize(type));
  if (!is_sound || (!is_empty && (last + 1) * element > bytes.numel())) {
    damaged(label + " reaches beyond its " + std::to_string(bytes.numel()) + " bytes in " +
            bytes_name);
  }
  return at::empty({0}, at::TensorOptions(type).device(device))
      .set_(bytes.storage(), offset, sizes, strides);
}

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/pt2_archive.h"

#include <ATen/ops/empty.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int64_t kSchemaMajor = 8;
constexpr std::int64_t kStrided = 7;  // the archive's code of a plain layout
constexpr int kDeepestJson = 200;
constexpr std::uint64_t kMostPickle = std::uint64_t{8} << 20;
constexpr char kExportAgain[] =
    "write it again with torch.export.save(torch.export.export(model.eval(), ...), path)";

const std::string kModels = "models/";
const std::string kWeights = "data/weights/";
const std::string kConstants = "data/constants/";
// The layout of PyTorch 2.5 to 2.7.
const std::string kOldProgram = "serialized_exported_program.json";
const std::string kOldWeights = "serialized_state_dict.pt";
const std::string kOldConstants = "serialized_constants.pt";

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
    case 9:
      return c10::kComplexHalf;
    case 10:
      return c10::kComplexFloat;
    case 11:
      return c10::kComplexDouble;
    case 12:
      return c10::kBool;
    case 13:
      return c10::kBFloat16;
    case 28:
      return c10::ScalarType::UInt16;
    case 29:
      return c10::ScalarType::Float8_e4m3fn;
    case 30:
      return c10::ScalarType::Float8_e5m2;
    case 31:
      return c10::ScalarType::Float8_e4m3fnuz;
    case 32:
      return c10::ScalarType::Float8_e5m2fnuz;
    case 33:
      return c10::ScalarType::Float8_e8m0fnu;
    case 34:
      return c10::ScalarType::UInt32;
    case 35:
      return c10::ScalarType::UInt64;
    default:
      fail(ErrorCode::kUnsupported,
           what + " has the element type with code " + std::to_string(code), where,
           "allowed: bool, integers of 8 to 64 bits, float8 to float64, bfloat16, complex numbers");
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
  struct Pickled {
    const PickleValue* value;
    Saved* file;
  };
  std::map<std::string, Pickled> pickled;  // in layouts that have no raw bytes

  void add(Saved& file) {
    for (const auto& [key, value] : file.pickle->root().pairs) {
      pickled.emplace(key->text, Pickled{value, &file});
    }
  }
};

Pt2Archive::Pt2Archive(std::string path)
    : path_((check_is_zip(path), std::move(path))),
      zip_(path_),
      entries_(std::make_unique<Entries>()) {
  try {
    find_program();
    if (zip_.has(folder_ + "byteorder") && zip_.read_text(folder_ + "byteorder") != "little") {
      fail(ErrorCode::kUnsupported, "its weights are not little-endian", path_,
           "export the model on a little-endian machine");
    }
  } catch (const ZipError& error) {
    damaged(error.what());
  }
}

Pt2Archive::~Pt2Archive() = default;

void Pt2Archive::damaged(const std::string& what) const {
  fail(ErrorCode::kInvalidInput, "the archive is damaged or truncated: " + what, path_,
       std::string("copy the file again, or ") + kExportAgain);
}

void Pt2Archive::find_program() {
  if (zip_.names().empty()) {
    damaged("it has no directory at its end");
  }
  folder_ = zip_.names().front();
  folder_.resize(folder_.find('/') == std::string::npos ? 0 : folder_.find('/') + 1);
  if (zip_.has(folder_ + kOldProgram)) {
    return;
  }
  std::vector<std::string> models;
  const std::string before = folder_ + kModels;
  for (const std::string& name : zip_.names()) {
    if (name.starts_with(before) && name.ends_with(".json")) {
      models.push_back(name.substr(before.size(), name.size() - before.size() - 5));
    }
  }
  if (models.size() > 1) {
    fail(ErrorCode::kUnsupported,
         "this archive holds " + std::to_string(models.size()) + " programs: " + join(models, ", "),
         path_, "save the one that is meant by itself with torch.export.save");
  }
  if (models.empty()) {
    refuse_without_program();
  }
  model_ = models.front();
}

void Pt2Archive::refuse_without_program() const {
  if (zip_.has(folder_ + "constants.pkl")) {
    fail(ErrorCode::kUnsupported,
         "this is a TorchScript file, which does not say what shape its images have", path_,
         std::string("use it where images are given (infer, run), or ") + kExportAgain);
  }
  if (zip_.has(folder_ + "data.pkl")) {
    fail(ErrorCode::kUnsupported,
         "this is a pickle of torch.save (a state_dict or a whole module), which can run any "
         "code and is not read",
         path_, std::string("load it into the model in Python, then ") + kExportAgain);
  }
  for (const std::string& name : zip_.names()) {
    if (name.starts_with(folder_ + "data/aotinductor/")) {
      fail(
          ErrorCode::kUnsupported,
          "this archive holds a program that AOTInductor has compiled, whose layers cannot be seen",
          path_, "save the exported program itself: torch.export.save(exported, path)");
    }
  }
  fail(ErrorCode::kInvalidInput,
       "this archive holds no exported program (no " + kModels + "model.json)", path_,
       kExportAgain);
}

nlohmann::json Pt2Archive::parsed(const std::string& record) {
  // Copying or printing a value recurses, so that a stack's worth of brackets would end the
  // process.
  const auto check_depth = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > kDeepestJson) {
      damaged(record + ": its values are nested more than " + std::to_string(kDeepestJson) +
              " deep");
    }
    return true;
  };
  try {
    return nlohmann::json::parse(zip_.read_text(record), check_depth);
  } catch (const ZipError& error) {
    damaged(error.what());
  } catch (const nlohmann::json::exception& error) {
    damaged(record + ": " + error.what());
  }
}

Pt2Archive::Saved& Pt2Archive::saved(const std::string& record) {
  std::unique_ptr<Saved>& file = saved_[record];
  if (file != nullptr) {
    return *file;
  }
  try {
    auto read = std::make_unique<Saved>(Saved{record, ZipFile(zip_.read(record)), {}, {}});
    for (const std::string& name : read->zip.names()) {
      if (name.ends_with("/data.pkl")) {
        read->folder = name.substr(0, name.find('/') + 1);
      }
    }
    const at::Tensor pickle = read->zip.read(read->folder + "data.pkl");
    if (pickle.nbytes() > kMostPickle) {
      damaged(record + ": its list of tensors has " + std::to_string(pickle.nbytes()) + " bytes");
    }
    const auto* bytes = static_cast<const char*>(pickle.const_data_ptr());
    read->pickle = std::make_unique<Pickle>(std::string_view(bytes, pickle.nbytes()));
    file = std::move(read);
    return *file;
  } catch (const ZipError& error) {
    damaged(record + ": " + error.what());
  } catch (const PickleError& error) {
    damaged(record + ": " + error.what());
  }
}

nlohmann::json Pt2Archive::program() {
  const bool is_old = model_.empty();
  nlohmann::json program = parsed(folder_ + (is_old ? kOldProgram : kModels + model_ + ".json"));
  std::int64_t major = 0;
  std::string writer;
  try {
    major = integer_of(program.at("schema_version").at("major"));
    writer = program.value("torch_version", "");
  } catch (const nlohmann::json::exception& error) {
    damaged(error.what());
  }
  if (major != kSchemaMajor) {
    fail(ErrorCode::kVersionMismatch,
         "the archive has schema version " + std::to_string(major) +
             (writer.empty() ? "" : ", of PyTorch " + writer) + "; this program reads " +
             std::to_string(kSchemaMajor),
         path_, "export the model with PyTorch 2.13 (torch.export.save)");
  }
  const std::string weights = folder_ + kWeights + model_,
                    constants = folder_ + kConstants + model_;
  try {
    if (is_old) {
      entries_->add(saved(folder_ + kOldWeights));
      entries_->add(saved(folder_ + kOldConstants));
    } else if (!zip_.has(weights + "_weights_config.json") && zip_.has(weights + ".pt")) {
      entries_->add(saved(weights + ".pt"));  // PyTorch 2.8
      entries_->add(saved(constants + ".pt"));
    } else {
      entries_->weights = parsed(weights + "_weights_config.json").at("config");
      entries_->constants = parsed(constants + "_constants_config.json").at("config");
    }
  } catch (const nlohmann::json::exception& error) {
    damaged(error.what());
  }
  return program;
}

at::Tensor Pt2Archive::tensor(const std::string& name, c10::Device device) {
  const auto pickled = entries_->pickled.find(name);
  if (pickled != entries_->pickled.end()) {
    return from_pickle(name, *pickled->second.value, *pickled->second.file, device);
  }
  const bool is_weight = entries_->weights.contains(name);
  if (!is_weight && !entries_->constants.contains(name)) {
    damaged("it has no weight '" + name + "'");
  }
  return from_bytes(name, (is_weight ? entries_->weights : entries_->constants).at(name),
                    folder_ + (is_weight ? kWeights : kConstants), device);
}

at::Tensor Pt2Archive::from_bytes(const std::string& name, const nlohmann::json& entry,
                                  const std::string& folder, c10::Device device) {
  const std::string label = "weight '" + name + "'";
  const std::string record = folder + entry.at("path_name").get<std::string>();
  if (entry.at("use_pickle").get<bool>()) {
    Saved& file = saved(record);
    return from_pickle(name, file.pickle->root(), file, device);
  }
  const nlohmann::json& meta = entry.at("tensor_meta");
  StoredTensor stored;
  stored.record = record;
  stored.type = type_of_code(integer_of(meta.at("dtype")), label, path_);
  if (integer_of(meta.at("layout")) != kStrided) {
    fail(ErrorCode::kUnsupported, label + " is not a dense tensor", path_,
         "call .to_dense() on it before torch.export");
  }
  for (const auto& size : meta.at("sizes")) {
    stored.sizes.push_back(integer_of(size.at("as_int")));
  }
  for (const auto& stride : meta.at("strides")) {
    stored.strides.push_back(integer_of(stride.at("as_int")));
  }
  stored.offset = integer_of(meta.at("storage_offset").at("as_int"));
  return view_of(storage(zip_, record, record, device), stored, label);
}

at::Tensor Pt2Archive::from_pickle(const std::string& name, const PickleValue& value, Saved& file,
                                   c10::Device device) {
  const std::string label = "weight '" + name + "'";
  StoredTensor stored;
  try {
    stored = stored_tensor(value);
  } catch (const PickleError& error) {
    fail(ErrorCode::kUnsupported,
         label + " is no plain tensor but " + error.what() +
             ", which only Python code could make again",
         path_,
         "take tensor subclasses apart before torch.export: torchao.utils.unwrap_tensor_subclass("
         "model) leaves integer weights and their scales");
  }
  const std::string key = file.record + " " + stored.record;
  return view_of(storage(file.zip, file.folder + stored.record, key, device), stored, label);
}

at::Tensor& Pt2Archive::storage(ZipFile& zip, const std::string& record, const std::string& key,
                                c10::Device device) {
  at::Tensor& bytes = storages_[key];
  if (!bytes.defined()) {
    try {
      bytes = zip.read(record).to(device);
    } catch (const ZipError& error) {
      damaged(error.what());
    }
  }
  return bytes;
}

at::Tensor Pt2Archive::view_of(const at::Tensor& bytes, const StoredTensor& stored,
                               const std::string& label) const {
  // The last element reached, in 128 bits, as the file may claim anything.
  const auto& [record, type, offset, sizes, strides] = stored;
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
    damaged(label + " reaches beyond its " + std::to_string(bytes.numel()) + " bytes in " + record);
  }
  return at::empty({0}, at::TensorOptions(type).device(bytes.device()))
      .set_(bytes.storage(), offset, sizes, strides);
}

}  // namespace tilestrike::dnn

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/input_data.h"

#include <ATen/ops/equal.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "dnn/data.h"
#include "dnn/data_files.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int64_t kImageDimensions = 4;

std::string type_name(c10::ScalarType type) {
  switch (type) {
    case c10::kFloat:
      return "float32";
    case c10::kDouble:
      return "float64";
    case c10::kHalf:
      return "float16";
    case c10::kBFloat16:
      return "bfloat16";
    case c10::kLong:
      return "int64";
    case c10::kInt:
      return "int32";
    case c10::kShort:
      return "int16";
    case c10::kChar:
      return "int8";
    case c10::kByte:
      return "uint8";
    case c10::kBool:
      return "bool";
    default:
      return c10::toString(type);
  }
}

std::vector<std::string> names_of(const InputFiles& files) {
  std::vector<std::string> names;
  for (const InputFile& file : files.all()) {
    names.push_back(file.name);
  }
  return names;
}

/// Numbers that are no images: of one integer type, or bool, into another one.
at::Tensor number_rows(const ArrayFile& file, const std::string& path, c10::ScalarType type) {
  const c10::ScalarType held = file.rows.scalar_type();
  const std::string numpy = type == c10::kBool ? "numpy.bool_" : "numpy." + type_name(type);
  const std::string cure = "save it with numpy.save(path, array.astype(" + numpy + "))";
  if (!c10::isIntegralType(held, true)) {
    fail(ErrorCode::kInvalidInput,
         "its elements have the type " + type_name(held) + ", and this input takes " +
             type_name(type),
         path, cure);
  }
  if (file.rows.numel() == 0) {
    fail(ErrorCode::kInvalidInput, "it is empty: its shape is " + shape_text(file.rows.sizes()),
         path, "save at least one row");
  }
  at::Tensor rows = file.rows.to(type);
  if (!at::equal(rows.to(held), file.rows)) {
    fail(ErrorCode::kInvalidInput,
         "it holds " + type_name(held) + " numbers that " + type_name(type) + " cannot hold", path,
         "check what is in it, or " + cure);
  }
  return rows;
}

at::Tensor float_rows(const ArrayFile& file, const std::string& path, bool may_be_bytes) {
  if (!may_be_bytes && file.rows.scalar_type() == c10::kByte) {
    fail(ErrorCode::kInvalidInput,
         "it holds bytes, and this input takes float32 numbers that are no images", path,
         "save it with numpy.save(path, array.astype(numpy.float32)); images (N, C, H, W) may be "
         "bytes, which are divided by 255");
  }
  if (file.rows.dim() == 1 && c10::isFloatingType(file.rows.scalar_type()) &&
      file.rows.numel() > 0) {
    at::Tensor rows = file.rows.to(c10::kFloat);  // a number for each inference
    check_finite(rows, path);
    return rows;
  }
  return image_rows(file, path);
}

/// Numbers for an input of any floating-point type; a model of float64 gets all digits of its file.
at::Tensor real_rows(const ArrayFile& file, const std::string& path, bool may_be_bytes,
                     c10::ScalarType type) {
  at::Tensor rows = float_rows(file, path, may_be_bytes);
  const bool has_more = type == c10::kDouble && file.rows.scalar_type() == c10::kDouble;
  return has_more ? file.rows.view(rows.sizes()) : rows.to(type);
}

void check_lengths(const std::vector<std::int64_t>& totals, const InputFiles& files) {
  for (std::size_t i = 1; i < totals.size(); ++i) {
    if (totals[i] != totals.front()) {
      fail(ErrorCode::kInvalidInput,
           "it has " + std::to_string(totals[i]) + " rows, and " + files.all().front().path +
               " has " + std::to_string(totals.front()),
           files.all()[i].path, "give every input one row for each inference");
    }
  }
}

/// "ids: int64 (N, 16)".
std::string description(const ValueInfo& info) {
  return info.name + ": " + type_name(info.type) + " " + shape_text(info.sizes);
}

}  // namespace

std::vector<std::size_t> files_by_input(const std::vector<std::string>& given,
                                        const std::vector<std::string>& inputs,
                                        const std::vector<std::string>& described,
                                        const std::string& model) {
  const std::size_t named = given.size() - std::ranges::count(given, std::string());
  const std::string cure =
      "give one file for each, by name (" + inputs.front() + "=FILE.npy) or in this order";
  if (given.size() != inputs.size() || (named != 0 && named != given.size())) {
    fail(ErrorCode::kInvalidInput,
         "the model has " + std::to_string(inputs.size()) +
             (inputs.size() == 1 ? " input (" : " inputs (") + join(described, ", ") + "), and " +
             std::to_string(given.size()) +
             (given.size() == 1 ? " file is given" : " files are given") +
             (named != 0 && named != given.size() ? ", some without a name" : ""),
         model, cure);
  }
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (named == 0) {
      places.push_back(i);
      continue;
    }
    const auto found = std::ranges::find(given, inputs[i]);
    if (found == given.end()) {
      const auto unknown = std::ranges::find_if(given, [&](const std::string& name) {
        return std::ranges::find(inputs, name) == inputs.end();
      });
      fail(ErrorCode::kNotFound,
           unknown == given.end() ? "no file is given for the model's input '" + inputs[i] + "'"
                                  : "the model has no input '" + *unknown + "'",
           model, "its inputs: " + join(described, ", "));
    }
    places.push_back(static_cast<std::size_t>(found - given.begin()));
  }
  return places;
}

InputData load_inputs(const Network& network, const std::string& model, const InputFiles& files,
                      const std::string& labels, RowChoice choice) {
  std::vector<std::string> names, described;
  for (const ValueId id : network.inputs) {
    names.push_back(network.info(id).name);
    described.push_back(description(network.info(id)));
  }
  const std::vector<std::size_t> places = files_by_input(names_of(files), names, described, model);
  std::vector<at::Tensor> tensors;
  std::vector<std::int64_t> totals(files.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const ValueInfo& info = network.info(network.inputs[i]);
    const std::string path = path_of_images(files.all()[places[i]].path);
    const ArrayFile file = read_rows(path, choice);
    const bool may_be_bytes = names.size() == 1 || info.sizes.size() == kImageDimensions;
    tensors.push_back(c10::isFloatingType(info.type)
                          ? real_rows(file, path, may_be_bytes, info.type)
                          : number_rows(file, path, info.type));
    check_images_fit(tensors.back(), path, info.sizes);
    totals[places[i]] = file.total;
  }
  check_lengths(totals, files);
  InputData data;
  data.inputs = Inputs(std::move(tensors));
  data.total = totals.front();
  const std::string labels_path =
      labels.empty() ? path_of_own_labels(files.all().front().path) : labels;
  data.labels_path = labels_path;
  data.are_labels_of_images = labels.empty() && !labels_path.empty();
  if (!labels_path.empty()) {
    data.labels = label_rows(read_rows(labels_path, choice), labels_path, totals.front());
  }
  return data;
}

std::vector<NamedInput> load_untyped(const InputFiles& files, RowChoice choice) {
  std::vector<NamedInput> loaded;
  std::vector<std::int64_t> totals;
  for (const InputFile& file : files.all()) {
    const std::string path = path_of_images(file.path);
    const ArrayFile rows = read_rows(path, choice);
    const c10::ScalarType held = rows.rows.scalar_type();
    const bool may_be_bytes = files.size() == 1 || rows.rows.dim() == kImageDimensions;
    const bool is_image = c10::isFloatingType(held) || (held == c10::kByte && may_be_bytes);
    loaded.push_back({file.name, is_image ? float_rows(rows, path, may_be_bytes)
                                          : number_rows(rows, path, held)});
    totals.push_back(rows.total);
  }
  check_lengths(totals, files);
  return loaded;
}

}  // namespace tilestrike::dnn

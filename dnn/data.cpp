// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/data.h"

#include <ATen/ops/div.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/text.h"
#include "dnn/data_files.h"

namespace tilestrike::dnn {
namespace {

constexpr char kFashionMnist[] = "/usr/share/datasets/fashion-mnist/";
constexpr char kFashionMnistCure[] =
    "install the Debian package dataset-fashion-mnist (apt-get install dataset-fashion-mnist)";
constexpr const char* kTrain = "fashion_mnist/train";
constexpr std::array kNames{kTrain, "fashion_mnist/test"};

/// "train" or "t10k"; empty: no data set. Throws Failure for one that is not known.
std::string part_of_data_set(const std::string& images) {
  if (!images.starts_with("fashion_mnist")) {
    return {};
  }
  if (std::ranges::find(kNames, images) == kNames.end()) {
    const std::vector<std::string> names(kNames.begin(), kNames.end());
    fail(ErrorCode::kNotFound, "there is no data set '" + images + "'", "",
         suggestion(images, names));
  }
  return images == kTrain ? "train" : "t10k";
}

/// factor x total / parts, rounded down; the product has room.
std::int64_t wide_ratio(std::int64_t factor, std::int64_t total, std::int64_t parts) {
  __extension__ using Wide = __int128;
  return static_cast<std::int64_t>(static_cast<Wide>(factor) * total / parts);
}

}  // namespace

// The multiples of the golden ratio modulo 1 say where in its part each row lies.
std::int64_t RowChoice::row(std::int64_t index, std::int64_t total) const {
  if (is_start(total)) {
    return index;
  }
  const std::int64_t parts = count(total);
  const std::int64_t first = wide_ratio(index, total, parts);
  const std::int64_t length = wide_ratio(index + 1, total, parts) - first;
  const std::uint64_t turn = static_cast<std::uint64_t>(index) * 0x9E3779B97F4A7C15ULL;
  return first + static_cast<std::int64_t>(static_cast<double>(turn >> 11) * 0x1.0p-53 *
                                           static_cast<double>(length));
}

bool is_npy(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 6> magic{};
  file.read(magic.data(), magic.size());
  return std::string_view(magic.data(), magic.size()) == "\x93NUMPY" || path.ends_with(".npy");
}

ArrayFile read_rows(const std::string& path, RowChoice choice) {
  check_is_file(path, "check the path, or use fashion_mnist/train or fashion_mnist/test");
  return is_npy(path) ? read_npy_rows(path, choice) : read_idx_rows(path, choice);
}

void check_finite(const at::Tensor& images, const std::string& path) {
  const auto* numbers = images.const_data_ptr<float>();
  for (std::int64_t i = 0; i < images.numel(); ++i) {
    if (!std::isfinite(numbers[i])) {
      const std::int64_t image = i / (images.numel() / images.size(0));
      fail(ErrorCode::kInvalidInput,
           "image " + std::to_string(image) + " holds " +
               (std::isnan(numbers[i]) ? "NaN" : "infinity"),
           path, "clean the images (numpy.nan_to_num), or leave that one out");
    }
  }
}

at::Tensor image_rows(const ArrayFile& file, const std::string& path) {
  at::Tensor images = file.rows;
  if (images.dim() < 2) {
    fail(ErrorCode::kInvalidInput,
         "its shape " + shape_text(images.sizes()) + " is not that of images", path,
         "save an array of the shape (images, channels, height, width)");
  }
  if (images.numel() == 0) {
    fail(ErrorCode::kInvalidInput, "it holds no images: its shape is " + shape_text(images.sizes()),
         path, "save at least one image");
  }
  if (images.scalar_type() == c10::kByte) {
    images = images.to(c10::kFloat).div_(255.0F);
  } else if (c10::isFloatingType(images.scalar_type())) {
    images = images.to(c10::kFloat);
  } else {
    fail(ErrorCode::kUnsupported,
         "its elements have the type " + std::string(c10::toString(images.scalar_type())), path,
         "save the images as float32, or as uint8, which are divided by 255");
  }
  if (!is_npy(path) && images.dim() == 3) {
    images = images.unsqueeze(1);  // IDX: (N, H, W) of one channel
  }
  check_finite(images, path);
  return images;
}

at::Tensor label_rows(const ArrayFile& file, const std::string& path, std::int64_t images) {
  const c10::ScalarType type = file.rows.scalar_type();
  const bool is_float = c10::isFloatingType(type);
  if (!is_float && !c10::isIntegralType(type, true)) {
    fail(ErrorCode::kInvalidInput,
         "labels are numbers; these have the type " + std::string(c10::toString(type)), path,
         "save them with numpy.save(path, labels.astype(numpy.int64))");
  }
  if (file.rows.dim() == 0 || file.total != images) {
    fail(ErrorCode::kInvalidInput,
         "there are " + std::to_string(file.rows.dim() == 0 ? 1 : file.total) + " labels for " +
             std::to_string(images) + " images",
         path, "give one label for each image");
  }
  if (is_float) {
    at::Tensor labels = file.rows.to(c10::kFloat);
    const auto* numbers = labels.const_data_ptr<float>();
    for (std::int64_t i = 0; i < labels.numel(); ++i) {
      if (!std::isfinite(numbers[i])) {
        fail(ErrorCode::kInvalidInput,
             "label " + std::to_string(i / (labels.numel() / labels.size(0))) +
                 " holds a NaN or an infinite number",
             path, "leave that image out");
      }
    }
    return labels;
  }
  return file.rows.dim() == 1 ? file.rows.to(c10::kLong) : file.rows;
}

std::string path_of_images(const std::string& images) {
  const std::string part = part_of_data_set(images);
  if (part.empty()) {
    return images;
  }
  std::string path = kFashionMnist + part + "-images-idx3-ubyte.gz";
  check_is_file(path, kFashionMnistCure);
  return path;
}

std::string path_of_own_labels(const std::string& images) {
  const std::string part = part_of_data_set(images);
  if (part.empty()) {
    return {};
  }
  std::string path = kFashionMnist + part + "-labels-idx1-ubyte.gz";
  check_is_file(path, kFashionMnistCure);
  return path;
}

std::string shape_text(c10::IntArrayRef sizes) {
  std::vector<std::string> parts;
  for (const std::int64_t size : sizes) {
    parts.push_back(size == -1 ? "N" : size < 0 ? "any" : std::to_string(size));
  }
  std::string text = "(";
  text += join(parts, ", ");
  return text + (parts.size() == 1 ? ",)" : ")");
}

void check_is_file(const std::string& path, const std::string& cure) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    fail(ErrorCode::kNotFound, "there is no such file", path, cure);
  }
  if (std::filesystem::is_directory(path, ignored)) {
    fail(ErrorCode::kInvalidInput, "this is a folder, not a file", path, cure);
  }
  if (!std::ifstream(path, std::ios::binary)) {
    fail(ErrorCode::kMachine, "the file cannot be read", path, "check its permissions");
  }
}

DataSet load_data(const std::string& images, const std::string& labels, RowChoice choice) {
  const std::string images_path = path_of_images(images);
  const std::string labels_path = labels.empty() ? path_of_own_labels(images) : labels;
  const ArrayFile images_file = read_rows(images_path, choice);
  DataSet data;
  data.images = image_rows(images_file, images_path);
  if (!labels_path.empty()) {
    data.labels = label_rows(read_rows(labels_path, choice), labels_path, images_file.total);
  }
  return data;
}

void check_images_fit(const at::Tensor& images, const std::string& file,
                      const std::vector<std::int64_t>& network_sizes) {
  const auto fits = [&](c10::IntArrayRef sizes) {
    bool is_same = sizes.size() == network_sizes.size();
    for (std::size_t i = 1; is_same && i < sizes.size(); ++i) {
      is_same = network_sizes[i] < 0 || sizes[i] == network_sizes[i];
    }
    return is_same;
  };
  const std::vector<std::int64_t> sizes = images.sizes().vec();
  if (fits(sizes)) {
    return;
  }
  std::string cure = "give images of that shape, or export the model for these";
  if (sizes.size() == 4 && fits({sizes[0], sizes[3], sizes[1], sizes[2]})) {
    cure = "put the channels first: images.transpose(0, 3, 1, 2)";
  } else if (sizes.size() == 3 && fits({sizes[0], 1, sizes[1], sizes[2]})) {
    cure = "add the dimension of the channels: images[:, None]";
  } else if (fits([&] {
               std::vector<std::int64_t> with_batch{1};
               with_batch.insert(with_batch.end(), sizes.begin(), sizes.end());
               return with_batch;
             }())) {
    cure = "add the dimension of the images: images[None]";
  }
  fail(ErrorCode::kInvalidInput,
       "images of the shape " + shape_text(sizes) + " do not fit the network, which takes " +
           shape_text(network_sizes),
       file, cure);
}

}  // namespace tilestrike::dnn

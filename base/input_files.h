// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The files that a network's inputs are read from: one, the images, or one for each of its inputs.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tilestrike {

struct InputFile {
  std::string name;  // of the model's input; empty: by its place among its arguments
  std::string path;  // or the name of a data set
  bool operator==(const InputFile&) const = default;
};

class InputFiles {
 public:
  InputFiles() = default;
  /// One file for the model's only input; empty: none is given.
  InputFiles(std::string path) {  // NOLINT(google-explicit-constructor): most models have one input
    if (!path.empty()) {
      files_.push_back({"", std::move(path)});
    }
  }
  InputFiles(const char* path) : InputFiles(std::string(path)) {}  // NOLINT, as above
  explicit InputFiles(std::vector<InputFile> files) : files_(std::move(files)) {}

  bool empty() const { return files_.empty(); }
  std::size_t size() const { return files_.size(); }
  const std::vector<InputFile>& all() const { return files_; }
  std::vector<InputFile>& all() { return files_; }
  /// For messages: "x.npy", or "ids=ids.npy, mask=mask.npy".
  std::string text() const {
    std::string text;
    for (const InputFile& file : files_) {
      text += (text.empty() ? "" : ", ") + (file.name.empty() ? "" : file.name + "=") + file.path;
    }
    return text;
  }
  bool operator==(const InputFiles&) const = default;

 private:
  std::vector<InputFile> files_;
};

}  // namespace tilestrike

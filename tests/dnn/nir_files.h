// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Nodes and networks that the tests of NIR files share.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "dnn/nir/nir_import.h"
#include "tests/dnn/nir_writer.h"
#include "tests/scratch_files.h"

namespace tilestrike::dnn {

/// first, first + step, ...
inline std::vector<double> counted(std::size_t count, double first, double step) {
  std::vector<double> numbers(count);
  for (std::size_t i = 0; i < count; ++i) {
    numbers[i] = first + step * static_cast<double>(i);
  }
  return numbers;
}

inline NirTestNode input_node(const std::vector<double>& sizes) {
  return {"Input", {{"shape", integers(sizes)}}};
}
inline NirTestNode output_node(const std::vector<double>& sizes) {
  return {"Output", {{"shape", integers(sizes)}}};
}
inline NirTestNode affine_node(std::int64_t outputs, std::int64_t inputs) {
  const auto count = static_cast<std::size_t>(outputs * inputs);
  return {"Affine",
          {{"weight", floats({outputs, inputs}, counted(count, -0.5, 0.125))},
           {"bias", floats({outputs}, counted(static_cast<std::size_t>(outputs), 0.25, 0.5))}}};
}
inline NirTestNode lif_node(std::int64_t count) {
  const auto each = [&](double value) {
    return doubles({count}, std::vector<double>(static_cast<std::size_t>(count), value));
  };
  return {"LIF",
          {{"tau", each(0.01)}, {"r", each(2)}, {"v_leak", each(0)}, {"v_threshold", each(1)}}};
}
inline NirTestNode if_node(std::int64_t count) {
  const std::vector<double> ones(static_cast<std::size_t>(count), 1.0);
  return {"IF", {{"r", floats({count}, ones)}, {"v_threshold", floats({count}, ones)}}};
}

/// input (3) -> fc -> lif -> output (2).
inline NirTestFile small_nir() {
  return nir_line({{"input", input_node({3})},
                   {"fc", affine_node(2, 3)},
                   {"lif", lif_node(2)},
                   {"output", output_node({2})}});
}

/// A model and its side file in a folder of the test.
class NirFolder {
 public:
  /// The model's path.
  std::string write(const NirTestFile& file,
                    const std::string& side_file = "ticks: 8\ndt: 0.001\nreadout: count\n") const {
    const std::string path = folder_.path("net.nir");
    file.write(path);
    folder_.write("net.spiking.yaml", side_file);
    return path;
  }
  SpikingModel import(const NirTestFile& file, const std::string& side_file =
                                                   "ticks: 8\ndt: 0.001\nreadout: count\n") const {
    return import_nir(write(file, side_file));
  }
  /// What import says, without the folder's name.
  std::string errors_of_import(
      const NirTestFile& file,
      const std::string& side_file = "ticks: 8\ndt: 0.001\nreadout: count\n") const {
    const std::string path = write(file, side_file);
    return without_folder(errors_of([&] { import_nir(path); }));
  }
  std::string without_folder(std::string text) const {
    const std::string name = folder_.path("");
    for (std::size_t at = 0; (at = text.find(name)) != std::string::npos;) {
      text.erase(at, name.size());
    }
    return text;
  }
  const ScratchFolder& folder() const { return folder_; }

 private:
  ScratchFolder folder_;
};

}  // namespace tilestrike::dnn

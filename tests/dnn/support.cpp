// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/dnn/support.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/max.h>
#include <ATen/ops/sub.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/error.h"

namespace tilestrike::dnn {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string python() {
  const std::string named = environment("TILESTRIKE_PYTHON");
  return named.empty() ? root_folder() + "/.venv/bin/python" : named;
}

struct ScratchFolder {
  std::string path = std::filesystem::temp_directory_path().string() + "/tilestrike_dnn_" +
                     std::to_string(getpid());
  ScratchFolder() { std::filesystem::create_directories(path); }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace

std::string root_folder() {
  const std::string named = environment("TILESTRIKE_ROOT");
  return named.empty() ? std::filesystem::current_path().string() : named;
}

std::string scratch_folder() {
  static const ScratchFolder folder;
  return folder.path;
}

bool has_python() {
  static const bool has =
      std::system(("'" + python() +
                   "' -c 'import importlib.util as i; "
                   "exit(i.find_spec(\"numpy\") is None or i.find_spec(\"torch\") is None)' "
                   "> /dev/null 2>&1")
                      .c_str()) == 0;
  return has;
}

bool run_python(const std::string& script, const std::string& arguments) {
  const std::string log = scratch_folder() + "/python.log";
  const std::string command = "OMP_NUM_THREADS=1 '" + python() + "' -W ignore '" +
                              (script.starts_with("/") ? "" : root_folder() + "/") + script + "' " +
                              arguments + " > '" + log + "' 2>&1";
  if (std::system(command.c_str()) == 0) {
    return true;
  }
  std::cerr << command << "\n" << bytes_of_file(log);
  return false;
}

const std::string& exported() {
  static const std::string folder = [] {
    const std::string built = environment("TILESTRIKE_BUILD") + "/tests/dnn/exported/";
    if (std::filesystem::exists(built + "complete")) {
      return built;
    }
    const bool is_good = run_python("tests/dnn/export_operators.py", "'" + scratch_folder() + "'");
    return is_good ? scratch_folder() + "/" : std::string();
  }();
  return folder;
}

std::string failure_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

std::string bytes_of_file(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  return at::sub(a, b).abs().max().item().toDouble() / b.abs().max().item().toDouble();
}

}  // namespace tilestrike::dnn

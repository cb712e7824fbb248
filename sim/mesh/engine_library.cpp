// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/engine_library.h"

#include <dlfcn.h>

#include <filesystem>

#include "base/error.h"

namespace tilestrike::sim {

void load_engines(const std::string& path) {
  const std::string cure = "name a library that tilestrike_add_rtl_engine() has built";
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  void* const library = dlopen(whole.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    fail(ErrorCode::kNotFound, "cannot load engines: " + std::string(dlerror()), path, cure);
  }
  const auto* const interface =
      static_cast<const int*>(dlsym(library, "tilestrike_engine_interface"));
  const auto add = reinterpret_cast<void (*)()>(dlsym(library, "tilestrike_add_engines"));
  if (interface == nullptr || add == nullptr) {
    fail(ErrorCode::kInvalidInput, "a library without engines for TileStrike", path, cure);
  }
  if (*interface != kEngineInterface) {
    fail(ErrorCode::kVersionMismatch,
         "engines for interface " + std::to_string(*interface) + "; this program has " +
             std::to_string(kEngineInterface),
         path, "build the library again, against this TileStrike");
  }
  add();
}

}  // namespace tilestrike::sim

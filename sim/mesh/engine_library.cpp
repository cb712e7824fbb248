// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/engine_library.h"

#include <dlfcn.h>

#include <filesystem>

#include "base/error.h"

namespace tilestrike::sim {
namespace {

const char* const kCure = "name a library that tilestrike_add_rtl_engine() has built";

/// Throws Failure where the library cannot be loaded.
void* opened(const std::string& path, int mode) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  void* const library = dlopen(whole.c_str(), mode | RTLD_LOCAL);
  if (library == nullptr) {
    fail(ErrorCode::kNotFound, "cannot load engines: " + std::string(dlerror()), path, kCure);
  }
  return library;
}

}  // namespace

void load_engines(const std::string& path, EngineSet& engines) {
  // Its number comes first: one of another interface may lack functions, which are bound when
  // called.
  void* const library = opened(path, RTLD_LAZY);
  const auto* const interface =
      static_cast<const int*>(dlsym(library, "tilestrike_engine_interface"));
  const auto add =
      reinterpret_cast<decltype(&tilestrike_add_engines)>(dlsym(library, "tilestrike_add_engines"));
  if (interface == nullptr || add == nullptr) {
    fail(ErrorCode::kInvalidInput, "a library without engines for TileStrike", path, kCure);
  }
  if (*interface != kEngineInterface) {
    fail(ErrorCode::kVersionMismatch,
         "engines for interface " + std::to_string(*interface) + "; this program has " +
             std::to_string(kEngineInterface),
         path, "build the library again, against this TileStrike");
  }
  opened(path, RTLD_NOW);
  add(engines);
}

}  // namespace tilestrike::sim

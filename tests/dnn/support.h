// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the tests of dnn/ share: where things are, Python, and failures as text.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

#include "dnn/network.h"

namespace tilestrike::dnn {

/// The checkout.
std::string root_folder();
/// A folder of this test program's own, empty at its start.
std::string scratch_folder();

/// Whether there is a Python with torch; where not, a test says why it is skipped.
bool has_python();
/// Runs a Python script, its path absolute or from the checkout on; its output goes to the test's
/// log on failure.
bool run_python(const std::string& script, const std::string& arguments);

/// The folder, with its last slash, of what tests/dnn/export_operators.py writes; empty: it could
/// not be made.
const std::string& exported();

/// The text of the Failure that the call throws; empty when it throws none.
std::string failure_of(const std::function<void()>& call);

std::string bytes_of_file(const std::string& path);
void write_file(const std::string& path, const std::string& bytes);

/// Largest |a - b| over the largest |b|.
double relative_difference(const at::Tensor& a, const at::Tensor& b);

}  // namespace tilestrike::dnn

#define TS_NEEDS_PYTHON()                                                                  \
  if (!::tilestrike::dnn::has_python()) {                                                  \
    GTEST_SKIP() << "SKIPPED: no Python with torch (TILESTRIKE_PYTHON, .venv/bin/python)"; \
  }                                                                                        \
  static_assert(true)

#define TS_NEEDS_EXPORTED() \
  TS_NEEDS_PYTHON();        \
  ASSERT_FALSE(::tilestrike::dnn::exported().empty())

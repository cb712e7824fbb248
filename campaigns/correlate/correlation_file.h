// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The SQLite file of a correlation: a row per fault and engine pair, and the matrix
// (docs/correlate.md).
#pragma once

#include <memory>
#include <string>

#include "campaigns/correlate/correlate.h"

namespace tilestrike::campaigns {

class CorrelationFile {
 public:
  /// Makes the file. Throws Failure where it exists or cannot be written.
  explicit CorrelationFile(const std::string& path);
  ~CorrelationFile();
  CorrelationFile(const CorrelationFile&) = delete;
  CorrelationFile& operator=(const CorrelationFile&) = delete;

  void add(const PointCorrelation& point, const CorrelatedFault& fault);
  /// The point and its matrix, once all its faults are in; commits.
  void finish(const PointCorrelation& point);

 private:
  struct Store;
  std::unique_ptr<Store> store_;
};

}  // namespace tilestrike::campaigns

// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A results file is written by one run at a time.
#pragma once

#include <string>

namespace tilestrike::campaigns {

/// Keeps other runs away from a file for as long as it lives; the system frees it with the process.
class FileLock {
 public:
  /// Makes the file, and the folder that it lies in, where they are missing.
  explicit FileLock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace tilestrike::campaigns

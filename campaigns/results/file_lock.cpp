// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace tilestrike::campaigns {

FileLock::FileLock(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty()) {
    std::filesystem::create_directories(folder, error);
  }
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    const bool is_full = errno == ENOSPC || errno == EDQUOT;
    fail(is_full ? ErrorCode::kMachine : ErrorCode::kInvalidInput,
         "cannot write the results file: " + std::string(std::strerror(errno)), path,
         is_full ? "free some space" : "name a file that can be written with --out");
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor_);
    fail(ErrorCode::kInvalidInput, "another run writes to this results file", path,
         "wait for it, or name another file with --out");
  }
}

FileLock::~FileLock() { ::close(descriptor_); }

}  // namespace tilestrike::campaigns
